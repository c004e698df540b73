"""The stock runs low: the manager asks, one administrator confirms, another credits, and everybody sees it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from cms.models import Agreement, Stock, User
from cms.states import Role
from tests.panel.browser import CHROMIUM
from tests.panel.conftest import confirmed, seated
from tests.panel.stories.person import carry_session, expect_title, go
from tests.panel.town import TYPES

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="no browser here: the system package `chromium` is missing"),
]

ORDER = "ordine 118/2026"


@pytest.fixture
def provider(town):
    """Two administrators of the provider."""
    names = {"ada@fornitore.example.org": "Ada Radice", "bea@fornitore.example.org": "Bea Ramo"}
    people = [
        User.objects.create_user(email, full_name=name, is_staff=True, is_administrator=True)
        for email, name in names.items()
    ]
    for person in people:
        town.give_totp(person)
    return people


def desk_of(visit, address, user, service):
    page = visit()
    carry_session(page, confirmed(seated(user, service)), address)
    page.goto("/pannello/oggi/")
    return page


def free(town) -> set[int]:
    return set(Stock.objects.filter(centre=town.centre, service=town.eidas).values_list("free", flat=True))


def press(page) -> None:
    page.locator("form.form").get_by_role("button").click()


def test_a_purchase_goes_from_the_manager_through_two_administrators_to_the_counter(town, provider, visit, address):
    Agreement.objects.filter(centre=town.centre, service=town.eidas).update(low_stock_threshold=42)
    rita = town.employ("resp@cdrl.example.org", "Rita Resta", role=Role.MANAGER)
    manager = desk_of(visit, address, rita, town.service)
    go(manager, "Contatori")
    expect(manager.locator(".pairs").first).to_contain_text("42")
    manager.get_by_role("link", name="Richiedi un acquisto").first.click()
    manager.get_by_label("Quantità").fill("50")
    manager.get_by_label("Riferimento dell'ordine").fill(ORDER)
    manager.get_by_role("button", name="Invia la richiesta").click()
    expect(manager.get_by_role("status").first).to_contain_text("Richiesta di acquisto inviata.")
    assert free(town) == {42}

    ada = desk_of(visit, address, provider[0], town.service)
    open_request(ada)
    ada.get_by_role("link", name="Conferma o accredita").click()
    expect(ada.get_by_text("Serve poi la conferma di un secondo amministratore")).to_be_visible()
    press(ada)
    expect(ada.get_by_role("status").first).to_contain_text("ora tocca a un secondo amministratore")
    open_request(ada)
    expect(ada.get_by_role("link", name="Accredita l'acquisto")).to_have_count(0)
    assert free(town) == {42}

    bea = desk_of(visit, address, provider[1], town.service)
    open_request(bea)
    bea.get_by_role("link", name="Accredita l'acquisto").click()
    press(bea)
    expect(bea.get_by_role("status").first).to_contain_text("Acquisto accreditato.")
    assert free(town) == {92}

    go(manager, "Contatori")
    expect(manager.locator(".pairs").first).to_contain_text("92")
    expect(manager.get_by_role("link", name="Movimenti")).to_have_count(len(TYPES))
    manager.get_by_role("link", name="Movimenti").first.click()
    newest = manager.locator(".list.log tbody tr").first
    for fact in ("Acquisto", "+50", "92"):
        expect(newest).to_contain_text(fact)
    go(manager, "Acquisti")
    expect(manager.locator("tbody tr", has_text=ORDER)).to_contain_text("Accreditata")


def open_request(page) -> None:
    go(page, "Acquisti")
    row = page.locator("tbody tr", has_text=ORDER)
    row.get_by_role("link").click()
    expect(page.get_by_text(ORDER)).to_be_visible()
    expect_title(page, page.get_by_role("heading", level=1).inner_text())
