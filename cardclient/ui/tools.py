"""`Strumenti`: what the card's own manager does. Change the PIN, open a locked one with the PUK, look at the content.

The dialog follows the readers: a card that goes takes what was shown and typed with it, one that comes is read at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QTabWidget, QVBoxLayout, QWidget

from cardclient import tools
from cardclient.content import ContentEntry, content_of
from cardclient.errors import ClientError
from cardclient.messages import message_for, words_for
from cardclient.ports import Card, CardView, CodeState
from cardclient.secret import Secret
from cardclient.ui import pieces
from cardclient.ui.bridge import ReaderWatch, Worker
from cardclient.ui.content import ContentPanel
from cardclient.ui.dialog import Dialog, scrolling
from cardclient.ui.errands import Errands
from cardclient.ui.pin_forms import NewPinForm, change_form, unblock_form
from cardclient.ui.theme import Tone
from cardclient.words import marked, tr

CODE_STATES = {
    CodeState.OK: (Tone.OK, marked("attivo")),
    CodeState.TRIED: (Tone.WAIT, marked("già sbagliato almeno una volta")),
    CodeState.LAST_TRY: (Tone.DANGER, marked("ultimo tentativo")),
    CodeState.LOCKED: (Tone.DANGER, marked("bloccato")),
}


class ToolsDialog(Dialog):
    """The tools for the cards in the readers. `card` is called in the worker; `clock` tells what is still valid."""

    def __init__(
        self,
        card: Callable[[], Card],
        worker: Worker,
        watch: ReaderWatch,
        clock: Callable[[], datetime],
        parent: QWidget | None = None,
    ) -> None:
        """Read the cards at once, and again whenever the readers change."""
        super().__init__(tr("Strumenti"), parent, size=(780, 700))
        self._card, self._clock = card, clock
        self._views: tuple[CardView, ...] = ()
        self.errands = Errands(self, worker)
        self.errands.busy.connect(self._show_busy)
        self.notice = pieces.NoticeBox(Tone.NEUTRAL, "")
        self.change, self.unblock, self.content = change_form(), unblock_form(), ContentPanel()
        self._build()
        self.change.asked.connect(self._change)
        self.unblock.asked.connect(self._unblock)
        self.content.asked.connect(self._open)
        watch.changed.connect(self._reload)
        self._reload()

    def _build(self) -> None:
        self.cards = QComboBox()
        self.cards.setAccessibleName(tr("Carta"))
        self.cards.currentIndexChanged.connect(self._show_chosen)
        name = QLabel(tr("Carta"))
        name.setProperty("role", "label")
        name.setBuddy(self.cards)
        self.codes = QLabel()
        self.codes.setProperty("role", "muted")
        self.chooser = QWidget()
        row = QGridLayout(self.chooser)
        row.setContentsMargins(0, 0, 0, 0)
        row.setHorizontalSpacing(pieces.SPACE[2])
        row.setVerticalSpacing(pieces.SPACE[0])
        row.setColumnStretch(1, 1)
        row.addWidget(name, 0, 0)
        row.addWidget(self.cards, 0, 1)
        row.addWidget(self.codes, 1, 1)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName(tr("Strumenti"))
        self.tabs.addTab(_tab(self.content), tr("Contenuto"))
        self.tabs.addTab(_tab(scrolling(self.change)), tr("Cambia PIN"))
        self.tabs.addTab(_tab(scrolling(self.unblock)), tr("Sblocca PIN"))
        self.body.addWidget(self.chooser)
        self.body.addWidget(self.notice)
        self.body.addWidget(self.tabs, 1)
        self.body.addStretch()
        for form in (self.change, self.unblock):
            self.add_button(form.button)
        self.tabs.currentChanged.connect(self._fit_buttons)

    # Reading the cards.

    @Slot(object)
    def _reload(self, _states: object = None) -> None:
        """Read all cards again; after every change of the readers and every use of a code."""
        self.errands.start(lambda _errand: tools.cards_present(self._card()), done=self._show_cards, failed=self._fail)

    def _show_cards(self, views: tuple[CardView, ...]) -> None:
        kept = self._chosen.serial if self._chosen else None
        self._views = views
        self.cards.blockSignals(True)  # noqa: FBT003 - Qt's signature
        self.cards.clear()
        for view in views:
            self.cards.addItem(_card_words(view))
        serials = [view.serial for view in views]
        self.cards.setCurrentIndex(serials.index(kept) if kept in serials else min(0, len(views) - 1))
        self.cards.blockSignals(False)  # noqa: FBT003
        self.cards.setEnabled(len(views) > 1)
        self._show_chosen()

    @property
    def _chosen(self) -> CardView | None:
        index = self.cards.currentIndex()
        return self._views[index] if 0 <= index < len(self._views) else None

    @Slot()
    def _show_chosen(self) -> None:
        view = self._chosen
        entries = content_of(view, (), now=self._clock()) if view else ()
        self.chooser.setVisible(view is not None)
        self.tabs.setVisible(view is not None)
        self._fit_buttons()
        self._show_codes(view)
        self._show_verdict(view)
        usable = view if view and view.final != "puk-locked" else None
        self.content.show_card(view, entries, opened=False)
        self.change.show_card(usable)
        self.unblock.show_card(usable)

    @Slot()
    def _fit_buttons(self) -> None:
        """Show the button of the form that is shown."""
        for place, form in ((1, self.change), (2, self.unblock)):
            form.button.setVisible(self._chosen is not None and self.tabs.currentIndex() == place)

    def _show_codes(self, view: CardView | None) -> None:
        if view is None:
            self.codes.setText("")
            return
        (pin_tone, pin), (puk_tone, puk) = CODE_STATES[view.pin], CODE_STATES[view.puk]
        self.codes.setText(tr("PIN: {pin} · PUK: {puk}", pin=tr(pin), puk=tr(puk)))
        worst = max(pin_tone, puk_tone, key=[Tone.OK, Tone.WAIT, Tone.DANGER].index)
        self.codes.setProperty("toneText", str(worst) if worst is not Tone.OK else "")
        pieces.redress(self.codes)

    def _show_verdict(self, view: CardView | None) -> None:
        """Say that there is no card, or what is final about it; nothing where all is well."""
        code = "card-absent" if view is None else view.final
        self.notice.setVisible(code is not None)
        if code is None:
            return
        message = message_for(code)
        tone = Tone.NEUTRAL if view is None else Tone.DANGER
        self.notice.say(tone, message.text, f"{message.cause} {message.advice}".strip(), code)
        pieces.announce(self.notice, self.notice.text)

    def _fail(self, problem: ClientError) -> None:
        """Show that the cards cannot be read at all."""
        self._show_cards(())
        message = words_for(problem)
        self.notice.say(Tone.DANGER, message.text, f"{message.cause} {message.advice}".strip(), problem.code)

    # Using a code.

    @Slot(object, object)
    def _change(self, pin: Secret, new_pin: Secret) -> None:
        self._use(
            self.change,
            lambda card, serial: tools.change_pin(card, serial, pin, new_pin),
            tr("Il PIN è stato cambiato."),
        )

    @Slot(object, object)
    def _unblock(self, puk: Secret, new_pin: Secret) -> None:
        self._use(
            self.unblock,
            lambda card, serial: tools.unblock_pin(card, serial, puk, new_pin),
            tr("Il PIN è stato sbloccato."),
        )

    def _use(self, form: NewPinForm, work: Callable[[Card, str], object], success: str) -> None:
        view = self._chosen
        if view is None:
            return

        def done(_view: object) -> None:
            self._reload_then(lambda: form.show_done(success, tr("Da ora la carta si apre con il nuovo PIN.")))

        self.errands.start(
            lambda _errand: work(self._card(), view.serial),
            done=done,
            failed=lambda problem: self._reload_then(lambda: form.show_problem(problem)),
        )

    def _reload_then(self, then: Callable[[], None]) -> None:
        """Read the counters afresh before a word is said: the warnings must already be those of the next try."""

        def done(views: tuple[CardView, ...]) -> None:
            self._show_cards(views)
            then()

        self.errands.start(lambda _errand: tools.cards_present(self._card()), done=done, failed=self._fail)

    @Slot(object)
    def _open(self, pin: Secret) -> None:
        view = self._chosen
        if view is None:
            return

        def done(entries: Sequence[ContentEntry]) -> None:
            self.content.show_card(view, entries, opened=True)

        self.errands.start(
            lambda _errand: tools.read_content(self._card(), view.serial, pin, now=self._clock()),
            done=done,
            failed=lambda problem: self._reload_then(lambda: self.content.show_problem(problem)),
        )

    @Slot(bool)
    def _show_busy(self, busy: bool) -> None:  # noqa: FBT001 - a signal's argument
        for panel in (self.change, self.unblock, self.content):
            panel.set_busy(busy=busy)


def _tab(panel: QWidget) -> QWidget:
    """Give a panel its distance from the tabs above it."""
    around = QWidget()
    lines = QVBoxLayout(around)
    lines.setContentsMargins(0, pieces.SPACE[3], 0, 0)
    lines.addWidget(panel)
    return around


def _card_words(view: CardView) -> str:
    return " · ".join(part for part in (view.serial, view.family or "", view.reader) if part)
