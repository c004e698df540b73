"""What a screen reader and a keyboard find on every page: names, buddies, order of Tab, alerts, contrast, languages."""

from __future__ import annotations

import re

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QPlainTextEdit, QProgressBar, QWidget

from cardclient.ui import theme
from cardclient.ui.fields import Field
from cardclient.ui.window import Window
from cardclient.words import catalogue, set_language
from tests.cardclient.ui import pictures

ROLES = QAccessible.Role


@pytest.fixture
def window(qtbot, dressed):
    made = Window()
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture(params=sorted(pictures.PAGES))
def shown(request, window):
    window.show_page(pictures.PAGES[request.param]())
    window.show_card("Carta 7430000000000001 nel lettore", is_in=True)
    QApplication.processEvents()
    return window


def tree(widget):
    """The accessibility tree below a widget, as a screen reader walks it."""
    interface = QAccessible.queryAccessibleInterface(widget)
    found, waiting = [], [interface]
    while waiting:
        each = waiting.pop()
        if each is None or each.state().invisible:
            continue
        found.append(each)
        waiting += [each.child(number) for number in range(each.childCount())]
    return found


def test_everything_one_can_reach_has_a_name(shown):
    names = QAccessible.Text.Name
    spoken = {ROLES.Button, ROLES.CheckBox, ROLES.RadioButton, ROLES.EditableText, ROLES.ProgressBar, ROLES.ComboBox}
    nameless = [each.object() for each in tree(shown) if each.role() in spoken and not each.text(names)]
    assert not nameless


def test_tab_reaches_everything_on_the_page_in_reading_order_and_comes_back(shown):
    first = shown.focusWidget() or shown.back_button
    passed, now = [], first
    for _ in range(60):
        QTest.keyClick(now, Qt.Key.Key_Tab)
        now = shown.focusWidget()
        if now is first or now in passed:
            break
        passed.append(now)
    reachable = [
        each
        for each in shown.page.findChildren(QWidget)
        if each.focusPolicy() & Qt.FocusPolicy.TabFocus
        and each.isEnabled()
        and each.isVisibleTo(shown)
        and not isinstance(each, QLabel)
        and isinstance(each, QAbstractButton | QLineEdit | QPlainTextEdit)
    ]
    grouped = {each for each in reachable if isinstance(each, QAbstractButton) and each.autoExclusive()}
    assert set(reachable) - grouped <= {*passed, first}
    on_page = [each for each in passed if shown.page.isAncestorOf(each)]
    places = [each.mapTo(shown.page, each.rect().topLeft()).y() for each in on_page]
    begun = places.index(min(places)) if places else 0
    turned = places[begun:] + places[:begun]
    assert turned == sorted(turned), on_page


def test_every_field_has_a_label_of_its_own(shown):
    fields = shown.page.findChildren(Field)
    buddies = {label.buddy() for label in shown.page.findChildren(QLabel) if label.buddy()}
    assert {each.edit for each in fields} <= buddies


def test_nothing_is_wider_than_the_window(shown):
    right = [
        each
        for each in shown.page.findChildren(QLabel)
        if each.isVisibleTo(shown) and each.mapTo(shown, each.rect().topRight()).x() > shown.width()
    ]
    assert not right


def test_no_italian_is_left_in_an_english_page(window):
    set_language("en")
    italian = {text for text, english in catalogue().items() if text != english and len(text) > 12 and "{" not in text}
    for make in pictures.PAGES.values():
        window.show_page(make())
        texts = {each.text() for each in window.page.findChildren(QLabel)}
        texts |= {each.text() for each in window.page.findChildren(QAbstractButton)}
        left = texts & italian
        assert not left


def test_a_progress_bar_and_its_phases_say_where_they_are(window):
    window.show_page(pictures.PAGES["progress"]())
    bar = window.page.findChild(QProgressBar)
    assert bar.accessibleName() == "Avanzamento del rinnovo"
    assert bar.accessibleDescription() == "Emissione dei nuovi certificati"
    names = [each.accessibleName() for each in window.page.findChildren(QLabel)]
    assert "Emissione dei nuovi certificati: in corso" in names


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
def test_every_text_stands_out_from_its_ground(colours):
    """WCAG 2.2 §1.4.3 (4.5:1 for text) and §1.4.11 (3:1 for borders and focus)."""
    grounds = (colours.surface, colours.raised)
    assert all(contrast(text, ground) >= 4.5 for text in (colours.ink, colours.muted) for ground in grounds)
    assert all(contrast(colours.primary, ground) >= 4.5 for ground in grounds)
    assert contrast(colours.on_primary, colours.primary) >= 4.5
    assert all(contrast(colours.edge, ground) >= 3 for ground in grounds)
    for text, ground in colours.tones.values():
        assert contrast(text, ground) >= 4.5
        assert contrast(colours.ink, ground) >= 4.5


@pytest.mark.parametrize("colours", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
def test_the_style_sheet_names_no_token_that_was_not_filled(colours):
    assert not re.findall(r"[{}]{2}", theme.style_sheet(colours))
