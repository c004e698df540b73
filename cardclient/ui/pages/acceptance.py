"""Texts to read and accept: the encryption warning, a renewal's contract, an extension's terms and privacy notice."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFrame, QPlainTextEdit, QVBoxLayout, QWidget

from cardclient.contract import Text
from cardclient.ui import pieces
from cardclient.ui.fields import CheckLine
from cardclient.ui.page import Page
from cardclient.ui.pieces import NoticeBox
from cardclient.ui.theme import Tone
from cardclient.words import tr


class EncryptionPage(Page):
    """The warning that what was encrypted for the old key can no longer be read; its own tick, no default."""

    def __init__(self, text: Text, purchase_url: str = "") -> None:
        """Show the office's text; `purchase_url` is the way out for who has encrypted with this card."""
        super().__init__(tr("Hai usato la carta per cifrare?"), needs_card=True)
        self.back_text, self.go_text = tr("INDIETRO"), tr("PROSEGUI")
        self.add(NoticeBox(Tone.WAIT, text.title, text.text))
        self.add(pieces.lead(tr("Se hai file o messaggi cifrati con questa carta, fermati: serve un nuovo acquisto.")))
        if purchase_url:
            self.add(pieces.external_link(tr("Acquista un nuovo servizio"), purchase_url))
        self.tick = CheckLine(tr("Ho capito: ciò che è stato cifrato con questa carta non si aprirà più."))
        self.tick.toggled.connect(lambda ticked: self.allow(go=ticked))
        self.add(self.tick)
        self.allow(go=False)

    def focus_first(self) -> bool:
        """Go to the tick: it is the question."""
        self.tick.setFocus()
        return True


class ContractsPage(Page):
    """Contract, clauses, privacy: each is opened, then ticked; answers True once all are."""

    def __init__(self, texts: Sequence[Text]) -> None:
        """List the texts in the office's order."""
        super().__init__(tr("Contratti e clausole"), needs_card=True)
        self.back_text, self.go_text = tr("INDIETRO"), tr("ACCETTA E PROSEGUI")
        self.add(pieces.lead(tr("Apri e leggi ciascun testo, poi spunta la casella per accettarlo.")))
        self.rows = [TextRow(each) for each in texts]
        for row in self.rows:
            row.tick.toggled.connect(self._fit)
            self.add(row)
        self._fit()

    def focus_first(self) -> bool:
        """Go to the first text."""
        self.rows[0].open_button.setFocus()
        return True

    def _fit(self) -> None:
        self.allow(go=all(row.tick.is_ticked for row in self.rows))


class TextRow(QFrame):
    """One text: the link that opens it, and the tick that opening allows."""

    def __init__(self, text: Text) -> None:
        """Start unopened and unticked."""
        super().__init__()
        self._text = text
        self.setProperty("role", "card")
        self.setAccessibleName(text.title)
        self.open_button = pieces.link(tr("Leggi: {title}", title=text.title))
        self.open_button.clicked.connect(self.open)
        self.tick = CheckLine(tr("Ho letto e accetto: {title}", title=text.title))
        self.tick.allow(allowed=False, why_not=tr("Prima apri il testo."))
        column = QVBoxLayout(self)
        column.setContentsMargins(pieces.SPACE[3], pieces.SPACE[2], pieces.SPACE[3], pieces.SPACE[2])
        column.addWidget(self.open_button)
        column.addWidget(pieces.muted(tr("Versione {version}", version=text.version)))
        column.addWidget(self.tick)

    def open(self) -> None:
        """Show the text; whoever closes it may tick."""
        self.reader = Reader(self._text, self)
        self.reader.finished.connect(self._opened)
        self.reader.open()

    def _opened(self) -> None:
        self.tick.allow(allowed=True)
        self.tick.setFocus()


class Reader(QDialog):
    """A text at full size, scrolled with the keyboard; Esc, Enter or the button closes it."""

    def __init__(self, text: Text, parent: QWidget) -> None:
        """Show the text."""
        super().__init__(parent)
        self.setWindowTitle(text.title)
        self.resize(720, 520)
        shown = text_view(text)
        buttons = QDialogButtonBox()
        close = pieces.primary(tr("CHIUDI"))
        buttons.addButton(close, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self.accept)
        column = QVBoxLayout(self)
        column.addWidget(pieces.heading(text.title))
        column.addWidget(shown, 1)
        column.addWidget(buttons)
        close.setDefault(True)
        shown.setFocus()


class _Reading(QPlainTextEdit):
    """Text to read; Enter and Tab go to the window, as nothing is written here."""

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        if event.text() in {"\r", "\n", "\t", "\x1b"}:
            event.ignore()
            return
        super().keyPressEvent(event)


def text_view(text: Text) -> QPlainTextEdit:
    """Return a text as a box to read: selectable, not writable, Tab leaves it."""
    shown = _Reading()
    shown.setPlainText(text.text)
    shown.setReadOnly(True)
    shown.setTabChangesFocus(True)
    shown.setAccessibleName(text.title)
    shown.setMinimumHeight(220)
    return shown


class TermsPage(Page):
    """An extension's terms of use: read here, confirmed with PROSEGUI (SogeiExtend §2)."""

    def __init__(self, text: Text) -> None:
        """Show the text in the page."""
        super().__init__(text.title, needs_card=True)
        self.back_text, self.go_text = tr("INDIETRO"), tr("PROSEGUI")
        self.add(pieces.lead(tr("Proseguendo confermi di aver letto le condizioni di utilizzo.")))
        self.view = text_view(text)
        self.fill_with(self.view)

    def focus_first(self) -> bool:
        """Go to the text, so that arrows and page keys scroll it; Enter goes on."""
        self.view.setFocus()
        return True


class PrivacyPage(Page):
    """An extension's privacy notice: `CHIUDI` stops, `RINNOVA` declares it seen (SogeiExtend §2)."""

    def __init__(self, text: Text) -> None:
        """Show declaration and text."""
        super().__init__(tr("Rinnovo certificato"), needs_card=True)
        self.back_text, self.go_text = tr("CHIUDI"), tr("RINNOVA")
        self.add(NoticeBox(Tone.WAIT, tr("Informativa privacy")))
        self.add(pieces.lead(tr("Dichiaro di aver preso visione dell'Informativa Privacy riportata qui sotto.")))
        self.fill_with(text_view(text))
