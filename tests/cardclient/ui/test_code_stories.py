"""PIN and PUK in the window: wrong, last try, locked, unblocked, given up; nothing of a code stays anywhere."""

from __future__ import annotations

import gc

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

from cardclient.ports import CodeState
from cardclient.secret import Secret
from cardclient.simulator import SimulatedCard
from cardclient.ui.pages.acceptance import EncryptionPage
from cardclient.ui.pages.codes import CodePage, LastTryPage, UnblockPage
from cardclient.ui.pages.ending import FailurePage
from cardclient.ui.pages.holder import DiagnosisPage
from cardclient.ui.pages.start import StartPage
from tests.cardclient.conftest import PUK

WRONG, NEW = "11111", "59146"


@pytest.fixture
def at_the_pin(open_window):
    """A window that asks for the PIN."""

    def start(*cards):
        story = open_window(*cards)
        story.sees(StartPage, "Certificato rinnovabile presente nella carta")
        story.goes()
        story.sees(EncryptionPage).tick.box.setChecked(True)
        story.goes()
        story.sees(CodePage, "Inserisci il PIN della tua smart card per continuare il rinnovo")
        return story

    return start


def wrong_tries(card, count):
    for _ in range(count):
        with pytest.raises(Exception, match="pin-"):
            SimulatedCard(card.path).login(Secret(WRONG))


def test_a_wrong_pin_is_said_under_the_field_which_is_empty_again(at_the_pin, pin):
    story = at_the_pin()
    story.types(WRONG)
    page = story.sees(CodePage, "Inserisci il codice PIN corretto")
    assert page.field.edit.text() == ""
    assert page.field.error == "Inserisci il codice PIN corretto"
    assert page.field.edit.accessibleDescription() == "Inserisci il codice PIN corretto"
    story.types(pin)
    story.sees(DiagnosisPage)


def test_a_code_too_short_is_no_try(at_the_pin, card):
    story = at_the_pin()
    story.types("4827")
    assert story.page.field.error == "Il codice deve avere da 5 a 8 cifre: nessun tentativo è stato consumato."
    assert card.view().pin is CodeState.OK


def test_the_last_try_is_announced_before_it_is_used_and_can_be_spared(at_the_pin, card):
    story = at_the_pin()
    wrong_tries(card, 1)
    story.types(WRONG)
    story.sees(LastTryPage, "un PIN errato blocca la carta")
    assert story.window.focusWidget() is story.window.back_button
    story.goes_back()
    story.sees(StartPage, "Certificato rinnovabile")
    assert card.view().pin is CodeState.LAST_TRY


def test_a_locked_pin_is_opened_with_the_puk_and_the_renewal_goes_on(at_the_pin, card):
    story = at_the_pin()
    wrong_tries(card, 2)
    story.types(WRONG)
    story.sees(UnblockPage, "Attenzione: se anche il PUK viene bloccato la carta non è più rinnovabile.")
    story.goes()
    story.sees(CodePage, "Inserisci il PUK della tua smart card")
    story.types("00000000")
    story.sees(CodePage, "Scegli il nuovo PIN").repeated.edit.setText(NEW)
    story.types(NEW)
    story.sees(CodePage, "Inserisci il codice PUK corretto")
    story.types(PUK)
    page = story.sees(CodePage, "Scegli il nuovo PIN")
    page.repeated.edit.setText("59147")
    story.types(NEW)
    assert page.field.error == "I due PIN inseriti non sono uguali."
    page.repeated.edit.setText(NEW)
    story.types(NEW)
    story.sees(DiagnosisPage)
    SimulatedCard(card.path).login(Secret(NEW))


def test_a_weak_new_pin_is_refused_under_its_field(at_the_pin, card):
    story = at_the_pin()
    wrong_tries(card, 2)
    story.types(WRONG)
    story.sees(UnblockPage)
    story.goes()
    story.sees(CodePage, "Inserisci il PUK")
    story.types(PUK)
    story.sees(CodePage, "Scegli il nuovo PIN").repeated.edit.setText("12345")
    story.types("12345")
    story.sees(CodePage, "Il nuovo PIN è troppo facile da indovinare.")


def test_whoever_will_not_unblock_is_told_what_to_do(at_the_pin, card):
    story = at_the_pin()
    wrong_tries(card, 2)
    story.types(WRONG)
    story.sees(UnblockPage)
    story.goes_back()
    story.sees(FailurePage, "Il PIN è bloccato.")


def test_going_back_from_the_pin_leads_to_the_start(at_the_pin):
    story = at_the_pin()
    QTest.keyClick(story.page.field.edit, Qt.Key.Key_Escape)
    story.sees(StartPage, "Certificato rinnovabile")


def test_enter_in_the_field_goes_on(at_the_pin, pin):
    story = at_the_pin()
    QTest.keyClicks(story.page.field.edit, pin)
    QTest.keyClick(story.page.field.edit, Qt.Key.Key_Return)
    story.sees(DiagnosisPage)


def test_a_code_never_touches_the_clipboard(at_the_pin, pin):
    story = at_the_pin()
    edit = story.page.field.edit
    QGuiApplication.clipboard().setText("99999")
    QTest.keyClick(edit, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert edit.text() == ""
    QTest.keyClicks(edit, pin)
    edit.selectAll()
    QTest.keyClick(edit, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(edit, Qt.Key.Key_X, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "99999"
    assert edit.inputMethodHints() & Qt.InputMethodHint.ImhSensitiveData
    assert edit.contextMenuPolicy() is Qt.ContextMenuPolicy.NoContextMenu


def test_no_widget_keeps_a_code_after_it_was_given(at_the_pin, pin):
    story = at_the_pin()
    story.types(pin)
    story.sees(DiagnosisPage)
    gc.collect()
    assert not [each for each in QApplication.allWidgets() if isinstance(each, QLineEdit) and each.text() == pin]
