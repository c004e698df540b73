"""*Prova la carta*: after the PIN each key signs a text of our own; chain and status of its certificate are told."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from cardclient.errors import ClientError, PinLength, WrongPin
from cardclient.messages import message_for, words_for
from cardclient.ports import CardView, SecretKind
from cardclient.secret import Secret
from cardclient.support.check import KeyCheck
from cardclient.support.readable import check_lines
from cardclient.ui import pieces
from cardclient.ui.fields import CodeField
from cardclient.ui.pin_forms import CodeStateLines
from cardclient.ui.theme import Tone
from cardclient.words import tr


class CardCheckPanel(QWidget):
    """Asks for the PIN of one card and shows a line for each of its certificates; `asked` carries serial and PIN."""

    asked = Signal(str, object)  # serial, Secret

    def __init__(self) -> None:
        """Start without a card."""
        super().__init__()
        self._views: tuple[CardView, ...] = ()
        self._busy = False
        self.cards = QComboBox()
        self.cards.setAccessibleName(tr("Carta"))
        self.cards.currentIndexChanged.connect(self._show_chosen)
        name = QLabel(tr("Carta"))
        name.setProperty("role", "label")
        name.setBuddy(self.cards)
        self.state = CodeStateLines(SecretKind.PIN)
        self.state.allowed.connect(self._fit)
        self.pin = CodeField(tr("PIN"), width=220)
        self.pin.entered.connect(self.submit)
        self.button = pieces.primary(tr("Prova la carta"))
        self.button.clicked.connect(self.submit)
        self.notice = pieces.NoticeBox(Tone.NEUTRAL, "")
        self.results = QVBoxLayout()
        self.results.setSpacing(pieces.SPACE[1])
        intro = tr("Ogni chiave della carta firma un testo di prova, e si verifica lo stato del suo certificato.")
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, pieces.SPACE[2], 0)
        lines.setSpacing(pieces.SPACE[2])
        chooser = QHBoxLayout()
        chooser.setSpacing(pieces.SPACE[2])
        chooser.addWidget(name)
        chooser.addWidget(self.cards, 1)
        lines.addWidget(pieces.lead(intro))
        lines.addLayout(chooser)
        for part in (self.state, self.pin, self.notice):
            lines.addWidget(part)
        lines.addLayout(self.results)
        lines.addStretch(1)
        self._needs_card = (name, self.cards, self.pin)
        self.show_cards(())

    def show_cards(self, views: Sequence[CardView]) -> None:
        """Offer the cards that are in; what was typed for another one goes."""
        kept = self._chosen.serial if self._chosen else None
        self._views = tuple(views)
        self.cards.blockSignals(True)  # noqa: FBT003 - Qt's signature
        self.cards.clear()
        self.cards.addItems([" · ".join(part for part in (each.serial, each.family or "") if part) for each in views])
        serials = [each.serial for each in views]
        self.cards.setCurrentIndex(serials.index(kept) if kept in serials else min(0, len(serials) - 1))
        self.cards.blockSignals(False)  # noqa: FBT003
        self.cards.setEnabled(len(serials) > 1)
        for part in self._needs_card:
            part.setVisible(bool(serials))
        if serials:
            self.notice.hide()
        else:
            self._say(Tone.NEUTRAL, message_for("card-absent").text, message_for("card-absent").advice)
        self._show_chosen()

    @property
    def _chosen(self) -> CardView | None:
        index = self.cards.currentIndex()
        return self._views[index] if 0 <= index < len(self._views) else None

    @Slot()
    def _show_chosen(self) -> None:
        self.pin.take()
        self.pin.set_error("")
        if view := self._chosen:
            self.state.show_state(view.pin)
        else:
            self.state.hide()
        self._fit()

    @Slot()
    def submit(self) -> None:
        """Take the PIN out of its field and ask for the check."""
        view = self._chosen
        if view is None or not self.button.isEnabled():
            return
        pin: Secret = self.pin.take()
        self.pin.set_error("" if pin else message_for("pin-prompt").text)
        if pin:
            self._clear()
            self._say(Tone.NEUTRAL, tr("Prova della carta in corso, attendere..."), tr("Lascia la carta nel lettore."))
            self.asked.emit(view.serial, pin)

    def add(self, check: KeyCheck) -> None:
        """Show one certificate's line as soon as it is known."""
        for title, words in check_lines([check]):
            self.results.addWidget(pieces.NoticeBox(_tone(check), title, words))

    def show_done(self, checks: Sequence[KeyCheck]) -> None:
        """Say what came of all of them."""
        if checks and all(each.passed for each in checks) and not all(each.verified for each in checks):
            message = message_for("check-unverified")
            self._say(Tone.WAIT, message.text, message.advice, message.code)
        elif checks and all(each.passed for each in checks):
            self._say(Tone.OK, tr("La carta funziona: tutte le chiavi firmano."), "")
        elif checks:
            words = tr("Leggi qui sotto che cosa non va e comunicalo al tuo CDRL.")
            self._say(Tone.DANGER, tr("Qualcosa sulla carta non va."), words)
        else:
            self._say(Tone.WAIT, tr("Sulla carta non si vede alcun certificato."), "")

    def show_problem(self, problem: ClientError) -> None:
        """Say why the check did not run: under the PIN where it is about the PIN."""
        message = words_for(problem)
        if isinstance(problem, WrongPin | PinLength):
            self.notice.hide()
            self.pin.set_error(message.text)
        else:
            self._say(Tone.DANGER, message.text, f"{message.cause} {message.advice}".strip(), problem.code)

    def set_busy(self, *, busy: bool) -> None:
        """Stop a second click while the card is working."""
        self._busy = busy
        self._fit()

    def _clear(self) -> None:
        while (item := self.results.takeAt(0)) is not None:
            if widget := item.widget():
                widget.deleteLater()

    def _say(self, tone: Tone, title: str, text: str, code: str = "") -> None:
        self.notice.say(tone, title, text, code)
        self.notice.show()
        pieces.announce(self.notice, self.notice.text)

    @Slot()
    def _fit(self) -> None:
        usable = self._chosen is not None and not self._busy
        self.pin.setEnabled(usable)
        self.button.setEnabled(usable and self.state.is_allowed)


def _tone(check: KeyCheck) -> Tone:
    """Bad, good, or "nothing speaks against it": what could not be asked is not said to be well."""
    if not check.passed:
        return Tone.DANGER
    return Tone.OK if check.verified else Tone.WAIT
