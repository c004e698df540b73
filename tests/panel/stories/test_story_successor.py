"""A WebRA service: its renewals are decided under it, and their events stand under the eIDAS service that issues."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.panel.browser import CHROMIUM
from tests.panel.stories.person import expect_title, go

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="no browser here: the system package `chromium` is missing"),
]


def take(page, service) -> None:
    """Change the service by the bar."""
    page.locator("a.chip").click()
    page.get_by_role("button", name=service.name).click()
    expect(page.locator("a.chip")).to_contain_text(service.name)


def look_for(page, case) -> None:
    go(page, "Ricerca eventi")
    page.locator("#finder").fill(case.code)
    page.locator("form.finder").get_by_role("button", name="Cerca").click()


def test_a_webra_renewal_is_approved_there_and_its_event_found_under_eidas_only(town, sit):
    webra = town.offer("cns-webra", "CNS WebRA - Firma 3 anni", successor=town.eidas)
    case = town.completed(town.case(town.person("Neri", "Ugo"), service=webra))
    page = sit(town.operator, town.service)
    page.goto("/pannello/rinnovi/")
    expect(page.get_by_role("link", name=str(case.holder))).to_have_count(0)

    take(page, webra)
    go(page, "Gestione rinnovi")
    page.get_by_role("link", name=f"Approva {case.code}", exact=True).click()
    page.get_by_role("button", name="Approva il rinnovo").click()
    expect(page.get_by_role("status").first).to_contain_text("Rinnovo approvato.")
    expect(page.get_by_text(town.eidas.name).first).to_be_visible()

    look_for(page, case)
    expect(page.get_by_text(f"per «{case.code}»")).to_be_visible()
    page.goto("/pannello/eventi/?evento=case.approved")
    expect(page.get_by_role("heading", name="Nessun evento con questi filtri")).to_be_visible()

    take(page, town.eidas)
    look_for(page, case)
    expect_title(page, "Ricerca eventi")
    approval = page.locator(".list.log tbody tr", has_text="Rinnovo approvato")
    expect(approval).to_have_count(1)
    expect(approval).to_contain_text(case.code)
    expect(approval).to_contain_text(str(case.holder))
