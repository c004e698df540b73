"""The frame: a look that is remembered, a drawer that needs no script, counters that cost one statement."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from playwright.sync_api import expect

from cms.admin.look import COOKIE
from tests.panel.browser import CHROMIUM, NARROW, WIDE, launched, opened, served
from tests.panel.conftest import seated
from tests.panel.population import populated
from tests.panel.town import NOW

PAGE = "/pannello/oggi/"


@pytest.mark.parametrize(("chosen", "said"), [("scuro", 'data-look="dark"'), ("chiaro", 'data-look="light"')])
def test_a_chosen_look_is_remembered_on_every_page(desk, chosen, said):
    answer = desk.post("/pannello/aspetto/", {"aspetto": chosen, "next": "/pannello/rinnovi/?stato=scaduto"})

    assert answer["Location"] == "/pannello/rinnovi/?stato=scaduto"
    assert answer.cookies[COOKIE]["httponly"]
    for page in (PAGE, "/pannello/contatori/", "/accesso/password/change/"):
        assert f'<html lang="it" {said}>' in desk.get(page, follow=True).content.decode()


def test_the_systems_own_look_comes_back(desk):
    desk.post("/pannello/aspetto/", {"aspetto": "scuro"})

    desk.post("/pannello/aspetto/", {"aspetto": ""})

    assert "data-look" not in desk.get(PAGE).content.decode()


@pytest.mark.parametrize("target", ["https://example.org/", "//example.org/", "javascript:alert(1)", ""])
def test_the_choice_of_a_look_leads_nowhere_else(desk, target):
    assert desk.post("/pannello/aspetto/", {"aspetto": "scuro", "next": target})["Location"] == "/pannello/"


def test_a_forged_cookie_is_no_look(desk):
    desk.cookies[COOKIE] = '"><script>'

    assert "data-look" not in desk.get(PAGE).content.decode()


def test_all_counters_of_the_sidebar_are_one_statement(town, desk):
    town.completed(town.case())
    with CaptureQueriesContext(connection) as captured:
        page = desk.get("/pannello/servizio/?", follow=True)
    assert page.status_code == 200
    with CaptureQueriesContext(connection) as captured:
        page = desk.get("/pannello/contatori/").content.decode()

    counting = [query for query in captured if query["sql"].startswith("SELECT (SELECT count(*)")]
    assert len(counting) == 1
    assert '<span class="counter" title="1 da autorizzare">1<span class="sr"> da autorizzare</span></span>' in page


@pytest.mark.chromium
@pytest.mark.skipif(CHROMIUM is None, reason="no browser here: the system package `chromium` is missing")
def test_the_drawer_opens_and_closes_and_heads_stay_in_view_without_scripts(committed, clock, settings):
    clock.instant = NOW
    town = populated()
    client = seated(town.operator, town.service)
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}
    with served() as address, launched() as browser:
        page = opened(browser, address, size=NARROW, script=False)
        page.context.add_cookies([{**cookie, "url": address}])
        page.goto(PAGE)
        sidebar = page.get_by_role("navigation", name="Pannello")
        expect(sidebar).to_be_hidden()

        page.get_by_role("button", name="Menu").click()
        expect(sidebar.get_by_role("link", name="Gestione rinnovi")).to_be_visible()
        page.keyboard.press("Escape")
        expect(sidebar).to_be_hidden()

        page.get_by_role("button", name="Menu").click()
        sidebar.get_by_role("link", name="Contatori").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Contatori")
        page.set_viewport_size(WIDE)
        expect(sidebar).to_be_visible()
        expect(page.get_by_role("button", name="Menu")).to_be_hidden()

        page.goto("/pannello/rinnovi/")
        page.locator("tbody tr").last.scroll_into_view_if_needed()
        head = page.locator(".list thead th").nth(1).bounding_box()
        assert head is not None
        assert -1 <= head["y"] <= 300, "the table's head stays in view"
