"""A holder at a browser: errors close his way in, a mail lets him stop the card at once, his code does the rest."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from cms.services import codes
from cms.tasks import write_to_holders
from tests.holder.test_certificate_pages import HOME, WRONG, newest_token
from tests.holder.test_self_service import statuses
from tests.panel.browser import CHROMIUM, NARROW, WIDE, launched, opened, served, sideways
from tests.panel.conftest import picture_folder
from tests.panel.test_axe import ALL_RULES, AXE, RUN
from tests.renewals import quick

__all__ = ["picture_folder"]
pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="no browser here: the system package `chromium` is missing"),
]
SUBMIT = "main form button[type=submit]"
LOOKS = [(size, dark) for size in (WIDE, NARROW) for dark in (False, True)]


class Story:
    """One visitor's walk; each page that he meets is checked, and pictured in every width and look."""

    def __init__(self, page: Page, folder=None) -> None:
        self.page, self.folder, self.met = page, folder, []

    def meets(self, name: str) -> None:
        """Look hard at a page: accessible, no wider than the screen, no complaint of the browser."""
        if self.folder is None:
            return
        page, faults = self.page, []
        for size, dark in LOOKS:
            page.set_viewport_size(size)
            page.emulate_media(color_scheme="dark" if dark else "light")
            page.evaluate(AXE)
            faults += [f"{name} {size['width']} {dark}: {fault}" for fault in page.evaluate(RUN, ALL_RULES)]
            faults += [f"{name} {size['width']}: wider than the screen"] * (sideways(page) > 0)
            end = f"{size['width']}{'-dark' if dark else ''}.png"
            page.screenshot(path=self.folder / f"{name}-{end}", full_page=True)
        page.set_viewport_size(WIDE)
        page.emulate_media(color_scheme="light")
        self.met.append(name)
        assert faults == []

    def tries(self, who: str, code: str) -> None:
        """Type codice fiscale and code, and send them."""
        self.page.goto(f"{HOME}accesso/")
        self.page.fill("#id_tax_code", who.lower())
        self.page.fill("#id_user_code", code)
        self.page.click(SUBMIT)

    def comes_by_mail(self, who: str, purpose: str) -> None:
        """Ask for a link, open the mail, follow the link, go on."""
        self.page.goto(f"{HOME}codice/")
        self.meets("richiesta")
        self.page.fill("#id_tax_code", who)
        self.page.check(f"input[value={purpose}]", force=True)
        self.page.click(SUBMIT)
        expect(self.page).to_have_url(f"{self.page.url.partition(HOME)[0]}{HOME}codice/inviato/")
        self.meets("inviato")
        write_to_holders()
        self.page.goto(f"{HOME}collegamento/{newest_token()}/")
        assert newest_token() not in self.page.url
        self.meets("collegamento")
        self.page.click(SUBMIT)

    def does(self, action: str, **typed: str) -> None:
        """Ask for an action, read what it means, confirm."""
        self.page.click(f"main a[href$='/{action}/']")
        self.meets(action)
        if typed:
            self.page.check(f"input[value={typed['cause']}]", force=True)
            self.page.fill("#id_word", typed["word"])
        self.page.click(SUBMIT)
        expect(self.page.locator(".alert-success")).to_be_visible()
        self.meets(f"dopo-{action}")


@pytest.fixture
def pair(world):
    return quick.opened(world, 1).old_pair


@pytest.fixture
def code(world, pair) -> str:
    return codes.renew_user_code(pair.holder, at=world.now - timedelta(days=30))


@pytest.fixture
def address(world):
    with served() as address:
        yield address


def locked_out_and_back(story: Story, pair, code: str) -> None:
    """Wrong codes until the path closes, a link, the card stopped, the path opened, certificates alive and revoked."""
    page, who = story.page, pair.holder.tax_code
    for _ in range(10):
        story.tries(who, WRONG)
        expect(page.locator(".alert-danger")).to_be_visible()
    story.meets("rifiutato")
    story.tries(who, code)
    expect(page.locator(".alert-danger")).to_be_visible()
    story.comes_by_mail(who, "reopen")
    story.meets("dal-collegamento")
    story.does("sospendi")
    assert set(statuses(pair).values()) == {"held"}
    page.click("form[action$='/codice/riapri/'] button")
    story.meets("riaperto")
    page.click("header .leave")
    story.tries(who, code)
    story.meets("certificati")
    story.does("riattiva")
    assert set(statuses(pair).values()) == {"active"}
    page.click("main a[href$='/revoca/']")
    page.click(SUBMIT)
    expect(page.locator(".error-summary")).to_be_visible()
    story.meets("revoca-errori")
    assert set(statuses(pair).values()) == {"active"}
    page.goto(f"{HOME}certificati/")
    story.does("revoca", cause="key-compromised", word="revoca")
    assert set(statuses(pair).values()) == {"revoked"}
    page.go_back()
    expect(page.locator("main form")).to_have_count(0)
    assert set(statuses(pair).values()) == {"revoked"}


def test_a_holder_who_was_locked_out_stops_his_card_and_comes_back(address, pair, code, picture_folder):
    with launched() as browser:
        page = opened(browser, address)
        story = Story(page, picture_folder)
        page.goto(f"{HOME}accesso/")
        story.meets("accesso")
        locked_out_and_back(story, pair, code)
        story.comes_by_mail(pair.holder.tax_code, "reissue")
        page.click("main a[href$='/codice/nuovo/']")
        story.meets("nuovo")
        page.fill("#id_card_number", pair.card.serial)
        page.click(SUBMIT)
        story.meets("nuovo-inviato")
        # What the console notes of answers that are refusals is the browser's own word for their status.
        assert [said for said in page.complaints if "status of 4" not in said] == []


def test_the_same_in_english_and_without_scripts(address, pair, code):
    with launched() as browser:
        page = opened(browser, address, size=NARROW, script=False)
        page.goto(HOME)
        page.click("button[value=en]")
        expect(page.locator("html")).to_have_attribute("lang", "en")
        locked_out_and_back(Story(page), pair, code)
        expect(page.locator("html")).to_have_attribute("lang", "en")
