"""The shared pieces of the window: texts, notices, details, links. One of each, used by every page and dialog.

Every piece has an accessible name, wraps its text, and says by words what it says by colour.
"""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QAccessibleEvent, QDesktopServices
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from cardclient.ui.theme import Tone
from cardclient.words import marked, tr

SPACE = (4, 8, 12, 16, 24, 32, 48)  # the scale of distances, px at 100 %
READABLE = Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
SAFE_SCHEMES = frozenset({"https", "mailto"})  # what the window opens in the person's browser or mail program

# Sign and spoken word of each tone: colour alone says nothing to who cannot see it.
SIGNS = {
    Tone.NEUTRAL: ("i", marked("Informazione")),
    Tone.OK: ("✓", marked("Esito positivo")),
    Tone.WAIT: ("!", marked("Attenzione")),
    Tone.DANGER: ("✕", marked("Errore")),
}


def heading(text: str) -> QLabel:
    """Return a page's title."""
    return _label(text, "heading")


def subheading(text: str) -> QLabel:
    """Return the title of a part of a page."""
    return _label(text, "subheading")


def lead(text: str) -> QLabel:
    """Return a paragraph."""
    return _label(text, "lead")


def muted(text: str) -> QLabel:
    """Return secondary text."""
    return _label(text, "muted")


def _label(text: str, role: str) -> QLabel:
    made = QLabel(text)
    made.setProperty("role", role)
    made.setWordWrap(True)
    made.setTextFormat(Qt.TextFormat.PlainText)  # what office or card say is never read as markup
    return made


def primary(text: str) -> QPushButton:
    """Return the one main button of a page."""
    return _button(text, "primary")


def secondary(text: str) -> QPushButton:
    """Return any other button."""
    return _button(text, "secondary")


def dangerous(text: str) -> QPushButton:
    """Return the button of something that cannot be undone; outlined, never filled."""
    return _button(text, "danger")


def link(text: str) -> QPushButton:
    """Return a button that looks like a link; connect `clicked`."""
    return _button(text, "link")


def external_link(text: str, address: str) -> QPushButton:
    """Return a link that opens the person's browser or mail program; disabled for anything but https and mailto."""
    made = link(text)
    target = QUrl(address)
    made.setToolTip(address)
    made.setEnabled(target.scheme() in SAFE_SCHEMES)
    made.clicked.connect(lambda: QDesktopServices.openUrl(target))
    return made


def _button(text: str, role: str) -> QPushButton:
    made = QPushButton(text)
    made.setProperty("role", role)
    made.setAccessibleName(text)
    made.setAutoDefault(role != "link")
    made.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    if role == "link":
        made.setCursor(Qt.CursorShape.PointingHandCursor)
    return made


class NoticeBox(QFrame):
    """A notice in one of four tones: sign, title, text and, at the end in small grey, the code to quote."""

    def __init__(self, tone: Tone, title: str, text: str = "", code: str = "") -> None:
        """Show title, text and code; empty ones are left out."""
        super().__init__()
        self._sign = _label("", "sign")
        self._sign.setWordWrap(False)
        self._title = _label("", "notice-title")
        self._text = _label("", "lead")
        self._code = _label("", "code")
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._code.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        lines = QVBoxLayout()
        lines.setSpacing(SPACE[0])
        for each in (self._title, self._text, self._code):
            lines.addWidget(each)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE[3], SPACE[2], SPACE[3], SPACE[2])
        row.setSpacing(SPACE[2])
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(lines, 1)
        self.say(tone, title, text, code)

    def say(self, tone: Tone, title: str, text: str = "", code: str = "") -> None:
        """Show something else in the same place; does not announce itself (see `announce`)."""
        sign, word = SIGNS[tone]
        self._sign.setText(sign)
        self._sign.setAccessibleName(tr(word))
        for label, content in ((self._title, title), (self._text, text), (self._code, f"[{code}]" if code else "")):
            label.setText(content)
            label.setVisible(bool(content))
        self.setProperty("tone", str(tone))
        self.setAccessibleName(" ".join(part for part in (tr(word) + ":", title, text) if part))
        redress(self)

    @property
    def text(self) -> str:
        """Return what stands in the box, line by line."""
        parts = (self._title.text(), self._text.text(), self._code.text())
        return "\n".join(part for part in parts if part)


class DetailRows(QFrame):
    """Facts as rows of name and value; values can be selected and copied."""

    def __init__(self, rows: Iterable[tuple[str, str]], title: str = "") -> None:
        """Show the rows with a value; the others are left out."""
        super().__init__()
        self.setProperty("role", "card")
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(SPACE[3], SPACE[2], SPACE[3], SPACE[2])
        self._grid.setHorizontalSpacing(SPACE[4])
        self._grid.setVerticalSpacing(SPACE[0])
        self._grid.setColumnStretch(1, 1)
        self.rows: list[tuple[str, str]] = []
        if title:
            self._grid.addWidget(subheading(title), 0, 0, 1, 2)
        for name, value in rows:
            self.add(name, value)

    def add(self, name: str, value: str) -> None:
        """Add one row, unless there is no value."""
        if not value:
            return
        row = self._grid.rowCount()
        label, shown = muted(name), lead(value)
        label.setWordWrap(False)
        label.setBuddy(shown)
        shown.setTextInteractionFlags(READABLE)
        shown.setAccessibleName(f"{name}: {value}")
        self._grid.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(shown, row, 1)
        self.rows.append((name, value))


def announce(widget: QWidget, text: str) -> None:
    """Have a screen reader say the text at once: as an alert for old ones, as an announcement for new ones."""
    QAccessible.updateAccessibility(QAccessibleEvent(widget, QAccessible.Event.Alert))
    spoken = QAccessibleAnnouncementEvent(widget, text)
    spoken.setPoliteness(QAccessible.AnnouncementPoliteness.Assertive)
    QAccessible.updateAccessibility(spoken)


def redress(widget: QWidget) -> None:
    """Have the style sheet look again at a widget whose role or tone has changed."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    for child in widget.findChildren(QLabel):
        child.style().unpolish(child)
        child.style().polish(child)
