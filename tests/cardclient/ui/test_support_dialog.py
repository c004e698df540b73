"""`Apri richiesta di supporto`: what the holder sees before it goes, and that it goes once."""

from __future__ import annotations

import logging
import threading

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel
from shiboken6 import isValid

from cardclient.contract import SupportReceipt
from cardclient.errors import OfficeRefusal, OfficeUnreachable
from cardclient.support.log import Logbook
from cardclient.ui.bridge import Worker
from cardclient.ui.support_dialog import SupportDialog
from cardclient.ui.support_draft import Draft, Trouble
from tests.cardclient.conftest import NOW, SERIAL

CARD = {"serial": SERIAL, "family": "ACe 2021", "reader": "Reader 00", "driver": "bit4xpki"}
TROUBLE = Trouble(
    "card-update", "installation", "Errore aggiornamento carta", "RN-26-0042-K", "mario@example.org", card=CARD
)


class Desk:
    """An office that takes requests, or has a problem; a request it took may still not be answered."""

    def __init__(self):
        self.taken, self.problem, self.hold = {}, None, None
        self.loses_answers = False

    def open_support_request(self, request):
        if self.hold:
            self.hold.wait(5)
        if self.problem:
            raise self.problem
        self.taken.setdefault(request.request_id, request)
        if self.loses_answers:
            raise OfficeUnreachable
        return SupportReceipt("SR-7K2M9X", "m***@example.org" if request.email else None)


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def open_dialog(qtbot, desk, tmp_path):
    worker, logbook, opened = Worker(), Logbook(tmp_path, now=NOW), []
    logging.getLogger("cardclient.flow").error("card-update (install)")

    def make(draft=None):
        opened.append(SupportDialog(draft or Draft(TROUBLE), desk.open_support_request, worker, logbook))
        opened[-1].show()
        return opened[-1]

    yield make
    for each in filter(isValid, opened):
        each.close()
    worker.stop()
    logbook.close()


def send(qtbot, dialog):
    dialog.send()
    qtbot.waitUntil(lambda: not dialog.errands.is_busy)


def test_case_code_and_card_are_shown_before_anything_goes(open_dialog, desk):
    shown = {each.text() for each in open_dialog().findChildren(QLabel)}
    assert {"Errore aggiornamento carta", "card-update", "RN-26-0042-K", SERIAL, "ACe 2021", "bit4xpki"} <= shown
    assert not desk.taken


def test_a_request_carries_what_was_shown_and_its_number_can_be_copied(qtbot, open_dialog, desk):
    dialog = open_dialog()
    dialog.message.setPlainText("La carta non risponde.")
    send(qtbot, dialog)
    (request,) = desk.taken.values()
    assert (request.code, request.step, request.email) == ("card-update", "installation", "mario@example.org")
    assert request.message == "La carta non risponde.\n\nPratica: RN-26-0042-K"
    assert request.card == CARD
    assert "card-update (install)" in request.log
    assert "SR-7K2M9X" in dialog.notice.text
    assert "m***@example.org" in dialog.notice.text
    dialog.copy_button.click()
    assert QGuiApplication.clipboard().text() == "SR-7K2M9X"


def test_the_log_goes_only_with_its_tick(qtbot, open_dialog, desk):
    dialog = open_dialog()
    dialog.log.box.setChecked(False)
    send(qtbot, dialog)
    assert next(iter(desk.taken.values())).log is None


def test_the_preview_is_the_request_itself(open_dialog):
    dialog = open_dialog()
    dialog.message.setPlainText("Aiuto")
    dialog.preview_button.click()
    shown = dialog.preview.toPlainText()
    assert all(part in shown for part in ("card-update", "Aiuto", SERIAL, "mario@example.org", "card-update (install)"))
    dialog.log.box.setChecked(False)
    assert "card-update (install)" not in dialog.preview.toPlainText()


def test_without_connection_it_stays_and_the_same_request_goes_again(qtbot, open_dialog, desk):
    desk.problem = OfficeUnreachable()
    dialog = open_dialog()
    send(qtbot, dialog)
    assert "Errore di connessione al server. Riprova più tardi" in dialog.notice.text
    assert not dialog.message.isEnabled()
    desk.problem = None
    send(qtbot, dialog)
    assert len(desk.taken) == 1
    assert "SR-7K2M9X" in dialog.notice.text


def test_an_answer_that_was_lost_makes_no_second_request(qtbot, open_dialog, desk):
    desk.loses_answers = True
    dialog = open_dialog()
    send(qtbot, dialog)
    logging.getLogger("cardclient.flow").error("one line more")
    desk.loses_answers = False
    send(qtbot, dialog)
    assert len(desk.taken) == 1


def test_a_closed_dialog_opens_again_with_what_was_written_or_with_the_number(qtbot, open_dialog, desk):
    draft = Draft(TROUBLE)
    first = open_dialog(draft)
    first.message.setPlainText("Aiuto")
    first.close()
    second = open_dialog(draft)
    assert second.message.toPlainText() == "Aiuto"
    send(qtbot, second)
    second.close()
    third = open_dialog(draft)
    assert "SR-7K2M9X" in third.notice.text
    assert third.send_button.isHidden()
    assert len(desk.taken) == 1


def test_a_refused_request_can_be_changed_and_is_a_new_one(qtbot, open_dialog, desk):
    desk.problem = OfficeRefusal("input-invalid", status=422, detail="email", action="correct-data")
    dialog = open_dialog()
    send(qtbot, dialog)
    assert "[input-invalid]" in dialog.notice.text
    assert dialog.message.isEnabled()


@pytest.mark.parametrize("email", ["mario", "mario@", "mario@example", "a b@example.org"])
def test_an_incomplete_address_is_said_under_its_field(open_dialog, desk, email):
    dialog = open_dialog()
    dialog.email.edit.setText(email)
    dialog.send()
    assert dialog.email.error
    assert not desk.taken


def test_an_address_is_asked_for_where_nobody_could_answer(qtbot, open_dialog, desk):
    dialog = open_dialog(Draft(Trouble("driver-missing")))
    dialog.send()
    assert dialog.email.error
    dialog.email.edit.setText("mario@example.org")
    send(qtbot, dialog)
    assert len(desk.taken) == 1


def test_a_second_click_while_it_is_sent_sends_nothing_twice(qtbot, open_dialog, desk):
    desk.hold = threading.Event()
    dialog = open_dialog()
    dialog.send()
    assert not dialog.send_button.isEnabled()
    dialog.send()
    desk.hold.set()
    qtbot.waitUntil(lambda: not dialog.errands.is_busy)
    assert len(desk.taken) == 1


@pytest.mark.parametrize(
    "trouble", [Trouble("card-access"), Trouble("card-access", card=CARD), Trouble("card-update", case="RN-26")]
)
def test_an_address_is_asked_for_unless_the_case_has_a_mailbox(open_dialog, desk, trouble):
    dialog = open_dialog(Draft(trouble))
    dialog.send()
    assert dialog.email.error == "Scrivi un indirizzo e-mail: serve per la risposta."
    assert not desk.taken
    assert not Draft(TROUBLE).needs_email
