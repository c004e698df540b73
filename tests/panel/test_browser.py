"""The panel in a real browser, under its own content security policy, on a wide screen and on a telephone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.panel.browser import CHROMIUM, NARROW, WIDE, choose, launched, log_in, opened, served, sideways
from tests.panel.town import NOW, PASSWORD, Town, crowd

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="no browser here: the system package `chromium` is missing"),
]

SERVICE = "CNS - Firma 3 anni"


@pytest.fixture
def city(committed, clock):
    """A town whose rows are committed, so that the server's threads see them; an operator with an app."""
    clock.instant = NOW
    town = Town()
    town.cases = crowd(town)
    town.secret = town.give_totp(town.operator)
    return town


@pytest.fixture
def address(city):
    with served() as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    with launched() as browser:
        yield browser


def entered(browser, address, city, **look):
    """The operator's page after login and choice of the service."""
    page = opened(browser, address, **look)
    log_in(page, city.operator.email, city.secret)
    choose(page, SERVICE)
    return page


def test_an_operator_logs_in_with_password_and_code_chooses_a_service_and_approves(city, address, browser):
    case = city.cases[0]
    page = entered(browser, address, city)

    page.get_by_role("link", name=str(case.holder)).click()
    page.get_by_role("link", name="Approva il rinnovo").click()
    expect(page.get_by_text("non avverrà")).to_be_visible()
    page.get_by_role("button", name="Approva il rinnovo").click()

    expect(page.get_by_role("status")).to_contain_text("Rinnovo approvato.")
    expect(page.get_by_role("link", name="Approva il rinnovo")).to_have_count(0)
    assert page.complaints == []
    case.refresh_from_db()
    assert case.authorisation == "approved"


def test_not_approving_asks_for_the_reason_in_place(city, address, browser):
    case = city.cases[1]
    page = entered(browser, address, city)
    page.get_by_role("link", name=f"Non approva {case.code}").click()

    page.get_by_role("button", name="Non approvare il rinnovo").click()
    expect(page.get_by_label("Precisazione")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Precisazione").fill("Non è più iscritto all'ordine")
    page.get_by_role("button", name="Non approvare il rinnovo").click()

    expect(page.get_by_role("status")).to_contain_text("Rinnovo non approvato.")
    expect(page.get_by_text("Motivo: Non è più iscritto all'ordine")).to_be_visible()


def test_the_search_in_the_bar_finds_a_case_and_the_way_out_is_in_the_menu(city, address, browser):
    page = entered(browser, address, city)

    page.get_by_role("searchbox").fill(city.cases[3].card.serial)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(str(city.cases[3].holder))
    page.locator("summary").click()
    page.get_by_role("button", name="Esci").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Accesso degli operatori")
    page.goto("/pannello/rinnovi/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Accesso degli operatori")


def test_a_passkey_opens_the_panel_without_a_password(city, address, browser):
    page = entered(browser, address, city)
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    page.goto("/accesso/secondo-fattore/webauthn/add/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Conferma").click()
    page.get_by_label("Usala anche per accedere senza password").check()
    page.get_by_role("button", name="Aggiungi").click()
    expect(page.get_by_role("heading", name="I suoi codici di recupero")).to_be_visible()

    page.context.clear_cookies()
    page.goto("/")
    page.get_by_role("button", name="Accedi con una passkey").click()
    choose(page, SERVICE)
    assert page.complaints == []


def test_the_keyboard_alone_reaches_the_main_action(city, address, browser):
    page = entered(browser, address, city)
    page.goto(f"/pannello/rinnovi/{city.cases[0].code}/approva/")

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Vai al contenuto"
    page.keyboard.press("Enter")
    for _ in range(2):
        page.keyboard.press("Tab")
    focused = "document.activeElement"
    assert page.evaluate(f"{focused}.textContent") == "Approva il rinnovo"
    assert page.evaluate(f"getComputedStyle({focused}).outlineWidth") == "3px"
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Rinnovo approvato.")


def test_no_page_is_wider_than_the_screen_or_complains(city, address, browser):
    page = entered(browser, address, city, size=NARROW)
    cases = [f"/pannello/rinnovi/{city.cases[number].code}/" for number in (0, 2, 5, 10, 11, 12)]
    pages = ["rinnovi/", "rinnovi/?stato=scaduto", "eventi/", "certificati/", "contatori/", "servizio/"]
    login = ["", "totp/deactivate/", "recovery-codes/generate/", "webauthn/", "webauthn/add/"]
    for path in [
        *(f"/pannello/{name}" for name in pages),
        *cases,
        f"{cases[0]}approva/",
        f"{cases[0]}non-approva/",
        "/accesso/password/change/",
        "/accesso/logout/",
        *(f"/accesso/secondo-fattore/{name}" for name in login),
    ]:
        page.goto(path)
        assert sideways(page) == 0, path
        page.set_viewport_size(WIDE)
        assert sideways(page) == 0, path
        page.set_viewport_size(NARROW)
    assert page.complaints == []


def test_the_list_fits_a_wide_screen_without_scrolling_inside(city, address, browser):
    page = entered(browser, address, city)

    inner = page.evaluate(
        "(() => { const l = document.querySelector('.list'); return l.scrollWidth - l.clientWidth })()"
    )

    assert inner <= 0
