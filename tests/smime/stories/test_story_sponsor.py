"""SV: attestation, consent, face and document; the recipient is not the buyer, and he alone downloads.

What the provider has read and photographed, and whom the officers have called, lies nowhere else.
"""

from __future__ import annotations

from cryptography.x509.oid import NameOID
from playwright.sync_api import expect

from tests.smime.corpus import pdf
from tests.smime.stories import bundle, customer, officer, recipient
from tests.smime.stories.canary import Sought, links_of, provider_of
from tests.smime.stories.customer import LIVIA
from tests.smime.stories.stage import Stage


def test_a_sponsor_certificate_by_face_and_document(stage, canary):
    stage.sell("sv")
    page = stage.log_in()
    customer.activate(page)
    customer.describe_recipient(page, LIVIA)
    customer.accept_technical_contact(page, LIVIA)
    customer.name_organisation(page)
    customer.attest(stage, page, pdf())
    customer.start_checks(page)
    stage.picture(page, "stato")
    recipient.confirm_mailbox(stage, LIVIA)
    officer.verify_organisation(stage)
    officer.accept_letter(stage)
    recipient.consent(stage, LIVIA)
    recipient.identify(stage, LIVIA, "APPROVED")
    officer.compare_face(stage)
    officer.approve(stage)

    p12, password = bundle.collected_by_link(stage, LIVIA)

    certificate = bundle.require_working(stage.folder, p12, password, LIVIA.mailbox)
    subject = {each.oid: each.value for each in certificate.subject}
    assert subject[NameOID.SURNAME] == LIVIA.surname
    assert subject[NameOID.ORGANIZATION_NAME] == officer.COMPANY
    page.goto(f"/area-clienti/pratiche/{stage.order().uid}/scarica/")
    expect(page.locator("main")).to_contain_text("solo dal destinatario")
    called = officer.SWITCHBOARD.replace(" ", "").encode()
    contact = {"contact": Sought(called, {"smime_finding.contact"}, in_files=False)}
    canary.require_silence(stage, contact | secrets_of(stage, password))


def secrets_of(stage: Stage, password: str) -> dict[str, Sought]:
    """What of this story may stand nowhere."""
    return {"password": Sought(password.encode()), **links_of(stage), **provider_of(stage)}
