"""Other ways to the same approval: hands that never touch a mouse, and a telephone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.panel.browser import CHROMIUM, NARROW, sideways
from tests.panel.stories.person import App, expect_title
from tests.panel.town import PASSWORD

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="no browser here: the system package `chromium` is missing"),
]

FOCUSED = "document.activeElement"
MOST_STEPS = 120


@pytest.fixture
def case(town):
    return town.completed(town.case(town.person("Bianchi", "Lucia"), days_left=9))


def tab_to(page, words: str) -> None:
    """Press Tab until what is focused says these words, and can be seen to be focused."""
    for _ in range(MOST_STEPS):
        page.keyboard.press("Tab")
        said = page.evaluate(
            f"[{FOCUSED}.innerText, {FOCUSED}.ariaLabel, ...Array.from({FOCUSED}.labels ?? [], l => l.innerText)].join(' ')"
        )
        if words in " ".join(said.split()):
            ring = page.evaluate(f"getComputedStyle({FOCUSED}).outlineStyle + getComputedStyle({FOCUSED}).boxShadow")
            assert ring != "nonenone", words
            return
    pytest.fail(f"no way to «{words}» by keyboard")


def test_from_the_login_to_an_approval_with_the_keyboard_alone(town, visit, case):
    app = App(town.give_totp(town.operator))
    page = visit()
    page.goto("/")
    assert page.evaluate(f"{FOCUSED}.name") == "login"
    page.keyboard.type(town.operator.email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect_title(page, "Secondo fattore")
    page.keyboard.type(app.code())
    page.keyboard.press("Enter")

    expect_title(page, "Con quale servizio vuole lavorare?")
    tab_to(page, town.service.name)
    page.keyboard.press("Enter")
    expect_title(page, "Oggi")
    tab_to(page, "Gestione rinnovi")
    page.keyboard.press("Enter")
    expect_title(page, "Gestione rinnovi")
    tab_to(page, "Vai al contenuto")
    page.keyboard.press("Enter")
    tab_to(page, f"Approva {case.code}")
    page.keyboard.press("Enter")
    expect_title(page, "Approva il rinnovo")
    tab_to(page, "Approva il rinnovo")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status").first).to_contain_text("Rinnovo approvato.")
    case.refresh_from_db()
    assert case.authorisation == "approved"


def test_the_same_approval_on_a_telephone(town, sit, case):
    page = sit(town.operator, town.service, size=NARROW)
    page.goto("/pannello/oggi/")
    assert sideways(page) == 0
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Gestione rinnovi").click()
    expect_title(page, "Gestione rinnovi")
    assert sideways(page) == 0

    page.get_by_role("link", name=str(case.holder)).click()
    expect_title(page, str(case.holder))
    assert sideways(page) == 0
    main = page.get_by_role("link", name="Approva il rinnovo", exact=True).first
    assert main.bounding_box()["height"] >= 44
    main.click()
    expect(page.get_by_text("la sospensione prevista")).to_be_visible()
    assert sideways(page) == 0
    page.get_by_role("button", name="Approva il rinnovo").click()

    expect(page.get_by_role("status").first).to_be_in_viewport()
    expect(page.get_by_role("status").first).to_contain_text("Rinnovo approvato.")
    assert sideways(page) == 0
    case.refresh_from_db()
    assert case.authorisation == "approved"
