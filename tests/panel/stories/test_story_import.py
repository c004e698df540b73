"""Two hundred cards come in by file, seven of them badly: the report names those, the rest is found by search."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from cms.models import Card, JobFile
from cms.services import registration
from tests.cms.roster_maker import Mint, archive, table
from tests.cms.test_intake import seven_bad_rows
from tests.panel.browser import CHROMIUM
from tests.panel.stories.person import expect_title, go, saved, tally

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="no browser here: the system package `chromium` is missing"),
]

HEADER_LINE = 1  # rows are numbered as a spreadsheet shows them


def two_hundred() -> tuple[list, dict[int, str]]:
    """People of the file, and the code under which each bad row is refused, by its number."""
    mint = Mint()
    registration.pin_issuer(mint.certificate)
    people, bad = [mint.person(number) for number in range(1, 194)], {}
    for place, (person, code) in enumerate(seven_bad_rows(mint, Mint("Un'altra CA"))):
        people.insert(10 + 25 * place, person)
        bad[HEADER_LINE + 11 + 25 * place] = code
    return people, bad


def test_two_hundred_cards_are_checked_registered_and_found(town, sit, work, tmp_path):
    people, bad = two_hundred()
    page = sit(town.operator, town.service)
    page.goto("/pannello/oggi/")
    go(page, "Importazione")
    page.get_by_label("Titolari e carte (CSV)").set_input_files(
        {"name": "titolari.csv", "mimeType": "text/csv", "buffer": table(people)}
    )
    page.get_by_label("Certificati (ZIP").set_input_files(
        {"name": "certificati.zip", "mimeType": "application/zip", "buffer": archive(people)}
    )
    page.get_by_role("button", name="Carica e controlla").click()
    expect(page.get_by_text("Controllo in corso")).to_be_visible()
    work()

    expect(page.get_by_role("heading", name="nulla è stato ancora registrato")).to_be_visible()
    assert tally(page) == {"Da registrare": 193, "Non ammesse": 7, "Righe in tutto": 200, "Certificati letti": 399}
    rows = page.locator(".list.log tbody tr")
    expect(rows).to_have_count(7)
    shown = {int(row.locator("td").first.inner_text()): row.locator(".code").inner_text() for row in rows.all()}
    assert shown == bad
    assert not Card.objects.exists()

    page.get_by_role("button", name="Registra 193 carte").click()
    expect(page.get_by_role("status").first).to_contain_text("Importazione avviata.")
    work()
    expect(page.locator("[data-live]")).to_have_attribute("data-live", "ended")
    assert tally(page) == {"Riuscite": 193, "Non eseguite": 7, "Da fare": 0, "Righe in tutto": 200}
    assert (Card.objects.count(), JobFile.objects.count()) == (193, 0)
    text = saved(page, "Scarica l'esito (CSV)", tmp_path)
    assert [line.split(";")[3] for line in text.splitlines()[1:] if line.split(";")[3]] == list(bad.values())

    for person in (people[0], people[-1]):
        search(page, person.cells["codice_fiscale"])
        expect_title(page, f"{person.cells['cognome']} Ada")
        expect(page.get_by_role("heading", name=person.cells["seriale_carta"])).to_be_visible()
        expect(page.get_by_text("Attivo", exact=True)).to_have_count(2)
    refused = people[min(bad) - HEADER_LINE - 1].cells["seriale_carta"]
    search(page, refused)
    expect(page.get_by_text(f"per «{refused}»")).to_be_visible()


def search(page, typed: str) -> None:
    go(page, "Certificati")
    page.locator("#finder").fill(typed)
    page.locator("form.finder").get_by_role("button", name="Cerca").click()
