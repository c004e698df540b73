"""IV: two identifications fail, so the recipient signs a form; and nothing of the story lies where it should not."""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from config.demo.trust_scheme import Wish, sign_pdf
from tests.smime.stories import bundle, canary, customer, recipient
from tests.smime.stories.customer import Recipient
from tests.smime.stories.stage import PASSWORD, Stage, apart, link_in, text_of

# A name that stands nowhere by chance, not even in a copy of this file: afterwards it is looked for everywhere.
SURNAME = "Zampa" + "".join(random.choices("bcdfglmnprstv", k=8))
GINEVRA = Recipient("Ginevra", SURNAME, "casella-7f3k9@posta.example.org")
TAX_CODE = "ZMPGVR85C41F205X"
# Where each value may stand; everything else that holds it is a leak.
NAMES = {
    "smime_order.surname",
    "smime_order.technical_surname",
    "smime_consent.typed",
    "smime_caorder.subject",
    "smime_smimecertificate.der",
    "notifications_outboxmessage.context",
}
MAILBOXES = {
    "smime_order.mailbox",
    "smime_order.technical_email",
    "smime_mailedlink.sent_to",
    "smime_caorder.subject",
    "smime_smimecertificate.der",
    "notifications_outboxmessage.context",
    "notifications_outboxmessage.recipient",
}
THE_CAS_OWN = "authority_"  # its ledger holds certificates and what was asked for, as a CA's must


def test_an_individual_certificate_by_qualified_signature_after_two_failures(stage, superuser, caplog, capfd):
    caplog.set_level(logging.INFO)
    begun_at = time.time()
    stage.sell("iv")
    page = stage.log_in()
    customer.activate(page)
    customer.describe_recipient(page, GINEVRA)
    customer.accept_technical_contact(page, GINEVRA)
    customer.start_checks(page)
    recipient.confirm_mailbox(stage, GINEVRA)
    recipient.consent(stage, GINEVRA)
    recipient.identify(stage, GINEVRA, "DENIED")
    recipient.identify(stage, GINEVRA, "DENIED", subject="può riprovare")
    sign_form(stage)

    p12, password = bundle.collected(stage, page)

    certificate = bundle.require_working(stage.folder, p12, password, GINEVRA.mailbox)
    subject = {each.oid: each.value for each in certificate.subject}
    assert (subject[NameOID.GIVEN_NAME], subject[NameOID.SURNAME]) == ("Ginevra", SURNAME)
    assert TAX_CODE.encode() not in p12.read_bytes()
    secrets = {"password": password.encode(), "login": PASSWORD.encode(), "key": key_bytes(p12, password)}
    secrets |= {f"link {number}": token for number, token in enumerate(tokens(stage))}
    require_kept_apart(superuser, secrets)
    said = caplog.text + "".join(line for line in capfd.readouterr().err.splitlines() if '"mail.log"' not in line)
    require_unsaid(secrets, "".join(line for line in said.splitlines(keepends=True) if "mail.log" not in line))
    require_no_copies(secrets, begun_at, stage.folder)


def sign_form(stage: Stage) -> None:
    """Follow the mail of the alternative through all its screens."""
    page = stage.visit()
    page.goto(link_in(stage.mail("firma elettronica qualificata", to=GINEVRA.mailbox)))
    page.get_by_label("Nome", exact=True).fill(GINEVRA.given_name)
    page.get_by_label("Cognome", exact=True).fill(GINEVRA.surname)
    page.get_by_label("Codice fiscale").fill(TAX_CODE)
    page.get_by_role("button", name="Invia la richiesta").click()
    with page.expect_download() as awaited:
        page.get_by_role("button", name="Scarica il modulo").click()
    form = awaited.value.path().read_bytes()
    page.get_by_role("link", name="Prosegui").click()
    now = datetime.now(UTC)
    signer = stage.scheme.signer(Wish(GINEVRA.given_name, GINEVRA.surname, f"TINIT-{TAX_CODE}"), at=now)
    signed = apart(sign_pdf, form, signer, at=now, chain=[stage.scheme.authority])
    page.locator("input[type=file]").set_input_files(
        {"name": "modulo-firmato.pdf", "mimeType": "application/pdf", "buffer": signed}
    )
    page.get_by_role("button", name="Invia la richiesta").click()


def tokens(stage: Stage) -> Iterator[bytes]:
    """The values of all mailed links."""
    for mail in stage.mailbox.messages():
        for found in re.findall(r"/area-clienti/link/[a-z]+/([\w-]{20,})", text_of(mail)):
            yield found.encode()


def key_bytes(p12: Path, password: str) -> bytes:
    """A prime of the private key, as any encoding of it holds it."""
    key, _, _ = pkcs12.load_key_and_certificates(p12.read_bytes(), password.encode())
    assert isinstance(key, rsa.RSAPrivateKey)
    prime = key.private_numbers().p
    return prime.to_bytes((prime.bit_length() + 7) // 8, "big")


def require_kept_apart(superuser, secrets: dict[str, bytes]) -> None:
    """In the database personal data stand in their fields alone, and what is secret in none."""
    person = {"surname": GINEVRA.surname, "mailbox": GINEVRA.mailbox, "tax code": TAX_CODE}
    found = canary.columns_with(superuser, secrets | {name: value.encode() for name, value in person.items()})
    kept = {name: {each for each in columns if not each.startswith(THE_CAS_OWN)} for name, columns in found.items()}
    assert kept.pop("surname") <= NAMES
    assert kept.pop("mailbox") <= MAILBOXES
    assert {name: columns for name, columns in kept.items() if columns} == {}
    for name in secrets:
        assert found[name] == set()


def require_unsaid(secrets: dict[str, bytes], logged: str) -> None:
    """Neither log nor broker holds anything of the person or of what is secret."""
    redis = canary.redis_content()
    person = {"surname": GINEVRA.surname, "mailbox": GINEVRA.mailbox, "tax code": TAX_CODE}
    for name, value in (secrets | {name: value.encode() for name, value in person.items()}).items():
        assert value not in redis, name
        assert value not in logged.encode(), name


def require_no_copies(secrets: dict[str, bytes], begun_at: float, own: Path) -> None:
    """No temporary file was left behind with any of it."""
    values = {**secrets, "surname": SURNAME.encode()}
    del values["login"]  # stands in the sources of these tests
    left = {
        (name, str(path))
        for path, content in canary.files_since(begun_at, apart_from=own)
        for name, value in values.items()
        if value in content
    }
    assert left == set()
