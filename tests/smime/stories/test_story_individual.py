"""IV: two identifications fail, so the recipient signs a form with his qualified signature."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography.x509.oid import NameOID

from config.demo.trust_scheme import Wish, sign_pdf
from tests.smime.stories import bundle, customer, recipient
from tests.smime.stories.customer import Recipient
from tests.smime.stories.stage import BUYER, Stage, apart, link_in

GIULIA = Recipient("Giulia", "Bianchi", BUYER)
TAX_CODE = "BNCGLI85C41F205O"


def test_an_individual_certificate_by_qualified_signature_after_two_failures(stage):
    stage.sell("iv")
    page = stage.log_in()
    customer.activate(page)
    customer.describe_recipient(page, GIULIA)
    customer.accept_technical_contact(page, GIULIA)
    customer.start_checks(page)
    recipient.confirm_mailbox(stage, GIULIA)
    recipient.consent(stage, GIULIA)
    recipient.identify(stage, GIULIA, "DENIED")
    recipient.identify(stage, GIULIA, "DENIED", subject="può riprovare")
    sign_form(stage)

    p12, password = bundle.collected(stage)

    certificate = bundle.require_working(stage.folder, p12, password, GIULIA.mailbox)
    subject = {each.oid: each.value for each in certificate.subject}
    assert (subject[NameOID.GIVEN_NAME], subject[NameOID.SURNAME]) == ("Giulia", "Bianchi")
    assert TAX_CODE.encode() not in p12.read_bytes()


def sign_form(stage: Stage) -> None:
    """Follow the mail of the alternative through all its screens."""
    page = stage.visit()
    page.goto(link_in(stage.mail("firma elettronica qualificata", to=GIULIA.mailbox)))
    page.get_by_label("Nome", exact=True).fill(GIULIA.given_name)
    page.get_by_label("Cognome", exact=True).fill(GIULIA.surname)
    page.get_by_label("Codice fiscale").fill(TAX_CODE)
    page.get_by_role("button", name="Invia la richiesta").click()
    with page.expect_download() as awaited:
        page.get_by_role("button", name="Scarica il modulo").click()
    form = awaited.value.path().read_bytes()
    page.get_by_role("link", name="Prosegui").click()
    now = datetime.now(UTC)
    signer = stage.scheme.signer(Wish(GIULIA.given_name, GIULIA.surname, f"TINIT-{TAX_CODE}"), at=now)
    signed = apart(sign_pdf, form, signer, at=now, chain=[stage.scheme.authority])
    page.locator("input[type=file]").set_input_files(
        {"name": "modulo-firmato.pdf", "mimeType": "application/pdf", "buffer": signed}
    )
    page.get_by_role("button", name="Invia la richiesta").click()
