"""The content of a card: each certificate with its keys, whom and what for, until when, and whether they fit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from cardclient.content import CertificateFacts, ContentEntry, Match, Usage, Validity
from cardclient.contract import Slot
from cardclient.errors import ClientError, PinLength, WrongPin
from cardclient.messages import message_for, words_for
from cardclient.ports import CardView, KeyKind, SecretKind
from cardclient.ui import pieces
from cardclient.ui.dialog import column, scrolling
from cardclient.ui.fields import CodeField
from cardclient.ui.pin_forms import CodeStateLines
from cardclient.ui.theme import Tone
from cardclient.words import marked, tr

SLOTS = {
    Slot.AUTHENTICATION: marked("Certificato di autenticazione"),
    Slot.SIGNATURE: marked("Certificato di firma"),
    None: marked("Altro certificato"),
}
VALIDITY = {
    Validity.VALID: (Tone.OK, marked("In corso di validità")),
    Validity.EXPIRED: (Tone.DANGER, marked("Scaduto")),
    Validity.NOT_YET: (Tone.WAIT, marked("Non ancora valido")),
}
MATCH = {
    Match.CERTAIN: marked("Presente, corrisponde al certificato"),
    Match.BY_ID: marked("Presente, con lo stesso identificativo del certificato"),
    Match.OTHER_KEY: marked("Presente, ma non corrisponde al certificato: il certificato non è utilizzabile"),
    Match.NO_KEY: marked("Non presente: il certificato non è utilizzabile"),
}
USAGES = {
    Usage.SIGNING: marked("firma digitale"),
    Usage.NON_REPUDIATION: marked("non ripudio"),
    Usage.KEY_ENCIPHERMENT: marked("cifratura di chiavi"),
    Usage.DATA_ENCIPHERMENT: marked("cifratura di dati"),
    Usage.KEY_AGREEMENT: marked("scambio di chiavi"),
    Usage.CLIENT_LOGIN: marked("autenticazione ai siti"),
    Usage.MAIL: marked("posta elettronica"),
    Usage.SMART_CARD_LOGON: marked("accesso al computer"),
}
HIDDEN_KEYS = marked("Le chiavi private si vedono dopo il PIN")


class ContentPanel(QWidget):
    """What a card shows without PIN at once, its private keys after the PIN; `asked` carries the PIN."""

    asked = Signal(object)  # Secret

    def __init__(self) -> None:
        """Start without a card."""
        super().__init__()
        self.state = CodeStateLines(SecretKind.PIN)
        self.pin = CodeField(tr("PIN"), width=220)
        self.pin.entered.connect(self.submit)
        self.button = pieces.primary(tr("Mostra le chiavi"))
        self.button.clicked.connect(self.submit)
        self.state.allowed.connect(self._fit)
        self._has_card, self._busy = False, False
        self._place = QVBoxLayout()
        row = QHBoxLayout()
        row.setSpacing(pieces.SPACE[2])
        row.addWidget(self.pin)
        row.addWidget(_beside_field(self.button), 0, Qt.AlignmentFlag.AlignTop)
        row.addStretch(1)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(pieces.SPACE[2])
        lines.addWidget(self.state)
        lines.addLayout(row)
        lines.addLayout(self._place, 1)
        self.entries: tuple[ContentEntry, ...] = ()
        self._list: QWidget | None = None
        self._fit()

    def show_card(self, view: CardView | None, entries: Sequence[ContentEntry], *, opened: bool) -> None:
        """Show a card's content, `opened` with its private keys; None clears all of it."""
        self.pin.take()
        self.pin.set_error("")
        self._has_card = view is not None
        if view is not None:
            self.state.show_state(view.pin)
        self.entries = tuple(entries)
        self._replace(_listing(self.entries, opened=opened) if view else pieces.muted(""))
        self._fit()

    def submit(self) -> None:
        """Take the PIN out of the field and ask for the content."""
        if not self.button.isEnabled():
            return
        pin = self.pin.take()
        self.pin.set_error("" if pin else message_for("pin-prompt").text)
        if pin:
            self.asked.emit(pin)

    def show_problem(self, problem: ClientError) -> None:
        """Say why the content stays closed: under the PIN where it is about the PIN, else in its place."""
        message = words_for(problem)
        if isinstance(problem, WrongPin | PinLength):
            self.pin.set_error(message.text)
            return
        box = pieces.NoticeBox(Tone.DANGER, message.text, f"{message.cause} {message.advice}".strip(), problem.code)
        self._replace(box)
        pieces.announce(box, box.text)

    def set_busy(self, *, busy: bool) -> None:
        """Stop a second click while the card is working."""
        self._busy = busy
        self._fit()

    def _replace(self, widget: QWidget) -> None:
        if self._list is not None:
            self._place.removeWidget(self._list)
            self._list.hide()
            self._list.deleteLater()
        self._list = widget
        self._place.addWidget(widget)
        widget.show()  # at once, not with Qt's next round

    def _fit(self) -> None:
        usable = self._has_card and not self._busy
        self.pin.setEnabled(usable)
        self.button.setEnabled(usable and self.state.is_allowed)


def _beside_field(button: QWidget) -> QWidget:
    """Put a button beside a field's line, which stands under its label."""
    around = QWidget()
    lines = QVBoxLayout(around)
    lines.setContentsMargins(0, 0, 0, 0)
    lines.setSpacing(pieces.SPACE[0])
    above = QLabel(" ")
    above.setProperty("role", "label")
    lines.addWidget(above)
    lines.addWidget(button)
    return around


def _listing(entries: Sequence[ContentEntry], *, opened: bool) -> QWidget:
    """Show the entries one under the other."""
    if not entries:
        return pieces.NoticeBox(Tone.WAIT, tr("Sulla carta non si vede alcun certificato."))
    content, lines = column()
    for entry in entries:
        lines.addWidget(entry_rows(entry, opened=opened))
    return scrolling(content)


def entry_rows(entry: ContentEntry, *, opened: bool) -> pieces.DetailRows:
    """Show one entry as rows of name and value."""
    if not entry.has_certificate:
        title = tr("Chiavi senza certificato")
    else:
        title = tr(SLOTS[entry.facts.slot]) if entry.facts else tr("Certificato non leggibile")
    rows = list(_certificate_rows(entry.facts)) if entry.facts else []
    keys = tr(MATCH[entry.match]) if entry.match and opened else tr(HIDDEN_KEYS)
    rows += [
        (tr("Chiave"), key_words(entry.key)),
        (tr("Chiave privata"), keys if entry.has_certificate else str(entry.private_keys)),
        (tr("Nome sulla carta"), entry.label),
        (tr("Identificativo"), entry.id.hex()),
    ]
    return pieces.DetailRows(rows, title)


def _certificate_rows(facts: CertificateFacts) -> tuple[tuple[str, str], ...]:
    _, state = VALIDITY[facts.validity]
    return (
        (tr("Stato"), tr(state)),
        (tr("Titolare"), facts.holder),
        (tr("Emesso da"), facts.issuer),
        (tr("Validità"), tr("dal {start} al {end}", start=instant(facts.not_before), end=instant(facts.not_after))),
        (tr("Uso"), ", ".join(tr(USAGES[each]) for each in facts.usages)),
        (tr("Numero di serie"), facts.serial),
    )


def key_words(key: KeyKind | None) -> str:
    """Name a kind of key as people know it: RSA 2048, EC P-256."""
    if key is None:
        return ""
    return f"RSA {key.bits}" if key.kind == "rsa" else f"EC P-{key.bits}"


def instant(moment: datetime) -> str:
    """Write an instant as day and hour of this computer's time zone."""
    return moment.astimezone().strftime("%d/%m/%Y, %H:%M")
