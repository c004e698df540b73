"""The category `Proxy` of the preferences, with the guide's labels: kind, host, port, credentials."""

from __future__ import annotations

import sys

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QButtonGroup, QComboBox, QHBoxLayout, QLabel, QRadioButton, QVBoxLayout, QWidget

from cardclient.messages import message_for
from cardclient.preferences import ProxyChoice, ProxyKind
from cardclient.secret import Secret
from cardclient.ui import pieces
from cardclient.ui.fields import CheckLine, Field
from cardclient.ui.password import PasswordField
from cardclient.words import marked, tr

# The guide's words (SogeiExtend, `Preferenze` › `Proxy`).
WAYS = (
    (ProxyKind.NONE, marked("Nessun Proxy")),
    (ProxyKind.SYSTEM, marked("Usa configurazione di sistema")),
    (None, marked("Configurazione manuale")),
)
KINDS = {ProxyKind.HTTP: "HTTP", ProxyKind.SOCKS4: "SOCKS4", ProxyKind.SOCKS5: "SOCKS5", ProxyKind.NTLM: "NTLM"}
NO_KEYRING = marked("Questo computer non ha un portachiavi di sistema: la password sarà chiesta a ogni collegamento.")
IN_KEYRING = marked("La password è conservata nel portachiavi di sistema, mai nel file delle preferenze.")


class ProxyForm(QWidget):
    """What is set and typed. `changed` whenever it is; the password leaves the field through `take_password` only."""

    changed = Signal()

    def __init__(self, choice: ProxyChoice) -> None:
        """Show a choice."""
        super().__init__()
        self._keyring = True
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(pieces.SPACE[1])
        lines.addWidget(pieces.subheading(tr("Proxy")))
        self._add_ways(lines)
        self.manual = QWidget()
        self._build_manual(choice)
        lines.addWidget(self.manual)
        lines.addStretch(1)
        self._show(choice)

    def _add_ways(self, lines: QVBoxLayout) -> None:
        self.ways = QButtonGroup(self)
        for place, (_, text) in enumerate(WAYS):
            button = QRadioButton(tr(text))
            self.ways.addButton(button, place)
            lines.addWidget(button)
        self.ways.idToggled.connect(self._fit)

    def _build_manual(self, choice: ProxyChoice) -> None:
        self.kind = QComboBox()
        for each, words in KINDS.items():
            self.kind.addItem(words, each)
        self.kind.setAccessibleName(tr("Tipo"))
        self.kind.setMaximumWidth(180)
        self.kind.currentIndexChanged.connect(self._fit)
        name = QLabel(tr("Tipo"))
        name.setProperty("role", "label")
        name.setBuddy(self.kind)
        self.host = Field(tr("Host"), choice.host, width=360)
        self.port = Field(tr("Porta"), str(choice.port or ""), width=110)
        self.port.edit.setMaxLength(5)
        self.port.setMinimumWidth(170)  # its error stands under it
        self.username = Field(tr("Nome utente"), choice.username)
        self.password = PasswordField(tr("Password"))
        self.ask_each_time = CheckLine(tr("Chiedi la password a ogni collegamento"))
        self.keeping = pieces.muted(tr(IN_KEYRING))
        lines = QVBoxLayout(self.manual)
        lines.setContentsMargins(pieces.SPACE[5], 0, 0, 0)
        lines.setSpacing(pieces.SPACE[1])
        kind = QVBoxLayout()
        kind.setSpacing(pieces.SPACE[0])
        kind.addWidget(name)
        kind.addWidget(self.kind)
        lines.addLayout(_row(kind, self.host, self.port, grows=(self.host,)))
        credentials = QLabel(tr("Credenziali d'accesso"))
        credentials.setProperty("role", "label")
        lines.addWidget(credentials)
        lines.addLayout(_row(self.username, self.password, grows=(self.username, self.password)))
        lines.addWidget(self.ask_each_time)
        lines.addWidget(self.keeping)
        for field in (self.host, self.port, self.username, self.password):
            field.edit.textChanged.connect(self.changed)
        self.ask_each_time.toggled.connect(self._fit)

    def _show(self, choice: ProxyChoice) -> None:
        place = next(place for place, (kind, _) in enumerate(WAYS) if kind in {choice.kind, None})
        self.ways.button(place).setChecked(True)
        self.kind.setCurrentIndex(list(KINDS).index(choice.kind) if choice.kind.is_manual else 0)
        self.ask_each_time.box.setChecked(choice.ask_each_time)
        self._fit()

    def know_keyring(self, *, available: bool, kept: bool) -> None:
        """Say whether a password can be kept, and whether one is."""
        self._keyring = available
        self.password.edit.setPlaceholderText(tr("conservata") if kept else "")
        self._fit()

    @property
    def choice(self) -> ProxyChoice:
        """What is set now, right or not; see `problem`."""
        chosen = WAYS[self.ways.checkedId()][0]
        kind = chosen or self.kind.currentData()
        port = self.port.value
        return ProxyChoice(
            kind=ProxyKind(kind),
            host=self.host.value,
            port=int(port) if port.isascii() and port.isdecimal() else 0,
            username=self.username.value,
            ask_each_time=self.ask_each_time.is_ticked or not self._keyring,
        )

    def show_problems(self) -> bool:
        """Say under the fields what cannot be used; True when there is something."""
        self.port.set_error("")
        self.host.set_error("")
        code = self.choice.problem
        if code == "proxy-port-wrong":
            self.port.set_error(message_for(code).text)
        elif code:
            self.host.set_error(message_for(code).text)
        return code is not None

    def take_password(self) -> Secret:
        """Return the password typed, and empty its field."""
        return self.password.take()

    @Slot()
    def _fit(self) -> None:
        """Enable the fields that count for the kind chosen; SOCKS4 knows a user's name only."""
        manual = WAYS[self.ways.checkedId()][0] is None
        kind = self.kind.currentData()
        self.manual.setEnabled(manual)
        has_password = manual and kind != ProxyKind.SOCKS4
        self.password.setEnabled(has_password)
        self.ask_each_time.setEnabled(has_password and self._keyring)
        self.keeping.setText(tr(IN_KEYRING) if self._keyring else tr(NO_KEYRING))
        windows = kind == ProxyKind.NTLM and sys.platform == "win32"
        hint = tr("vuoto: utente di Windows") if windows else ""
        self.username.edit.setPlaceholderText(hint or ("DOMINIO\\utente" if kind == ProxyKind.NTLM else ""))
        self.changed.emit()


def _row(*parts: QWidget | QVBoxLayout, grows: tuple[QWidget, ...]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(pieces.SPACE[3])
    for part in parts:
        if isinstance(part, QVBoxLayout):
            row.addLayout(part)
            row.setAlignment(part, Qt.AlignmentFlag.AlignTop)
        else:
            row.addWidget(part, 1 if part in grows else 0, Qt.AlignmentFlag.AlignTop)
    return row
