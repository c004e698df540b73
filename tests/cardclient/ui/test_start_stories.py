"""The start page in the guides' words, and the card that comes, goes, or is another one."""

from __future__ import annotations

import time

import httpx
import pytest

from cardclient.errors import DriverNeeded
from cardclient.preferences import Preferences
from cardclient.secret import Secret
from cardclient.simulator import SimulatedCard
from cardclient.ui.pages.acceptance import EncryptionPage
from cardclient.ui.pages.address import AddressPage
from cardclient.ui.pages.codes import CodePage
from cardclient.ui.pages.ending import FailurePage
from cardclient.ui.pages.start import StartPage
from cardclient.ui.preferences_dialog import SERVER, PreferencesDialog
from cardclient.words import set_language
from tests.cardclient.conftest import PIN, PUK, SERIAL, personalise
from tests.cardclient.fake_office import problem


def answer(office, **changes):
    """Have the office say something else of the card."""
    office.weather["/scan"] = lambda _request, honest: httpx.Response(200, json={**honest.json(), **changes})


def judged(office, verdict, code, **changes):
    answer(office, verdict=verdict, code=code, message=None, offers=[], **changes)


def test_no_card_gives_the_hints_and_a_card_is_seen_by_itself_within_two_seconds(open_window, card):
    card.eject()
    story = open_window()
    story.sees(StartPage, "Nessuna smartcard rilevata. Prova ad inserirla di nuovo")
    story.reads("contactless", "togli le altre carte", "driver")
    assert story.buttons == ["Scansiona di nuovo"]
    before = time.monotonic()
    card.insert()
    story.sees(StartPage, "Certificato rinnovabile presente nella carta")
    assert time.monotonic() - before < 2
    card.eject()
    story.sees(StartPage, "Nessuna smartcard rilevata")


@pytest.mark.parametrize(
    ("verdict", "code", "message"),
    [
        ("expired", "certificate-expired", "Certificato non rinnovabile presente nella carta"),
        ("already-renewed", "certificate-renewed", "Certificato già rinnovato per la carta"),
        ("not-renewable", None, "Nessun certificato rinnovabile presente nella carta"),
        ("not-renewable", "window-not-open", "Nessun certificato rinnovabile presente nella carta"),
    ],
)
def test_a_verdict_stands_in_the_guide_s_words_with_the_card(open_window, office, verdict, code, message):
    judged(office, verdict, code, purchase_url="https://ra.example.org/acquisto/")
    story = open_window()
    story.sees(StartPage, message)
    story.reads(SERIAL)
    assert "Rinnova" not in story.buttons
    assert "Acquista un nuovo servizio" in [each.text() for each in story.links()]


def test_a_lost_card_is_called_lost_before_any_pin(open_window, card):
    for _ in range(3):
        with pytest.raises(Exception, match="puk-"):
            SimulatedCard(card.path).verify_puk(Secret("00000000"))
    story = open_window()
    story.sees(StartPage, "[puk-locked]")
    assert story.buttons == ["Scansiona di nuovo"]


def test_an_office_that_is_out_of_reach_leaves_the_card_s_serial_on_the_page(open_window, office):
    def unplugged(_request, _honest):
        raise httpx.ConnectError("no route")

    office.weather["/scan"] = office.weather["/capabilities"] = unplugged
    story = open_window()
    story.sees(StartPage, "Errore di connessione al server. Riprova più tardi")
    story.reads(SERIAL)
    office.weather.clear()
    story.goes_back()
    story.sees(StartPage, "Certificato rinnovabile")


def test_a_program_too_old_says_where_the_new_one_is(open_window, office):
    office.weather["/capabilities"] = lambda _request, _honest: httpx.Response(
        200,
        json={
            "now": "2026-01-15T09:30:00Z",
            "client": {"minimum": "99.0.0", "current": "99.0.0", "download": "https://ra.example.org/scarica/"},
            "hosts": [],
            "support": True,
        },
    )
    story = open_window()
    story.sees(StartPage)
    story.reads("[client-outdated]")
    assert "Scarica la versione aggiornata" in [each.text() for each in story.links()]


class Driverless(SimulatedCard):
    """A card of a known family on a computer without its driver."""

    def scan(self):
        raise DriverNeeded("AC 2018", "IDP 6.47.04", "https://example.org/driver.zip")


def test_a_missing_driver_is_named_with_its_address(open_window, card):
    story = open_window(Driverless(card.path))
    story.sees(StartPage, "Per le carte AC 2018 serve il driver IDP 6.47.04")
    link = next(each for each in story.links() if each.text() == "Scarica il driver IDP 6.47.04")
    assert link.isEnabled()
    assert link.toolTip() == "https://example.org/driver.zip"


@pytest.fixture
def second(tmp_path, authority):
    made = SimulatedCard.create(tmp_path / "second.json", serial="7430000000000099", pin=Secret(PIN), puk=Secret(PUK))
    made.login(Secret(PIN))
    made.old = personalise(made, authority)
    made.close()
    return made


def test_of_two_cards_only_the_renewable_one_is_offered(open_window, card, second):
    story = open_window(SimulatedCard(card.path), SimulatedCard(second.path))
    story.sees(StartPage, "Certificato rinnovabile")
    story.reads(second.path and "7430000000000099", "Nessun certificato rinnovabile presente nella carta")
    assert story.page.wish.scanned.view.serial == SERIAL


def test_of_two_renewable_certificates_one_is_chosen_first(open_window, office):
    one = office._offer()
    other = {**one, "login_with": one["sign_with"], "service": "CNS Like - Firma 3 anni"}
    answer(office, offers=[one, other])
    story = open_window()
    story.sees(StartPage, "Scegli il certificato in scadenza")
    assert not story.window.go_button.isEnabled()
    story.page.choices[1].setChecked(True)
    assert story.page.wish.offer.service == "CNS Like - Firma 3 anni"
    story.goes()
    story.sees(EncryptionPage)


def test_the_card_pulled_while_a_code_is_asked_stops_the_page_until_it_is_back(open_window, card):
    story = open_window()
    story.sees(StartPage, "Certificato rinnovabile")
    story.goes()
    story.sees(EncryptionPage).tick.box.setChecked(True)
    story.goes()
    story.sees(CodePage)
    card.eject()
    story.qtbot.waitUntil(lambda: not story.window.go_button.isEnabled(), timeout=2000)
    assert f"La carta {SERIAL} è stata rimossa: reinseriscila" in story.strip
    card.insert()
    story.qtbot.waitUntil(story.window.go_button.isEnabled, timeout=2000)


def test_a_card_exchanged_after_the_scan_is_not_renewed_in_the_other_s_place(open_window, card, second, office):
    story = open_window(SimulatedCard(card.path), SimulatedCard(second.path))
    story.sees(StartPage, "Certificato rinnovabile")
    story.conductor.watch.stop()
    card.eject()
    story.goes()
    story.sees(FailurePage, "[card-changed]")
    assert not any(path.startswith("/challenges") for _, path, _ in office.seen)


def test_the_window_speaks_english_at_once_and_remembers_it(open_window, tmp_path):
    story = open_window()
    story.sees(StartPage, "Certificato rinnovabile")
    story.window.languages.setCurrentIndex(1)
    story.window.languages.activated.emit(1)
    story.sees(StartPage, "Serial number")
    assert story.buttons == ["Scan again", "Renew"]
    assert story.conductor.ports.store.load().language == "en"
    set_language("it")


def test_a_refused_session_is_told_with_its_words_and_the_office_s_code(open_window, office):
    office.weather["/challenges"] = lambda _request, _honest: problem(409, "certificate-held", "contact-centre")
    story = open_window()
    story.sees(StartPage, "Certificato rinnovabile")
    story.goes()
    story.sees(EncryptionPage).tick.box.setChecked(True)
    story.goes()
    story.sees(CodePage)
    story.types(PIN)
    story.sees(FailurePage, "[certificate-held]")


def test_a_program_that_knows_no_server_asks_for_it_first(open_window, office):
    story = open_window(preferences=Preferences())
    story.sees(AddressPage, "Manca l'indirizzo del servizio di rinnovo.")
    assert not office.seen
    story.goes()
    dialog = story.window.findChild(PreferencesDialog)
    assert dialog.categories.currentRow() == SERVER
    dialog.server.edit.setText("https://ra.example.org")
    dialog.save()
    story.sees(StartPage, SERIAL)


def test_a_newer_version_is_one_line_that_hinders_nothing(open_window, office):
    office.current = "9.0.0"
    story = open_window()
    story.sees(StartPage, "Certificato rinnovabile presente nella carta")
    assert [each.text() for each in story.links()] == ["È disponibile la versione 9.0.0 del programma"]
    story.goes()
    story.sees(EncryptionPage)


def test_a_program_of_today_hears_of_no_other(open_window):
    story = open_window()
    story.sees(StartPage, "Certificato rinnovabile presente nella carta")
    assert not story.links()
