"""What the recipient does with the links in his mails: he has no account, only his mailbox."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.smime.stories.customer import Recipient, expect_title, tick
from tests.smime.stories.stage import Stage, link_in


def confirm_mailbox(stage: Stage, who: Recipient) -> Page:
    """Follow the first mail and press the button."""
    page = stage.visit()
    page.goto(link_in(stage.mail("Confermi la casella", to=who.mailbox)))
    if not who.is_buyer and (box := page.locator("input[name=accept_terms]")).count():
        tick(page, box)
    page.get_by_role("button", name="Conferma l'indirizzo email").click()
    expect_title(page, "Indirizzo email confermato")
    return page


def open_consent(stage: Stage, who: Recipient) -> Page:
    """Follow the mail that asks for consent."""
    page = stage.visit()
    page.goto(link_in(stage.mail("Serve il Suo consenso", to=who.mailbox)))
    expect_title(page, "Consenso al trattamento dei dati")
    return page


def consent(stage: Stage, who: Recipient) -> Page:
    """Type the name as a confirmation, accept the terms where they are asked, and consent."""
    page = open_consent(stage, who)
    if not who.is_buyer:
        tick(page, page.locator("input[name=accept_terms]"))
    page.locator("input[name=full_name]").fill(f"{who.given_name} {who.surname}")
    page.get_by_role("button", name="Do il consenso", exact=True).click()
    expect_title(page, "Ha dato il consenso")
    return page


def identify(stage: Stage, who: Recipient, outcome: str, *, subject: str = "Inizi il riconoscimento") -> Page:
    """Follow the mail, begin, and let the provider's stand-in say `outcome`."""
    page = stage.visit()
    page.goto(link_in(stage.mail(subject, to=who.mailbox)))
    stage.picture(page, "riconoscimento")
    page.get_by_role("button", name=re.compile("Inizia verifica su idenfy", re.IGNORECASE)).click()
    page.wait_for_url(f"{stage.provider.origin}/**")
    page.locator(f"button[value={outcome}]").click()
    page.wait_for_url("**/link/riconoscimento/esito/**")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    return page
