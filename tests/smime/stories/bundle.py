"""What becomes of a .p12: opened with the mailed password, then a mail is signed with it and its signature verified."""

from __future__ import annotations

import re
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from playwright.sync_api import Page

from cms import ca
from tests.smime.stories.customer import Recipient
from tests.smime.stories.stage import BUYER, Stage, link_in, openssl, password_in, text_of

CODE = re.compile(r"^\s+(\d{6})\s*$", re.MULTILINE)
MAIL = b"Content-Type: text/plain\r\n\r\nBuongiorno.\r\n"


def collected(stage: Stage, page: Page) -> tuple[Path, str]:
    """Read the password in the mail that says the file is ready, and download it as the buyer, with a mailed code."""
    order = stage.order()
    password = password_in(stage.mail("certificato S/MIME è pronto", to=order.mailbox))
    page.goto(f"/area-clienti/pratiche/{order.uid}/scarica/")
    page.get_by_role("button", name="Invia un codice alla mia casella").click()
    code = CODE.findall(text_of(stage.mail("Codice per scaricare", to=BUYER)))[0]
    page.get_by_label("Codice ricevuto per e-mail").fill(code)
    stage.picture(page, "scarica")
    return _downloaded(stage, page), password


def collected_by_link(stage: Stage, who: Recipient) -> tuple[Path, str]:
    """Read the password, and download the file as the recipient who did not buy it, with his own link."""
    password = password_in(stage.mail("certificato S/MIME è pronto", to=who.mailbox))
    page = stage.visit()
    page.goto(link_in(stage.mail("Scarichi il Suo certificato", to=who.mailbox)))
    return _downloaded(stage, page), password


def _downloaded(stage: Stage, page: Page) -> Path:
    with page.expect_download() as awaited:
        page.get_by_role("button", name=re.compile("Scarica il file")).click()
    path = stage.folder / "certificato.p12"
    awaited.value.save_as(path)
    return path


def require_working(folder: Path, p12: Path, password: str, mailbox: str) -> x509.Certificate:
    """Let openssl open the bundle, sign a mail with it, and verify the mail against the CA; returns the certificate."""
    secret = folder / "password"
    secret.write_text(password)
    leaf, chain, anchors, mail, signed = (folder / name for name in ("leaf", "chain", "anchors", "mail", "signed"))
    openssl("pkcs12", "-in", p12, "-passin", f"file:{secret}", "-nodes", "-clcerts", "-out", leaf)
    openssl("pkcs12", "-in", p12, "-passin", f"file:{secret}", "-nokeys", "-cacerts", "-out", chain)
    anchors.write_bytes(b"".join(_pem(der) for der in ca.gateway().trust_anchors()))
    mail.write_bytes(MAIL)
    openssl("cms", "-sign", "-in", mail, "-signer", leaf, "-certfile", chain, "-out", signed)
    openssl("cms", "-verify", "-in", signed, "-CAfile", anchors, "-purpose", "smimesign", "-out", folder / "verified")
    assert (folder / "verified").read_bytes() == MAIL
    (certificate,) = x509.load_pem_x509_certificates(leaf.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.RFC822Name) == [mailbox]
    return certificate


def _pem(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
