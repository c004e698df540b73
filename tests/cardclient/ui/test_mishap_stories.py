"""What goes wrong in the window: the card pulled while it is written, another one, no network, a close refused."""

from __future__ import annotations

import threading
from dataclasses import replace

import httpx
import pytest

from cardclient.errors import OfficeUnreachable
from cardclient.secret import Secret
from cardclient.simulator import SimulatedCard
from cardclient.support.log import Logbook
from cardclient.ui import dialogs, saving
from cardclient.ui.pages.acceptance import ContractsPage
from cardclient.ui.pages.ending import FailurePage, ResultPage
from cardclient.ui.pages.form import FormPage
from cardclient.ui.pages.holder import ContactsPage, DataWrongPage
from cardclient.ui.pages.progress import ProgressPage
from cardclient.ui.pages.start import StartPage
from cardclient.ui.support_draft import Draft
from cardclient.wire import ATTEMPTS
from tests.cardclient.conftest import NOW, PIN, PUK, SERIAL, personalise
from tests.cardclient.ui.test_enroll_story import read_all, renew_from_contacts, renew_until_contacts


def until_the_form(story):
    renew_until_contacts(story, PIN)
    story.goes()
    story.sees(ContractsPage)
    read_all(story)
    story.goes()
    story.sees(FormPage)


@pytest.mark.parametrize("operation", ["generate", "install", "remove"])
def test_a_card_pulled_while_it_is_written_is_renewed_in_the_second_run(open_window, card, office, operation):
    story = open_window()
    until_the_form(story)
    card.plan_fault(operation, "removed", when="after")
    story.goes()
    story.sees(FailurePage)
    story.reads("[card-removed]")
    story.qtbot.waitUntil(lambda: not story.window.go_button.isEnabled(), timeout=3000)
    card.insert()
    story.goes()
    run_again(story)
    story.sees(ResultPage)
    view = SimulatedCard(card.path).scan()[0]
    assert len(view.certificates) == 2
    assert office.is_complete


def run_again(story):
    """Give what the second run asks: the warning where the renewal is not complete yet, and the PIN."""
    from cardclient.ui.pages.acceptance import EncryptionPage
    from cardclient.ui.pages.codes import CodePage

    story.qtbot.waitUntil(
        lambda: isinstance(story.page, EncryptionPage | CodePage) and story.page.isEnabled(), timeout=10_000
    )
    if isinstance(story.page, EncryptionPage):
        story.page.tick.box.setChecked(True)
        story.goes()
    story.sees(CodePage)
    story.types(PIN)


def test_another_card_put_in_instead_is_named(open_window, card, tmp_path, authority):
    other = SimulatedCard.create(tmp_path / "other.json", serial="7430000000000099", pin=Secret(PIN), puk=Secret(PUK))
    other.login(Secret(PIN))
    personalise(other, authority)
    other.eject()
    story = open_window(SimulatedCard(card.path), SimulatedCard(other.path))
    until_the_form(story)
    card.eject()
    other.insert()
    story.page.go()
    story.sees(FailurePage)
    story.reads("[card-changed]")


def test_a_lost_connection_invites_to_retry_and_shows_neither_log_nor_support(open_window, office):
    story = open_window()
    renew_until_contacts(story, PIN)

    def unplugged(_request, _honest):
        raise httpx.ConnectError("no route")

    office.weather["/case/contacts"] = unplugged
    story.goes()
    story.sees(FailurePage, "Errore di connessione al server. Riprova più tardi")
    story.reads(SERIAL)
    assert not story.links()
    assert story.buttons == ["INDIETRO", "RIPROVA"]


def test_a_failure_of_the_card_shows_what_support_needs(open_window, card):
    story = open_window()
    until_the_form(story)
    card.plan_fault("generate", "device-error")
    story.goes()
    story.sees(FailurePage, "Errore aggiornamento carta")
    story.reads(SERIAL, "R26-7KQ4M2", "[card-update]", "SUP-0001", "cdrl@example.org", "Generazione delle nuove chiavi")
    assert [each.text() for each in story.links()] == ["Apri richiesta di supporto", "Scarica i log"]


def test_a_request_for_help_names_the_step_and_carries_the_session_until_it_arrives(open_window, card, office):
    story = open_window()
    until_the_form(story)
    card.plan_fault("generate", "device-error")
    story.goes()
    story.sees(FailurePage)
    carried = []

    def lost_at_first(request, honest):
        carried.append(request.headers.get("authorization"))
        if len(carried) <= ATTEMPTS:
            raise httpx.ConnectError("no route")
        return honest

    office.weather["/support-requests"] = lost_at_first
    request = Draft(dialogs._trouble(story.conductor.failure), with_log=False).request(None)
    with pytest.raises(OfficeUnreachable):
        story.conductor.work.ask_for_help(request)
    story.conductor.work.ask_for_help(request)
    assert office.asked_for_help["step"] == "requests"
    assert set(carried) == {f"Bearer {token}" for token in office.tokens}


class Held(SimulatedCard):
    """A card that makes its first key only when it is let go."""

    def __init__(self, path):
        super().__init__(path)
        self.began, self.let_go = threading.Event(), threading.Event()

    def generate(self, *what):
        self.began.set()
        self.let_go.wait(20)
        return super().generate(*what)


def test_the_window_does_not_close_while_the_card_is_written_and_closes_after(open_window, card):
    held = Held(card.path)
    story = open_window(held)
    until_the_form(story)
    story.goes()
    story.qtbot.waitUntil(lambda: held.began.is_set() and isinstance(story.page, ProgressPage), timeout=10_000)
    story.reads("È importante non interrompere il processo di rinnovo")
    assert not story.window.close()
    story.reads("La carta è in scrittura: la finestra si potrà chiudere al termine.")
    assert story.buttons == []
    held.let_go.set()
    story.sees(ResultPage)
    assert story.window.close()


def test_a_window_closed_between_two_writes_ends_the_run_before_the_next_one(open_window, card, office):
    story = open_window()
    until_the_form(story)
    asked, answered = threading.Event(), threading.Event()

    def slow(_request, honest):
        asked.set()
        answered.wait(20)
        return honest

    office.weather["/case/certificates"] = slow
    story.goes()
    story.qtbot.waitUntil(asked.is_set, timeout=10_000)
    threading.Timer(0.3, answered.set).start()
    assert story.window.close()
    assert not office.is_complete
    assert len(SimulatedCard(card.path).scan()[0].certificates) == 2
    assert not story.conductor.worker.is_alive


def test_closing_the_window_while_it_asks_ends_the_run_politely(open_window, office):
    story = open_window()
    renew_until_contacts(story, PIN)
    assert story.window.close()
    assert not story.conductor.worker.is_alive
    assert not office.is_complete


def test_contacts_of_somebody_else_are_refused_under_the_field(open_window):
    story = open_window()
    page = renew_until_contacts(story, PIN)
    page.mobile.edit.setText("+393330000000")
    story.goes()
    story.qtbot.waitUntil(lambda: story.page is not page and isinstance(story.page, ContactsPage), timeout=5000)
    assert story.page.email.error == "L'e-mail o il cellulare indicato risulta già associato a un'altra persona."
    assert story.page.mobile.value == "+393330000000"


def test_contacts_that_cannot_be_right_are_not_sent(open_window, office):
    story = open_window()
    page = renew_until_contacts(story, PIN)
    page.email.edit.setText("senza-chiocciola")
    page.mobile.edit.setText("")
    story.goes()
    assert page.email.error
    assert page.mobile.error
    assert not any(path == "/case/contacts" for _, path, _ in office.seen)


def test_wrong_data_stop_the_case_with_a_reason_and_say_whom_to_ask(open_window, office):
    story = open_window()
    page = renew_until_contacts(story, PIN)
    page.data_wrong.emit()
    story.sees(DataWrongPage, "cdrl@example.org")
    story.goes_back()
    story.sees(ContactsPage).data_wrong.emit()
    page = story.sees(DataWrongPage)
    assert not story.window.go_button.isEnabled()
    page.reason.setPlainText("Il cognome è sbagliato.")
    story.goes()
    story.sees(FailurePage, "Hai segnalato che i dati non sono corretti")
    assert any(path == "/case/cancellation" and b"cognome" in body for _, path, body in office.seen)


def test_a_renewal_to_be_authorised_says_by_when_with_the_weekday(open_window, office):
    def in_part(_request, honest):
        view = honest.json()
        assert view["result"], view
        view["result"] |= {"concluded": False, "authorise_by": "2026-03-01T10:00:00Z"}
        return httpx.Response(200, json=view)

    office.weather["/case/installation"] = in_part
    story = open_window()
    renew_until_contacts(story, PIN)
    renew_from_contacts(story)
    story.reads("Rinnovo concluso solo in parte", "dom 01/03/2026, 11:00 · tra 45 giorni", "cdrl@example.org")


def test_a_form_that_cannot_be_shown_cannot_be_signed(open_window, office):
    from tests.cardclient.fake_form import prepared_pdf

    office.pdf = prepared_pdf()
    story = open_window()
    renew_until_contacts(story, PIN)
    story.goes()
    story.sees(ContractsPage)
    read_all(story)
    story.goes()
    story.sees(FormPage, "Il modulo non si può mostrare: non può essere firmato.")
    assert not story.window.go_button.isEnabled()
    story.goes_back()
    story.sees(StartPage)


def test_a_log_that_could_not_be_saved_is_said_on_the_page(open_window, card, monkeypatch, tmp_path):
    story = open_window()
    until_the_form(story)
    card.plan_fault("generate", "device-error")
    story.goes()
    page = story.sees(FailurePage)
    monkeypatch.setattr(saving, "ask_path", lambda *_question: tmp_path / "nowhere" / "log.txt")
    story.conductor.ports = replace(story.conductor.ports, logbook=Logbook(tmp_path, now=NOW))
    page.save_log.emit()
    story.reads("Il file non è stato salvato.", "Scegli un'altra cartella e riprova.")
    monkeypatch.setattr(saving, "ask_path", lambda *_question: tmp_path / "log.txt")
    page.save_log.emit()
    story.reads("Log salvati.")
    assert "Il file non è stato salvato." not in story.text


def test_the_failure_shows_error_card_and_support_in_the_guides_order(open_window, card):
    story = open_window()
    until_the_form(story)
    card.plan_fault("generate", "device-error")
    story.goes()
    story.sees(FailurePage)
    places = [
        story.text.index(each) for each in ("Errore aggiornamento carta", "Riprendi il rinnovo", SERIAL, "SUP-0001")
    ]
    assert places == sorted(places)
