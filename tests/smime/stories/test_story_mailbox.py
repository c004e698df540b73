"""MV: a customer who has never been here buys, activates, confirms his mailbox, downloads, and signs a mail."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.smime.stories import bundle, customer, recipient
from tests.smime.stories.canary import Sought, codes_of, links_of
from tests.smime.stories.customer import BICE
from tests.smime.stories.stage import BUYER, PASSWORD, Stage, link_in


def test_a_mailbox_certificate_from_purchase_to_a_signed_mail(stage, canary):
    stage.sell("mv", has_account=False)
    set_password(stage)
    page = stage.log_in()
    customer.activate(page)
    customer.describe_recipient(page, BICE)
    customer.accept_technical_contact(page, BICE)
    customer.start_checks(page)
    expect(page.locator(".checks")).to_contain_text("Casella")
    recipient.confirm_mailbox(stage, BICE)

    p12, password = bundle.collected(stage, page)

    certificate = bundle.require_working(stage.folder, p12, password, BICE.mailbox)
    assert certificate.subject.rfc4514_string() == f"CN={BICE.mailbox}"
    page.goto(f"/area-clienti/pratiche/{stage.order().uid}/")
    customer.expect_title(page, "Certificato emesso")
    stage.picture(page, "emesso")
    secrets = {"password": Sought(password.encode()), "login": Sought(PASSWORD.encode(), in_files=False)}
    assert codes_of(stage)
    canary.require_silence(stage, secrets | links_of(stage) | codes_of(stage))


def set_password(stage: Stage) -> None:
    """Follow the mail of the purchase."""
    page = stage.visit()
    page.goto(link_in(stage.mail("da attivare", to=BUYER)))
    page.get_by_role("button", name="Scegli la password").click()
    for field in page.locator("input[type=password]").all():
        field.fill(PASSWORD)
    page.get_by_role("button", name="Imposta la nuova password").click()
