"""MV: a customer who has never been here buys, activates, confirms his mailbox, downloads, and signs a mail."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.smime.stories import customer, recipient
from tests.smime.stories.customer import BICE
from tests.smime.stories.stage import BUYER, PASSWORD, link_in


def test_a_mailbox_certificate_from_purchase_to_a_signed_mail(stage):
    stage.sell("mv", has_account=False)
    page = stage.visit()
    page.goto(link_in(stage.mail("da attivare", to=BUYER)))
    page.locator("main").get_by_role("button").click()
    for field in page.locator("input[type=password]").all():
        field.fill(PASSWORD)
    page.locator("main").get_by_role("button").last.click()

    page = stage.log_in()
    customer.activate(page)
    customer.describe_recipient(page, BICE)
    customer.accept_technical_contact(page, BICE)
    customer.start_checks(page)
    expect(page.locator(".checks")).to_contain_text("Casella")
    recipient.confirm_mailbox(stage, BICE)
