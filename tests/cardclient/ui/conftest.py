"""The window on a simulated card and the office in memory, driven as a person drives it: by buttons, fields and keys."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QLabel, QPushButton

from cardclient.errors import NoCard
from cardclient.ports import ReaderState
from cardclient.preferences import Preferences, Store
from cardclient.simulator import SimulatedCard
from cardclient.ui import theme
from cardclient.ui.app import Ports
from cardclient.ui.conductor import Conductor
from cardclient.words import set_language
from tests.cardclient.conftest import NOW, PIN, http
from tests.cardclient.ui.real_form import real_form

PATIENCE = 15_000  # ms; key generation on a busy machine


class Readers:
    """The readers of the simulated cards, looked at as often as the watch asks."""

    def __init__(self, cards, pause):
        self.cards, self.pause = cards, pause

    def snapshot(self):
        return tuple(ReaderState(f"lettore {number}", self._atr(card)) for number, card in enumerate(self.cards, 1))

    def _atr(self, card):
        try:
            return card.scan()[0].atr
        except NoCard:
            return None

    def wait(self, seconds):
        self.pause.wait(0.05)
        return True


class Story:
    """One window; `sees` waits for a page, the rest does what a hand would do."""

    patience = PATIENCE
    glance = 2000  # ms; a card that came back is seen by then

    def __init__(self, qtbot, ports, elapsed=None):
        self.qtbot = qtbot
        self.conductor = Conductor(ports)
        if elapsed:
            self.conductor.elapsed = elapsed
        self.window = self.conductor.window
        qtbot.addWidget(self.window)
        self.conductor.start()

    @property
    def page(self):
        return self.window.page

    def sees(self, kind, text=""):
        self.qtbot.waitUntil(
            lambda: isinstance(self.page, kind) and self.page.isEnabled() and text in self.text, timeout=self.patience
        )
        return self.page

    @property
    def text(self):
        """All that can be read on the page."""
        return "\n".join(each.text() for each in self.page.findChildren(QLabel) if each.isVisibleTo(self.page))

    def reads(self, *texts):
        for text in texts:
            self.qtbot.waitUntil(lambda text=text: text in self.text, timeout=self.patience)

    def goes(self):
        self.qtbot.waitUntil(self.window.go_button.isEnabled, timeout=self.glance)
        self.window.go_button.click()

    def goes_back(self):
        self.window.back_button.click()

    def types(self, code):
        self.page.field.edit.setText(code)
        self.goes()

    @property
    def strip(self):
        return self.window._strip.label.text()

    def links(self):
        return [each for each in self.page.findChildren(QPushButton) if each.isVisibleTo(self.page)]

    @property
    def buttons(self):
        shown = (self.window.back_button, self.window.go_button)
        return [each.text() for each in shown if each.isVisibleTo(self.window)]


@pytest.fixture(autouse=True)
def _italian():
    yield
    set_language("it")


@pytest.fixture
def office(office):
    office.pdf = real_form()
    return office


@pytest.fixture(scope="session")
def dressed(qapp):
    qapp.setQuitOnLastWindowClosed(False)  # a window that a test closes must not end the next test's loop
    theme.apply(qapp, dark=False)


@pytest.fixture
def open_window(qtbot, dressed, card, office, tmp_path):
    """Open the window on the card; `card` may be another one, several, or what stands in for it."""
    import threading

    opened = []

    def start(*cards, make_office=None, elapsed=None, preferences=None):
        cards = cards or (SimulatedCard(card.path),)
        from cardclient.simulator import SimulatedReader

        ports = Ports(
            open_card=lambda: cards[0] if len(cards) == 1 else SimulatedReader(cards),
            readers=Readers([SimulatedCard(each.path) for each in cards], threading.Event()),
            make_office=lambda _preferences: (make_office or http)(office),
            clock=lambda: NOW,
            store=Store(tmp_path / "settings"),
            preferences=preferences or replace(Preferences(), server="https://ra.example.org"),
        )
        story = Story(qtbot, ports, elapsed)
        opened.append(story)
        return story

    yield start
    for story in opened:
        story.conductor.stop()


@pytest.fixture
def pin():
    return PIN
