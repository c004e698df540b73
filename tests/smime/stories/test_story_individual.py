"""IV: two identifications fail, so the recipient signs a form; and nothing of the story lies where it should not."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from config.demo.trust_scheme import Wish, sign_pdf
from tests.smime.stories import bundle, customer, recipient
from tests.smime.stories.canary import Sought, codes_of, links_of, provider_of
from tests.smime.stories.customer import Recipient
from tests.smime.stories.stage import PASSWORD, Stage, apart, link_in

# A name that stands nowhere by chance, not even in a copy of this file: afterwards it is looked for everywhere.
SURNAME = "Zampa" + "".join(random.choices("bcdfglmnprstv", k=8))
GINEVRA = Recipient("Ginevra", SURNAME, "casella-7f3k9@posta.example.org", is_buyer=False)
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
    "smime_termsacceptance.mailbox",
    "notifications_outboxmessage.context",
    "notifications_outboxmessage.recipient",
}


def test_an_individual_certificate_by_qualified_signature_after_two_failures(stage, canary):
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

    p12, password = bundle.collected_by_link(stage, GINEVRA)

    certificate = bundle.require_working(stage.folder, p12, password, GINEVRA.mailbox)
    subject = {each.oid: each.value for each in certificate.subject}
    assert (subject[NameOID.GIVEN_NAME], subject[NameOID.SURNAME]) == ("Ginevra", SURNAME)
    assert TAX_CODE.encode() not in p12.read_bytes()
    canary.require_silence(stage, person() | secrets_of(stage, p12, password))


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


def person() -> dict[str, Sought]:
    """What says who the recipient is, and where it may."""
    return {
        "surname": Sought(SURNAME.encode(), NAMES),
        "mailbox": Sought(GINEVRA.mailbox.encode(), MAILBOXES, in_files=False),
        "tax code": Sought(TAX_CODE.encode(), in_files=False),
    }


def secrets_of(stage: Stage, p12: Path, password: str) -> dict[str, Sought]:
    """What of this story may stand nowhere."""
    login = Sought(PASSWORD.encode(), in_files=False)
    own = {"password": Sought(password.encode()), "login": login, "key": Sought(key_bytes(p12, password))}
    return own | links_of(stage) | codes_of(stage) | provider_of(stage)


def key_bytes(p12: Path, password: str) -> bytes:
    """A prime of the private key, as any encoding of it holds it."""
    key, _, _ = pkcs12.load_key_and_certificates(p12.read_bytes(), password.encode())
    assert isinstance(key, rsa.RSAPrivateKey)
    prime = key.private_numbers().p
    return prime.to_bytes((prime.bit_length() + 7) // 8, "big")
