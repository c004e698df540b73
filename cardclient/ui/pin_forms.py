"""The two forms that give a card a new PIN: knowing the old one, or with the PUK. Refusals stand under their field."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from cardclient.errors import ClientError, PinLength, WrongPin, WrongPuk
from cardclient.messages import message_for, words_for
from cardclient.new_pin import Weakness
from cardclient.ports import CardView, CodeLengths, CodeState, SecretKind
from cardclient.ui import pieces
from cardclient.ui.fields import CheckLine, CodeField, words_on_length
from cardclient.ui.theme import Tone
from cardclient.words import marked, tr

WEAK = {
    Weakness.REPEATED: marked("Il nuovo PIN ripete le stesse cifre: scegline uno meno prevedibile."),
    Weakness.SEQUENCE: marked("Il nuovo PIN è una sequenza di cifre vicine: scegline uno meno prevedibile."),
    Weakness.BIRTH_DATE: marked("Il nuovo PIN ricorda la tua data di nascita: scegline uno meno prevedibile."),
    Weakness.TAX_CODE: marked("Il nuovo PIN contiene cifre del tuo codice fiscale: scegline uno meno prevedibile."),
    Weakness.CARD_SERIAL: marked("Il nuovo PIN è una parte del numero della carta: scegline uno meno prevedibile."),
    Weakness.OTHER_CODE: marked("Il nuovo PIN è uguale a un altro codice della carta: scegline uno diverso."),
}
NEW_PIN_HINT = marked("Da 5 a 8 cifre; non la data di nascita, cifre ripetute o in sequenza.")
LAST_TRY = {
    SecretKind.PIN: marked("Ho controllato il PIN e uso l'ultimo tentativo."),
    SecretKind.PUK: marked("Ho controllato il PUK e uso l'ultimo tentativo."),
}


class CodeStateLines(QWidget):
    """What a person must know of a PIN or PUK before he types it; on the last try he ticks that he may use it."""

    allowed = Signal(bool)

    def __init__(self, kind: SecretKind) -> None:
        """Show nothing until `show_state`."""
        super().__init__()
        self._kind = kind
        self.notice = pieces.NoticeBox(Tone.WAIT, "")
        self.leave = CheckLine(tr(LAST_TRY[kind]))
        self.leave.toggled.connect(self.allowed)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(pieces.SPACE[1])
        lines.addWidget(self.notice)
        lines.addWidget(self.leave)
        self.show_state(CodeState.OK)

    def show_state(self, state: CodeState) -> None:
        """Warn by the card's own flags; a driver's "locked" is a hint, only the card's refusal is believed."""
        key = {
            CodeState.TRIED: f"{self._kind}-tried",
            CodeState.LAST_TRY: f"{self._kind}-last-try",
            CodeState.LOCKED: f"{self._kind}-maybe-locked",
        }.get(state)
        self.setVisible(key is not None)
        self.leave.box.setChecked(False)
        self.leave.setVisible(state is CodeState.LAST_TRY)
        if key:
            message = message_for(key)
            tone = Tone.DANGER if state is CodeState.LAST_TRY else Tone.WAIT
            self.notice.say(tone, message.text or message.cause, message.advice, message.code)
        self.allowed.emit(self.is_allowed)

    @property
    def is_allowed(self) -> bool:
        """Whether the code may be asked for: always, but for a last try without the tick."""
        return self.leave.isHidden() or self.leave.is_ticked


class NewPinForm(QWidget):
    """One code that proves the right to a new PIN, and the new PIN twice. `asked` carries both, checked for form."""

    asked = Signal(object, object)  # Secret, Secret

    def __init__(self, kind: SecretKind, *, intro: str, label: str, action: str) -> None:
        """Build the form; `kind` is the code that proves, `action` the words of the button."""
        super().__init__()
        self.kind = kind
        self.result = pieces.NoticeBox(Tone.NEUTRAL, "")
        self.result.hide()
        self.state = CodeStateLines(kind)
        self.state.allowed.connect(self._fit)
        self.code = CodeField(label)
        self.new_pin = CodeField(tr("Nuovo PIN"))
        self.again = CodeField(tr("Ripeti il nuovo PIN"))
        self.new_pin.edit.setAccessibleDescription(tr(NEW_PIN_HINT))
        self.button = pieces.primary(action)  # stands at the bottom of the dialog, where it never scrolls away
        self.button.clicked.connect(self.submit)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(pieces.SPACE[3])
        for part in (pieces.lead(intro), self.result, self.state, self.code):
            lines.addWidget(part)
        pair = QHBoxLayout()
        pair.setSpacing(pieces.SPACE[4])
        for field in (self.new_pin, self.again):
            pair.addWidget(field, 1, Qt.AlignmentFlag.AlignTop)
        lines.addLayout(pair)
        lines.addWidget(pieces.muted(tr(NEW_PIN_HINT)))
        lines.addStretch(1)
        for field in (self.code, self.new_pin, self.again):
            field.entered.connect(self.submit)
        self._enabled, self._busy = False, False
        self._lengths = CodeLengths()
        self.show_card(None)

    def show_card(self, view: CardView | None) -> None:
        """Fit to a card: its counters, or nothing to do without one. What was typed or said before goes."""
        self.result.hide()
        for field in (self.code, self.new_pin, self.again):
            field.take()
            field.set_error("")
        self._enabled = view is not None
        if view is not None:
            self._lengths = view.lengths
            self.state.show_state(view.pin if self.kind is SecretKind.PIN else view.puk)
        self._fit()

    def submit(self) -> None:
        """Take the codes out of the fields; ask for the change, or say under a field what is wrong with it."""
        if not self.button.isEnabled():
            return
        code, new_pin, again = self.code.take(), self.new_pin.take(), self.again.take()
        for field in (self.code, self.new_pin, self.again):
            field.set_error("")
        if not code:
            self.code.set_error(self._words_if_empty())
        elif not new_pin:
            self.new_pin.set_error(tr("Scrivi il nuovo PIN."))
        elif new_pin.reveal() != again.reveal():
            self.new_pin.set_error(tr("I due nuovi PIN non sono uguali: scrivili di nuovo."))
        else:
            self.result.hide()
            self.asked.emit(code, new_pin)

    def show_done(self, title: str, text: str) -> None:
        """Say that the card has its new PIN."""
        self._say(Tone.OK, title, text)

    def show_problem(self, problem: ClientError) -> None:
        """Say what was refused: under the field it belongs to, or above the form where it is about the card."""
        message = words_for(problem)
        if isinstance(problem, WrongPin | WrongPuk):
            self.code.set_error(message.text)
        elif isinstance(problem, PinLength):
            self._show_length(problem, message.text)
        else:
            self._say(Tone.DANGER, message.text, f"{message.cause} {message.advice}".strip(), problem.code)

    def _show_length(self, problem: PinLength, words: str) -> None:
        if problem.operation == self.kind:
            self.code.set_error(words_on_length(self._lengths.of(self.kind)))
        elif problem.code == "pin-weak":
            weak = WEAK.get(Weakness(problem.operation)) if problem.operation in list(Weakness) else None
            self.new_pin.set_error(tr(weak) if weak else words)
        else:
            self.new_pin.set_error(words_on_length(self._lengths.new_pin))

    def _words_if_empty(self) -> str:
        return message_for(f"{self.kind}-prompt").text if self.kind is SecretKind.PUK else tr("Scrivi il PIN attuale.")

    def _say(self, tone: Tone, title: str, text: str, code: str = "") -> None:
        self.result.say(tone, title, text, code)
        self.result.show()
        pieces.announce(self.result, self.result.text)

    def set_busy(self, *, busy: bool) -> None:
        """Stop a second click while the card is working."""
        self._busy = busy
        self._fit()

    def _fit(self) -> None:
        usable = self._enabled and not self._busy
        for field in (self.code, self.new_pin, self.again):
            field.setEnabled(usable)
        self.button.setEnabled(usable and self.state.is_allowed)


def change_form() -> NewPinForm:
    """Return the form that changes a PIN whose old one is known."""
    return NewPinForm(
        SecretKind.PIN,
        intro=tr("Scegli un nuovo PIN per la carta. Annotalo in un posto sicuro: nessuno può leggerlo dalla carta."),
        label=tr("PIN attuale"),
        action=tr("Cambia il PIN"),
    )


def unblock_form() -> NewPinForm:
    """Return the form that opens a locked or forgotten PIN."""
    return NewPinForm(
        SecretKind.PUK,
        intro=tr("Se il PIN è bloccato o dimenticato, il PUK ricevuto con la carta permette di sceglierne uno nuovo."),
        label=tr("PUK"),
        action=tr("Sblocca il PIN"),
    )
