"""The connection test as the preferences show it: each leg as it becomes known, then which one fails and what to do."""

from __future__ import annotations

import threading
from collections.abc import Callable

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QGridLayout, QProgressBar, QVBoxLayout, QWidget

from cardclient.errors import ClientError
from cardclient.messages import message_for, words_for
from cardclient.network.credentials import Logins, ProxyLogin, ProxyQuestion
from cardclient.network.legs import OK, Leg, Network, Told
from cardclient.preferences import Keyring, Preferences
from cardclient.support.readable import value_of
from cardclient.ui import pieces
from cardclient.ui.bridge import Worker
from cardclient.ui.errands import Errand, Errands
from cardclient.ui.theme import Tone
from cardclient.words import tr

# Settings, logins, who hears of each leg, and what ends the wait; `legs.test` behind it.
Test = Callable[[Preferences, Logins, Told, threading.Event], Network]


class Typed:
    """Answers a proxy that asks with what stands in the dialog, once: a refused password is not tried again."""

    def __init__(self, login: ProxyLogin | None) -> None:
        """Hold the login for one test."""
        self._login = login

    def ask(self, question: ProxyQuestion) -> ProxyLogin | None:
        """See `Credentials.ask`."""
        del question
        login, self._login = self._login, None
        return login


class NetworkTest(QWidget):
    """Runs the test in a thread of its own, so that a proxy that hangs holds up no card."""

    def __init__(self, test: Test, keyring: Keyring) -> None:
        """Show nothing until `start`."""
        super().__init__()
        self._test, self._keyring = test, keyring
        self._stopped, self._known = threading.Event(), 0
        self._worker = Worker()
        self.errands = Errands(self, self._worker)
        self.verdict = pieces.NoticeBox(Tone.NEUTRAL, "")
        self.bar = QProgressBar()
        self.bar.setRange(0, 0)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(tr("Prova della connessione in corso"))
        self._rows = QGridLayout()
        self._rows.setColumnStretch(2, 1)
        self._rows.setHorizontalSpacing(pieces.SPACE[2])
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(pieces.SPACE[1])
        lines.addWidget(self.verdict)
        lines.addWidget(self.bar)
        lines.addLayout(self._rows)
        self.hide()

    def start(self, preferences: Preferences, login: ProxyLogin | None) -> None:
        """Try the settings as they stand in the dialog; a test under way is stopped first."""
        self.stop()
        self._stopped = stopped = threading.Event()
        self._clear()
        self.show()
        self.bar.show()
        self._say(Tone.NEUTRAL, tr("Prova della connessione in corso, attendere..."), "")
        logins = Logins(Typed(login), self._keyring)

        def work(errand: Errand) -> Network:
            return self._test(preferences, logins, errand.report, stopped)

        self.errands.start(work, done=self._show, failed=self._fail, progress=self._add)

    def stop(self) -> None:
        """End a test under way; what is known so far stays."""
        self._stopped.set()
        self.errands.cancel()
        self.bar.hide()

    def end(self) -> None:
        """Stop, and let the thread go; the dialog closes."""
        self.stop()
        self._worker.stop(0)

    @Slot()
    def interrupt(self) -> None:
        """Stop because the person wants it, and say so."""
        self.stop()
        self._say(Tone.NEUTRAL, tr("Prova interrotta."), "")

    def _add(self, leg: Leg) -> None:
        good = leg.code == OK
        row = self._rows.rowCount()
        self._known += 1
        sign, name = pieces.lead("✓" if good else "✕"), pieces.lead(f"{self._known}. {value_of(leg.name)}")
        sign.setProperty("toneText", str(Tone.OK if good else Tone.DANGER))
        name.setWordWrap(False)
        sign.setAccessibleName(tr("Riuscito") if good else tr("Non riuscito"))
        if good:
            words = tr("raggiunto in {milliseconds} ms", milliseconds=leg.milliseconds or 0)
        else:
            message = message_for(leg.code, leg.facts)
            words = " ".join(part for part in (message.cause or message.text, message.advice) if part)
        told = pieces.lead(f"{leg.host}: {words}" if leg.host else words)
        for place, part in enumerate((sign, name, told)):
            self._rows.addWidget(part, row, place, Qt.AlignmentFlag.AlignTop)

    def _show(self, found: Network) -> None:
        self.bar.hide()
        self._clear()
        for leg in (*found.legs, *found.hosts):
            self._add(leg)
        if found.verdict:
            message = message_for(found.verdict)
            self._say(Tone.OK if found.verdict == "legs-ok" else Tone.DANGER, message.text, message.advice)

    def _fail(self, problem: ClientError) -> None:
        self.bar.hide()
        message = words_for(problem)
        self._say(Tone.DANGER, message.text, f"{message.cause} {message.advice}".strip())

    def _clear(self) -> None:
        self._known = 0
        while (item := self._rows.takeAt(0)) is not None:
            if widget := item.widget():
                widget.deleteLater()

    def _say(self, tone: Tone, title: str, text: str) -> None:
        self.verdict.say(tone, title, text)
        pieces.announce(self.verdict, self.verdict.text)
