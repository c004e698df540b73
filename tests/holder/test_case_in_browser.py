"""The pages of a case in Chromium: stories in both languages and without scripts, accessibility, width."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from renewals.models import RenewalCase
from renewals.services import urging
from renewals.services.standing import Situation
from tests.holder.test_case_page import CASE, EXAMPLES, FIND, HOME
from tests.panel.browser import CHROMIUM, NARROW, WIDE, launched, opened, served, sideways
from tests.panel.test_axe import ALL_RULES, AXE, RULES_OF_LOOK, RUN
from tests.panel.town import NOW, Town, tax_code

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="no browser here: the system package `chromium` is missing"),
]
WRONG = tax_code("ZZZZZZ", 7)
# Situations whose pages have different pieces; the words of all are looked at without a browser.
LOOKED_AT = (
    Situation.RENEW,
    Situation.INSTALL_TO_AUTHORISE,
    Situation.WAITING,
    Situation.REFUSED_HELD,
    Situation.SUSPENDED,
    Situation.CONCLUDED,
    Situation.LAPSED,
    Situation.CANCELLED_REFUSED,
)


@pytest.fixture(scope="module")
def browser():
    with launched() as browser:
        yield browser


@pytest.fixture
def town(committed, clock):
    clock.instant = NOW
    return Town()


@pytest.fixture
def address(town):
    with served() as address:
        yield address


@pytest.fixture
def visit(browser, address):
    """Open a stranger's page: `visit(size=NARROW)`. When the story ends no page may have had anything to complain of."""
    pages = []

    def stranger(**how) -> Page:
        pages.append(opened(browser, address, **how))
        return pages[-1]

    yield stranger
    complaints = [said for page in pages for said in page.complaints if "status of 4" not in said]
    for page in pages:
        page.context.close()
    assert complaints == []


def enter(page: Page, case: RenewalCase, person: str | None = None, *, button: str = "Mostra la pratica") -> None:
    page.goto(FIND)
    code, code_of_person = page.locator("#id_code"), page.locator("#id_tax_code")
    code.fill(case.code.lower())
    code_of_person.fill(person or case.holder.tax_code)
    page.get_by_role("button", name=button).click()


@pytest.mark.parametrize("script", [True, False], ids=["scripts", "no scripts"])
def test_a_holder_follows_his_case_and_urges_the_centre(town, visit, script):
    case = town.completed(town.case(town.person("Verdi", "Anna")))
    page = visit(size=NARROW, script=script)

    page.goto(HOME)
    page.get_by_role("link", name="Segua il rinnovo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Segua il rinnovo")
    enter(page, case, WRONG)
    expect(page.get_by_role("alert")).to_contain_text("Non troviamo una pratica con questi dati")
    enter(page, case)
    expect(page.get_by_role("heading", level=1)).to_contain_text("manca l'autorizzazione del CDRL")
    assert case.code not in page.url

    page.get_by_role("button", name="Sollecita l'autorizzazione").click()
    expect(page.get_by_text("Il Suo sollecito è arrivato al CDRL")).to_be_visible()
    expect(page.get_by_role("button", name="Sollecita l'autorizzazione")).to_have_count(0)

    page.get_by_role("button", name="Esci").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("È uscito dalle Sue pagine")
    page.go_back()
    page.goto(CASE)
    expect(page.get_by_role("heading", level=1)).to_have_text("Segua il rinnovo")


def test_a_holder_reads_the_same_in_english_and_stops_his_renewal(town, visit):
    case = town.case()
    page = visit()
    page.goto(HOME)
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.goto(FIND)
    page.locator("#id_code").fill(case.code)
    page.locator("#id_tax_code").fill(case.holder.tax_code)
    page.locator("main button[type=submit]").click()
    page.wait_for_url(f"**{CASE}")
    page.locator("main a.btn-outline-danger").click()
    page.locator("main button.btn-danger").click()
    expect(page.locator("[aria-invalid=true]")).to_have_count(1)
    word = page.locator("label").first.inner_text().split()
    page.locator("#id_word").fill(next(part for part in word if part.isupper() and len(part) > 3))
    page.locator("main button.btn-danger").click()
    page.wait_for_url(f"**{CASE}")
    assert RenewalCase.objects.get(pk=case.pk).close_reason == urging.DECLINED


def test_the_keyboard_alone_is_enough(town, visit):
    case = town.completed(town.case())
    page = visit(size=WIDE)
    page.goto(FIND)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Vai al contenuto")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type(case.code)
    page.keyboard.press("Tab")
    page.keyboard.type(case.holder.tax_code)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("manca l'autorizzazione")


def test_every_page_of_a_case_is_accessible_and_fits(town, visit):
    page, faults = visit(), []
    for path in (HOME, FIND, f"{HOME}nirgends/", f"{HOME}esci/"):
        page.goto(path)
        faults += [f"{path} {fault}" for fault in faults_of(page)]
    page.goto(FIND)
    page.get_by_role("button", name="Mostra la pratica").click()
    faults += [f"errors {fault}" for fault in faults_of(page)]
    for situation in LOOKED_AT:
        enter(page, EXAMPLES[situation](town))
        faults += [f"{situation} {fault}" for fault in faults_of(page)]
    enter(page, town.case())
    page.goto(f"{HOME}pratica/rinuncia/")
    faults += [f"decline {fault}" for fault in faults_of(page)]
    assert faults == [], "\n".join(faults)


def faults_of(page: Page) -> list[str]:
    """What is wrong with the page that is open: wide and light, then narrow and dark."""
    faults = []
    for look, size, rules in (("light", WIDE, ALL_RULES), ("dark", NARROW, RULES_OF_LOOK)):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=look)
        page.evaluate(AXE)
        faults += [f"{look} {rule}" for rule in page.evaluate(RUN, rules)]
        if wide := sideways(page):
            faults.append(f"{size['width']} px: {wide} px too wide")
    return faults
