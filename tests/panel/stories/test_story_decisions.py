"""An operator's morning: one renewal approved, forty at once, one not approved and found again in Ricerca eventi."""

from __future__ import annotations

import csv
import io

import pytest
from playwright.sync_api import expect

from cms.models import Event
from notifications.models import OutboxMessage
from renewals.models import RenewalCase
from tests.panel.browser import CHROMIUM
from tests.panel.stories.person import App, confirm_identity, expect_title, go, saved, tally

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="no browser here: the system package `chromium` is missing"),
]

WAITING = "da-autorizzare"


@pytest.fixture
def app(town):
    return App(town.give_totp(town.operator))


def waiting(town, many: int) -> list[RenewalCase]:
    """Completed renewals that wait for the centre, the most urgent first."""
    return [town.completed(town.case(town.person(f"Prova{'abcdefgh'[number % 8]}"), days_left=4 + number / 2))
            for number in range(many)]  # fmt: skip


def test_one_is_approved_from_the_list(town, sit, app):
    case, other = waiting(town, 2)
    page = sit(town.operator, town.service)
    page.goto("/pannello/")
    expect_title(page, "Oggi")
    go(page, "Gestione rinnovi")

    page.get_by_role("link", name=f"Approva {case.code}", exact=True).click()
    expect(page.get_by_text("la sospensione prevista")).to_be_visible()
    page.get_by_role("button", name="Approva il rinnovo").click()

    expect(page.get_by_role("status").first).to_contain_text("Rinnovo approvato.")
    expect_title(page, str(case.holder))
    expect(page.locator("#messaggi")).to_contain_text(case.holder.email)
    go(page, "Gestione rinnovi")
    expect(page.get_by_role("link", name=f"Approva {case.code}", exact=True)).to_have_count(0)
    expect(page.get_by_role("link", name=f"Approva {other.code}", exact=True)).to_be_visible()
    case.refresh_from_db()
    assert (case.authorisation, case.decided_by) == ("approved", town.operator.pk)


def test_forty_are_approved_at_once_each_with_its_outcome(town, sit, app, work):
    town.buy(town.centre, town.eidas, 10)
    cases = waiting(town, 40)
    left, own = town.completed(town.case(days_left=50)), cases[7]
    page = sit(town.operator, town.service)
    page.goto(f"/pannello/rinnovi/?autorizzazione={WAITING}&righe=50")

    page.get_by_label("Seleziona tutte le pratiche della pagina").check()
    expect(page.locator("[data-picked]")).to_have_text("41 pratiche selezionate")
    page.get_by_label(f"Seleziona la pratica {left.code}").uncheck()
    expect(page.locator("[data-picked]")).to_have_text("40 pratiche selezionate")
    page.get_by_role("button", name="Approva le selezionate").click()
    confirm_identity(page, app)
    expect_title(page, "Approva 40 rinnovi")
    expect(page.get_by_text("40 rinnovi: i nuovi certificati restano attivi")).to_be_visible()
    page.get_by_role("button", name="Approva 40 rinnovi").click()

    expect(page.get_by_text("La pagina si aggiorna da sola")).to_be_visible()
    assert tally(page) == {"Riuscite": 0, "Non eseguite": 0, "Da fare": 40, "Righe in tutto": 40}
    # Meanwhile one of them turns out to be his own: every row is asked again when its turn comes.
    type(town.operator).objects.filter(pk=town.operator.pk).update(tax_code=own.holder.tax_code)
    work()
    expect(page.locator("[data-live]")).to_have_attribute("data-live", "ended")
    assert tally(page) == {"Riuscite": 39, "Non eseguite": 1, "Da fare": 0, "Righe in tutto": 40}
    page.get_by_role("link", name="Non eseguite").click()
    refused = page.locator(".list.log tbody tr")
    expect(refused).to_have_count(1)
    expect(refused).to_contain_text(own.code)
    expect(refused).to_contain_text("Il titolare della pratica non può decidere sul proprio rinnovo")
    expect(refused).to_contain_text("approver-is-holder")

    approved = RenewalCase.objects.filter(authorisation="approved", decided_by=town.operator.pk)
    assert set(approved) == set(cases) - {own}
    assert OutboxMessage.objects.filter(kind="authorised").count() == 39


def test_one_is_not_approved_found_in_the_events_and_taken_away_as_csv(town, sit, app, tmp_path):
    case, other = waiting(town, 2)
    page = sit(town.operator, town.service)
    page.goto("/pannello/rinnovi/")
    page.get_by_role("link", name=f"Non approva {case.code}").click()
    page.get_by_label("Motivo").select_option("L'identità del titolare deve essere verificata di persona")
    page.get_by_label("Precisazione").fill("=Documento; scaduto")
    page.get_by_role("button", name="Non approvare il rinnovo").click()
    expect(page.get_by_role("status").first).to_contain_text("Rinnovo non approvato.")

    page.goto("/pannello/servizio/")
    page.get_by_role("button", name=town.eidas.name).click()
    go(page, "Ricerca eventi")
    page.locator("#finder").fill(case.holder.tax_code.lower())
    page.locator("form.finder").get_by_role("button", name="Cerca").click()
    expect(page.locator(".chosen")).to_contain_text(str(case.holder))
    assert case.holder.tax_code not in page.url.upper()
    page.get_by_label("Evento", exact=True).select_option("case.refused")
    page.get_by_role("button", name="Applica i filtri").click()
    expect(page.locator(".list.log tbody tr")).to_have_count(1)

    text = saved(page, "Esporta in CSV", tmp_path)
    page.get_by_role("link", name="Dettaglio").click()
    expect(page.get_by_role("heading", name="Eventi Carta")).to_contain_text(case.card.serial)
    expect(page.get_by_text("=Documento; scaduto").first).to_be_visible()

    (row,) = csv.DictReader(io.StringIO(text), delimiter=";")
    assert case.code in row.values()
    assert other.code not in text
    assert [value for value in row.values() if "Documento; scaduto" in value]
    assert not [value for value in row.values() if value.startswith("=")]
    assert Event.objects.get(verb="events.exported").actor_id == town.operator.pk
