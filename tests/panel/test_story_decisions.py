"""In a browser: forty cases are picked and approved while the page tells how far it is; one is refused with a reason."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from cms.models import Job
from renewals.models import RenewalCase
from renewals.services import bulk
from tests.panel.browser import CHROMIUM, NARROW, choose, launched, log_in, opened, served, sideways
from tests.panel.town import NOW, Town

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="no browser here: the system package `chromium` is missing"),
]
LIST = "/pannello/rinnovi/"


@pytest.fixture
def address(committed, clock):
    clock.instant = NOW
    with served() as address:
        yield address


@pytest.fixture
def town(address):
    return Town()


def entered(browser, address, town):
    """A page at the list, after login."""
    page = opened(browser, address)
    log_in(page, town.operator.email, town.give_totp(town.operator))
    choose(page, str(town.service))
    return page


def test_forty_cases_are_approved_at_once_and_the_page_says_how_far(address, town):
    for number in range(40):
        town.completed(town.case(days_left=5 + number / 2))
    with launched() as browser:
        page = entered(browser, address, town)
        page.goto(f"{LIST}?righe=50")
        expect(page.get_by_role("button", name="Approva le selezionate")).to_be_hidden()
        page.get_by_label("Seleziona tutte le pratiche della pagina").check()
        expect(page.get_by_text("40 pratiche selezionate")).to_be_visible()
        page.get_by_role("button", name="Approva le selezionate").click()
        page.get_by_role("button", name="Approva 40 rinnovi").click()
        expect(page.get_by_text("In corso")).to_be_visible()

        bulk.carry_out(Job.objects.get().pk, at=NOW + timedelta(seconds=1))

        expect(page.get_by_text("Conclusa", exact=True)).to_be_visible(timeout=10_000)
        expect(page.locator(".tally")).to_contain_text("40")
        assert page.complaints == []
    assert RenewalCase.objects.filter(authorisation="approved").count() == 40


def test_the_keyboard_picks_cases_and_a_reason_refuses_them(address, town):
    case = town.completed(town.case())
    other = town.completed(town.case(days_left=20))
    with launched() as browser:
        page = entered(browser, address, town)
        page.goto(LIST)
        page.get_by_label(f"Seleziona la pratica {case.code}").focus()
        page.keyboard.press("Space")
        expect(page.get_by_text("1 pratica selezionata")).to_be_visible()
        page.get_by_role("button", name="Non approvare le selezionate").press("Enter")
        page.get_by_label("Motivo").select_option("La carta è stata sostituita o non è più in uso")
        page.get_by_role("button", name="Non approvare 1 rinnovo").press("Enter")
        expect(page.get_by_text("In corso")).to_be_visible()
        bulk.carry_out(Job.objects.get().pk, at=NOW + timedelta(seconds=1))
        expect(page.get_by_text("Conclusa", exact=True)).to_be_visible(timeout=10_000)
        assert page.complaints == []
    case.refresh_from_db()
    other.refresh_from_db()
    assert (case.authorisation, case.decision_reason) == ("refused", "La carta è stata sostituita o non è più in uso")
    assert other.authorisation == "pending"


def test_picking_works_without_scripts(address, town):
    cases = [town.completed(town.case(days_left=5 + number)) for number in range(3)]
    with launched() as browser:
        session = entered(browser, address, town).context.storage_state()
        context = browser.new_context(
            base_url=address, storage_state=session, java_script_enabled=False, locale="it-IT"
        )
        page = context.new_page()
        page.goto(LIST)
        for case in cases[:2]:
            page.get_by_label(f"Seleziona la pratica {case.code}").check()
        page.get_by_role("button", name="Approva le selezionate").click()
        page.get_by_role("button", name="Approva 2 rinnovi").click()
        expect(page.get_by_role("heading", name="Approvazione di più rinnovi")).to_be_visible()
    assert Job.objects.get().total == 2


def test_pages_of_several_fit_a_narrow_screen(address, town):
    cases = [town.completed(town.case(days_left=5 + number)) for number in range(3)]
    told = town.case()
    picked = "&".join(f"pratica={case.pk}" for case in cases)
    with launched() as browser:
        session = entered(browser, address, town).context.storage_state()
        page = opened(browser, address, size=NARROW, session=session)
        for path in (
            f"{LIST}?stato=completato&scadenza=30&canale=automatico",
            f"{LIST}?stato=cancellato&scadenza=in-ritardo",
            f"{LIST}insieme/non-approva/?{picked}",
            f"{LIST}{told.code}/",
            f"{LIST}{told.code}/cancella/",
            "/pannello/operazioni/",
            "/pannello/messaggi/",
        ):
            page.goto(path)
            assert sideways(page) == 0, path
        assert page.complaints == []
