"""A card that is lost and found, and one that is revoked by two people: the register and the CA say the same."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from cms.models import Event
from tests.authority.founding import found
from tests.panel.browser import CHROMIUM
from tests.panel.conftest import NOW
from tests.panel.stories.person import App, confirm_identity, expect_title, go
from tests.panel.town import Town
from tests.renewals import quick
from tests.renewals.world import World

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="no browser here: the system package `chromium` is missing"),
]

SOURCES = 4


@pytest.fixture
def world(committed, clock):
    """A centre whose cards come from the embedded CA."""
    from authority.gateway import EmbeddedGateway

    clock.instant = NOW
    found(at=NOW)
    return World(EmbeddedGateway(), NOW)


def seen(page) -> set[str]:
    """What register, CA, CRL and OCSP say of every half."""
    standings = page.locator("section", has=page.get_by_role("heading", name="Come risultano a chi li verifica"))
    badges = standings.locator("tbody .badge").all_inner_texts()
    assert len(badges) == 2 * SOURCES
    return set(badges)


def find(page, case) -> None:
    go(page, "Certificati")
    page.locator("#finder").fill(case.card.serial)
    page.locator("form.finder").get_by_role("button", name="Cerca").click()
    expect_title(page, str(case.holder))
    expect(page.get_by_role("heading", name=case.card.serial)).to_be_visible()
    page.get_by_role("link", name="Dettaglio e stato").click()
    expect(page.get_by_role("heading", name="Come risultano a chi li verifica")).to_be_visible()


def test_a_lost_card_is_suspended_and_a_found_one_reactivated_for_everybody(world, sit, work, mailbox):
    case = quick.opened(world, 1)
    App(Town.give_totp(world.operator))
    page = sit(world.operator, world.service)
    page.goto("/pannello/oggi/")
    work()
    find(page, case)
    assert seen(page) == {"Attivo"}

    page.get_by_role("link", name="Sospendi").click()
    expect(page.get_by_text("saranno revocati per sempre")).to_contain_text("mer 01/07/2026")
    page.get_by_label("Nota").fill("Carta smarrita")
    page.get_by_role("button", name="Sospendi i certificati scelti").click()
    expect(page.get_by_role("status").first).to_contain_text("Sospensione richiesta alla CA")
    work()
    page.reload()
    # The list comes out a little after the CA's act: that is told, and is no alarm.
    assert seen(page) == {"Sospeso", "Attivo"}
    expect(page.get_by_text("non ancora aggiornato")).to_have_count(2)
    expect(page.get_by_text("diverso dal registro")).to_have_count(0)
    work()
    page.reload()
    assert seen(page) == {"Sospeso"}
    expect(page.get_by_text("Modifica in corso")).to_have_count(0)
    expect(page.get_by_text("se non riattivato").first).to_be_visible()

    page.get_by_role("link", name="Riattiva").click()
    page.get_by_role("button", name="Riattiva i certificati scelti").click()
    expect(page.get_by_role("status").first).to_contain_text("Riattivazione richiesta alla CA")
    work()
    work()
    page.reload()
    assert seen(page) == {"Attivo"}
    expect(page.get_by_text("diverso dal registro")).to_have_count(0)
    subjects = [mail["Subject"] for mail in mailbox.messages() if case.holder.email in mail["To"]]
    assert [word in " ".join(subjects).lower() for word in ("sospes", "riattivat")] == [True, True]


def test_one_proposes_a_revocation_and_another_confirms_it(world, sit, work):
    world.agreement.four_eyes_revocation = True
    world.agreement.save()
    colleague = world.employ("collega@cdrl.example.org", world.centre)
    case = quick.opened(world, 2)
    first, second = App(Town.give_totp(world.operator)), App(Town.give_totp(colleague))

    page = sit(world.operator, world.service)
    page.goto("/pannello/oggi/")
    find(page, case)
    page.get_by_role("link", name="Proponi la revoca").click()
    confirm_identity(page, first)
    page.get_by_label("Causa della revoca").select_option("key-compromised")
    page.get_by_role("button", name="Proponi la revoca dei certificati scelti").click()
    expect(page.get_by_text("attende la conferma di un'altra persona del CDRL")).to_be_visible()
    page.get_by_role("link", name="Revoche da confermare").click()
    expect(page.get_by_role("button", name="Ritira la proposta")).to_be_visible()
    expect(page.get_by_role("link", name="Conferma…")).to_have_count(0)
    work()
    assert set(case.old_pair.certificates.values_list("status", flat=True)) == {"active"}

    other = sit(colleague, world.service)
    other.goto("/pannello/certificati/")
    other.get_by_role("link", name="Revoche da confermare", exact=True).click()
    other.get_by_role("link", name="Conferma…").click()
    confirm_identity(other, second)
    other.locator("form.form").get_by_role("button").click()
    work()
    work()
    other.goto("/pannello/certificati/")
    find(other, case)
    assert seen(other) == {"Revocato"}
    for button in ("Sospendi", "Riattiva", "Proponi la revoca"):
        expect(other.get_by_role("link", name=button)).to_have_count(0)
    assert set(Event.objects.filter(verb="certificate.revoked").values_list("certificate_id", flat=True)) == set(
        case.old_pair.certificates.values_list("pk", flat=True)
    )
