"""OV: officers find the organisation, call back, and two of them let the certificate carry its name."""

from __future__ import annotations

from cryptography.x509.oid import NameOID

from tests.smime.stories import bundle, customer, officer, recipient
from tests.smime.stories.customer import BICE


def test_an_organisation_certificate_that_two_officers_have_checked(stage):
    stage.sell("ov")
    page = stage.log_in()
    customer.activate(page)
    customer.describe_recipient(page, BICE)
    customer.accept_technical_contact(page, BICE)
    customer.name_organisation(page)
    customer.start_checks(page)
    recipient.confirm_mailbox(stage, BICE)
    officer.verify_organisation(stage)
    officer.approve(stage)

    p12, password = bundle.collected(stage, page)

    certificate = bundle.require_working(stage.folder, p12, password, BICE.mailbox)
    subject = {each.oid: each.value for each in certificate.subject}
    assert subject[NameOID.ORGANIZATION_NAME] == officer.COMPANY
    assert subject[NameOID.ORGANIZATION_IDENTIFIER] == f"VATIT-{customer.COMPANY_NUMBER}"
    assert stage.mail("verifica della Sua organizzazione", to="direzione@azienda.example.org")
