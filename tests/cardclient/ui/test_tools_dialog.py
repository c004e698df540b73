"""`Strumenti`: what a person sees when he changes or unblocks a PIN, and when the card goes while he does."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLabel, QLineEdit

from cardclient.content import Match
from cardclient.ports import CodeState
from cardclient.secret import Secret
from cardclient.ui.bridge import ReaderWatch, Worker
from cardclient.ui.tools import ToolsDialog
from cardclient.words import set_language
from tests.cardclient.conftest import NOW, PIN, PUK

NEW = "59146"


class StillReaders:
    def snapshot(self):
        return ()

    def wait(self, seconds):
        return False


@pytest.fixture
def watch():
    return ReaderWatch(StillReaders())


@pytest.fixture
def dialog(qtbot, card, watch):
    worker = Worker()
    made = ToolsDialog(lambda: card, worker, watch, lambda: NOW)
    made.show()
    settle(qtbot, made)
    yield made
    made.close()
    worker.stop()


def settle(qtbot, dialog):
    qtbot.waitUntil(lambda: not dialog.errands.is_busy)


def fill(qtbot, dialog, form, code, new_pin, again=None):
    form.code.edit.setText(code)
    form.new_pin.edit.setText(new_pin)
    form.again.edit.setText(new_pin if again is None else again)
    form.submit()
    settle(qtbot, dialog)


def shown(widget):
    return [each.text() for each in widget.findChildren(QLabel) if each.isVisibleTo(widget)]


def test_a_pin_is_changed_and_nothing_of_it_stays_in_the_window(qtbot, dialog, card):
    fill(qtbot, dialog, dialog.change, PIN, NEW)
    assert "Il PIN è stato cambiato." in dialog.change.result.text
    assert not any(each.text() for each in dialog.findChildren(QLineEdit))
    card.login(Secret(NEW))


def test_a_wrong_pin_is_said_under_its_field_in_the_guide_s_words(qtbot, dialog):
    fill(qtbot, dialog, dialog.change, "11111", NEW)
    assert dialog.change.code.error == "Inserisci il codice PIN corretto"
    assert "già sbagliato" in dialog.codes.text()


def test_the_last_try_is_used_only_with_a_tick(qtbot, dialog, card):
    dialog.tabs.setCurrentIndex(1)
    for _ in range(2):
        fill(qtbot, dialog, dialog.change, "11111", NEW)
    assert dialog.change.state.leave.isVisibleTo(dialog)
    assert not dialog.change.button.isEnabled()
    fill(qtbot, dialog, dialog.change, "11111", NEW)
    assert card.view().pin is CodeState.LAST_TRY
    dialog.change.state.leave.box.setChecked(True)
    assert dialog.change.button.isEnabled()
    fill(qtbot, dialog, dialog.change, "11111", NEW)
    assert card.view().pin is CodeState.LOCKED
    assert "[pin-locked]" in dialog.change.result.text


def test_a_locked_pin_is_opened_with_the_puk(qtbot, dialog, card):
    for _ in range(3):
        dialog.change.state.leave.box.setChecked(True)
        fill(qtbot, dialog, dialog.change, "11111", NEW)
    fill(qtbot, dialog, dialog.unblock, PUK, NEW)
    assert "Il PIN è stato sbloccato." in dialog.unblock.result.text
    assert card.view().pin is CodeState.OK


def test_a_locked_puk_is_final_and_asks_for_nothing(qtbot, dialog, card):
    for _ in range(3):
        dialog.unblock.state.leave.box.setChecked(True)
        fill(qtbot, dialog, dialog.unblock, "00000001", NEW)
    assert card.view().puk is CodeState.LOCKED
    words = "Attenzione: se anche il PUK viene bloccato la carta non è più rinnovabile."
    assert any(words in text for text in shown(dialog.unblock))
    assert words in dialog.notice.text
    assert not dialog.unblock.button.isEnabled()
    assert not dialog.change.button.isEnabled()
    assert card.view().final == "puk-locked"


@pytest.mark.parametrize(
    ("new_pin", "words"),
    [
        ("12345", "sequenza"),
        ("77777", "ripete"),
        ("101285", "data di nascita"),
        ("85105", "codice fiscale"),
        ("43000", "numero della carta"),
        (PIN, "altro codice"),
        ("482", "da 5 a 8 cifre"),
    ],
)
def test_a_weak_new_pin_is_refused_with_its_reason_and_costs_no_try(qtbot, dialog, card, new_pin, words):
    fill(qtbot, dialog, dialog.change, PIN, new_pin)
    assert words in dialog.change.new_pin.error
    assert card.view().pin is CodeState.OK


def test_two_different_new_pins_are_not_sent_to_the_card(qtbot, dialog, card):
    fill(qtbot, dialog, dialog.change, PIN, NEW, again="59147")
    assert "non sono uguali" in dialog.change.new_pin.error
    card.login(Secret(PIN))


def test_an_empty_pin_is_asked_for_and_not_tried(qtbot, dialog, card):
    fill(qtbot, dialog, dialog.change, "", NEW)
    assert dialog.change.code.error
    assert card.view().pin is CodeState.OK


def test_certificates_are_seen_at_once_and_private_keys_after_the_pin(qtbot, dialog):
    assert {each.match for each in dialog.content.entries} == {Match.NO_KEY}
    assert "Le chiavi private si vedono dopo il PIN" in shown(dialog.content)
    dialog.content.pin.edit.setText(PIN)
    dialog.content.submit()
    settle(qtbot, dialog)
    assert {each.match for each in dialog.content.entries} == {Match.CERTAIN}
    assert "Presente, corrisponde al certificato" in shown(dialog.content)


def test_a_wrong_pin_keeps_the_content_closed(qtbot, dialog):
    dialog.content.pin.edit.setText("11111")
    dialog.content.submit()
    settle(qtbot, dialog)
    assert dialog.content.pin.error == "Inserisci il codice PIN corretto"
    assert {each.match for each in dialog.content.entries} == {Match.NO_KEY}


def test_a_card_that_goes_takes_with_it_what_was_shown_and_typed(qtbot, dialog, card, watch):
    dialog.content.pin.edit.setText(PIN)
    dialog.content.submit()
    settle(qtbot, dialog)
    dialog.change.code.edit.setText(PIN)
    card.eject()
    watch.changed.emit(())
    settle(qtbot, dialog)
    assert "Nessuna smartcard rilevata. Prova ad inserirla di nuovo" in dialog.notice.text
    assert not dialog.content.entries
    assert not dialog.change.code.edit.text()
    assert not dialog.tabs.isVisible()
    card.insert()
    watch.changed.emit(())
    settle(qtbot, dialog)
    assert {each.match for each in dialog.content.entries} == {Match.NO_KEY}
    assert not dialog.notice.isVisible()


def test_a_card_pulled_while_its_pin_is_changed_is_said(qtbot, dialog, card):
    card.plan_fault("change_pin", "removed")
    fill(qtbot, dialog, dialog.change, PIN, NEW)
    assert "Nessuna smartcard rilevata" in dialog.notice.text


def test_closing_while_the_card_works_calls_nothing_back(qtbot, card, watch):
    worker = Worker()
    made = ToolsDialog(lambda: card, worker, watch, lambda: NOW)
    made.close()
    qtbot.wait(50)
    worker.stop()


def test_the_dialog_speaks_english(qtbot, card, watch):
    set_language("en")
    worker = Worker()
    try:
        made = ToolsDialog(lambda: card, worker, watch, lambda: NOW)
        settle(qtbot, made)
        assert [made.tabs.tabText(place) for place in range(3)] == ["Content", "Change PIN", "Unblock PIN"]
        assert "PIN: active · PUK: active" in shown(made)
        made.close()
    finally:
        set_language("it")
        worker.stop()


def test_every_field_and_button_has_a_name(dialog):
    from PySide6.QtWidgets import QAbstractButton, QComboBox

    for kind in (QLineEdit, QAbstractButton, QComboBox):
        for each in dialog.findChildren(kind):
            if each.isVisibleTo(dialog):
                assert each.accessibleName() or getattr(each, "text", str)(), each
