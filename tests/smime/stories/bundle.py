"""What becomes of a .p12: opened with the mailed password, then a mail is signed with it and its signature verified."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cms import ca
from smime.services import bundles
from tests.smime.stories.stage import Stage, openssl, password_in, text_of

MAIL = b"Content-Type: text/plain\r\n\r\nBuongiorno.\r\n"


def collected(stage: Stage) -> tuple[Path, str]:
    """Download the file, and read its password in the mail that says it is ready."""
    order = stage.order()
    mail = stage.mail("certificato S/MIME è pronto", to=order.mailbox)
    order.refresh_from_db()
    file = bundles.deliver(order.uid, buyer=order.buyer, proof="code", address=None, now=datetime.now(UTC))
    path = stage.folder / "certificato.p12"
    path.write_bytes(file.content)
    assert "Password" in text_of(mail)
    return path, password_in(mail)


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
