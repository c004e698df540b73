"""`Diagnostica`: verdicts first, details by subject, nothing secret in what goes out, and each key tried after the PIN."""

from __future__ import annotations

import json
import threading
from contextlib import nullcontext

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel
from shiboken6 import isValid

from cardclient.network.legs import Leg, Network
from cardclient.ports import CodeState, ReaderState
from cardclient.support.log import Logbook
from cardclient.support.report import Sources
from cardclient.ui.bridge import ReaderWatch, Worker
from cardclient.ui.diagnostics import CHECK, DiagnosticsDialog, Doors
from tests.cardclient.conftest import NOW, PIN, SERIAL
from tests.cardclient.fake_authority import TAX_CODE


class OneReader:
    def __init__(self, card):
        self.card = card

    def snapshot(self):
        return (ReaderState("Reader 00", self.card.view().atr if self.card.is_present else None),)

    def wait(self, seconds):
        return False


class NoWeb:
    def get(self, address):
        return None

    def post(self, address, body, kind):
        return None


class Desk:
    """The network as the diagnosis finds it; it may hang until let go."""

    def __init__(self):
        self.hold = None

    def __call__(self):
        if self.hold:
            self.hold.wait(5)
        legs = (Leg("proxy", "proxy.example.org:3128", "ok", 3), Leg("direct", "ra.example.org:443", "server-timeout"))
        return Network("ra.example.org:443", "http proxy.example.org:3128", legs, (), "legs-proxy-down", 400.0)


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def kept():
    return []


@pytest.fixture
def watch(card):
    return ReaderWatch(OneReader(card))


@pytest.fixture
def open_dialog(qtbot, card, desk, watch, tmp_path, kept):
    worker, logbook, opened = Worker(), Logbook(tmp_path / "logs", now=NOW), []
    doors = Doors(
        lambda: Sources(card, OneReader(card), lambda: "running", modules=list, network=desk, logbook=logbook),
        lambda: card,
        lambda: nullcontext(NoWeb()),
    )

    def make(path=tmp_path / "report.txt"):
        dialog = DiagnosticsDialog(doors, worker, watch, logbook, lambda: NOW, kept.append, ask=lambda *_: path)
        dialog.show()
        opened.append(dialog)
        return dialog

    yield make
    for each in filter(isValid, opened):
        each.reject()
    worker.stop()
    logbook.close()


@pytest.fixture
def dialog(qtbot, open_dialog):
    made = open_dialog()
    settle(qtbot, made)
    return made


def settle(qtbot, dialog):
    qtbot.waitUntil(lambda: not dialog.errands.is_busy)


def shown(widget):
    return "\n".join(each.text() for each in widget.findChildren(QLabel) if each.isVisibleTo(widget))


def test_verdicts_stand_first_each_with_what_to_do(dialog):
    first = shown(dialog.tabs.widget(0))
    assert "Il proxy non è raggiungibile, ma senza proxy il servizio risponde." in first
    assert "Scegli «Nessun proxy» nelle preferenze." in first
    assert "7 minuti" in first
    assert "Problemi trovati" in dialog.notice.text


def test_details_stand_by_subject(dialog):
    details = shown(dialog.tabs.widget(1))
    for part in ("Programma e computer", "Lettori", "Carta", "Rete e orologio", SERIAL, "Reader 00"):
        assert part in details


def test_no_name_or_tax_code_without_leave(qtbot, dialog):
    assert "ROSSI" not in dialog.report.as_json()
    dialog.with_holder.box.setChecked(True)
    settle(qtbot, dialog)
    assert "ROSSI" in dialog.report.as_json()
    assert TAX_CODE not in dialog.report.as_json()


def test_the_report_is_copied_readable(dialog):
    dialog.copy_button.click()
    assert SERIAL in QGuiApplication.clipboard().text()
    assert "appunti" in dialog.notice.text


def test_the_report_is_exported_readable_or_as_json(qtbot, dialog, tmp_path, open_dialog):
    dialog.export_button.click()
    assert "PROGRAMMA E COMPUTER" in (tmp_path / "report.txt").read_text("utf-8")
    other = open_dialog(tmp_path / "report.json")
    settle(qtbot, other)
    other.export_button.click()
    assert json.loads((tmp_path / "report.json").read_text("utf-8"))["cards"][0]["serial"] == SERIAL


def test_a_place_that_cannot_be_written_is_said(qtbot, open_dialog, tmp_path):
    dialog = open_dialog(tmp_path / "none" / "report.txt")
    settle(qtbot, dialog)
    dialog.export_button.click()
    assert "Il file non è stato salvato." in dialog.notice.text


def test_a_diagnosis_that_hangs_is_stopped_and_can_be_repeated(qtbot, open_dialog, desk):
    desk.hold = threading.Event()
    dialog = open_dialog()
    assert dialog.again_button.text() == "Interrompi"
    dialog.again_button.click()
    assert "Diagnosi interrotta." in dialog.notice.text
    assert not dialog.export_button.isEnabled()
    desk.hold.set()
    settle(qtbot, dialog)
    assert dialog.report is None
    dialog.again_button.click()
    settle(qtbot, dialog)
    assert dialog.report


def test_closing_while_it_gathers_calls_nothing_back(qtbot, open_dialog, desk):
    desk.hold = threading.Event()
    dialog = open_dialog()
    dialog.reject()
    desk.hold.set()
    qtbot.wait(50)


def test_the_detailed_log_is_switched_and_kept(dialog, kept):
    dialog.debug.box.setChecked(True)
    assert kept == [True]


def test_each_key_signs_after_the_pin(qtbot, dialog):
    dialog.tabs.setCurrentIndex(CHECK)
    dialog.check.pin.edit.setText(PIN)
    dialog.check.submit()
    settle(qtbot, dialog)
    assert "Le chiavi firmano, ma lo stato di qualche certificato è non verificato." in shown(dialog.check)  # no web
    assert shown(dialog.check).count("la chiave firma") == 2
    assert not dialog.check.pin.edit.text()


def test_a_wrong_pin_stands_under_its_field_and_the_next_one_is_warned_of(qtbot, dialog, card):
    dialog.tabs.setCurrentIndex(CHECK)
    dialog.check.pin.edit.setText("11111")
    dialog.check.submit()
    settle(qtbot, dialog)
    assert dialog.check.pin.error == "Inserisci il codice PIN corretto"
    assert "È già stato inserito almeno un PIN errato." in shown(dialog.check)
    dialog.check.pin.edit.setText("11111")
    dialog.check.submit()
    settle(qtbot, dialog)
    assert card.view().pin is CodeState.LAST_TRY
    assert not dialog.check.button.isEnabled()


def test_a_card_that_goes_takes_the_check_with_it(qtbot, dialog, card, watch):
    dialog.tabs.setCurrentIndex(CHECK)
    card.eject()
    watch.changed.emit(())
    settle(qtbot, dialog)
    assert "Nessuna smartcard rilevata. Prova ad inserirla di nuovo" in shown(dialog.check)
    assert not dialog.check.button.isEnabled()
