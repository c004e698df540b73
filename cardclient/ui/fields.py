"""Fields a person fills in: text, codes, ticks. Each has a label with a buddy and its error under it, announced."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QMouseEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from cardclient.ports import CodeLengths, Lengths
from cardclient.secret import Secret
from cardclient.ui import pieces
from cardclient.words import tr

WIDEST_CODE = max(CodeLengths().pin.longest, CodeLengths().puk.longest)


class Field(QWidget):
    """A labelled line of text with a hint and an error under it; `entered` is the Enter key."""

    entered = Signal()

    def __init__(self, label: str, value: str = "", *, hint: str = "", width: int = 420) -> None:
        """Show the label above the line; `width` is the widest it grows, in px at 100 %."""
        super().__init__()
        self.edit = self._make_edit()
        self.edit.setText(value)
        self.edit.setMaximumWidth(width)
        self.edit.setAccessibleName(label)
        self.edit.setAccessibleDescription(hint)
        self.edit.returnPressed.connect(self.entered)
        name = QLabel(label)
        name.setProperty("role", "label")
        name.setBuddy(self.edit)
        self._hint = pieces.muted(hint)
        self._hint.setVisible(bool(hint))
        self._error = QLabel()
        self._error.setProperty("role", "error")
        self._error.setWordWrap(True)
        self._error.setVisible(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(pieces.SPACE[0])
        for each in (name, self.edit, self._error, self._hint):
            column.addWidget(each)
        self.setFocusProxy(self.edit)

    def _make_edit(self) -> QLineEdit:
        return QLineEdit()

    @property
    def value(self) -> str:
        """Return the text without the blanks around it."""
        return self.edit.text().strip()

    @property
    def error(self) -> str:
        """Return the error shown, or an empty text."""
        return self._error.text()

    def set_error(self, text: str) -> None:
        """Show an error under the field, give it the focus and have it said; an empty text takes the error away."""
        self._error.setText(text)
        self._error.setAccessibleName(text)
        self._error.setVisible(bool(text))
        # Screen readers read the description with the field, so whoever comes back to it hears the error again.
        self.edit.setAccessibleDescription(text or self._hint.text())
        self.edit.setProperty("wrong", "true" if text else "false")
        pieces.redress(self.edit)
        if text:
            self.edit.setFocus()
            pieces.announce(self._error, text)


def words_on_length(lengths: Lengths) -> str:
    """Say how long a code is, to a person whose code cannot be right."""
    if lengths.shortest == lengths.longest:
        return tr("Il codice deve avere {count} cifre: nessun tentativo è stato consumato.", count=lengths.longest)
    shortest, longest = lengths.shortest, lengths.longest
    return tr(
        "Il codice deve avere da {shortest} a {longest} cifre: nessun tentativo è stato consumato.",
        shortest=shortest,
        longest=longest,
    )


class CodeField(Field):
    """A line for a PIN or PUK: hidden, no clipboard, no word prediction; the code leaves it once and is gone."""

    def _make_edit(self) -> QLineEdit:
        return _CodeEdit()

    def take(self) -> Secret:
        """Return the code and empty the line; nothing of it stays in the widget."""
        code = Secret(self.edit.text().strip())
        self.edit.setText("")  # unlike clear() this also forgets what undo would bring back
        return code


class _CodeEdit(QLineEdit):
    def __init__(self) -> None:
        super().__init__()
        hints = Qt.InputMethodHint
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self.setInputMethodHints(hints.ImhSensitiveData | hints.ImhHiddenText | hints.ImhNoPredictiveText)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.setMaxLength(WIDEST_CODE)
        self.setAcceptDrops(False)
        self.setDragEnabled(False)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        clipboard = (QKeySequence.StandardKey.Paste, QKeySequence.StandardKey.Copy, QKeySequence.StandardKey.Cut)
        if any(event.matches(each) for each in clipboard):
            event.ignore()
            return
        super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        if event.button() is Qt.MouseButton.MiddleButton:  # X11 would paste the selection here
            event.ignore()
            return
        super().mouseReleaseEvent(event)


class CheckLine(QWidget):
    """A tick with a text that wraps, which Qt's own does not; a click on the text ticks too."""

    toggled = Signal(bool)

    def __init__(self, text: str) -> None:
        """Show the tick, not set."""
        super().__init__()
        self.box = QCheckBox()
        self.box.setProperty("bare", "true")  # its text stands beside it
        self.box.setAccessibleName(text)
        self.box.toggled.connect(self.toggled)
        self._text = pieces.lead(text)
        self._text.setBuddy(self.box)
        self._text.installEventFilter(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(pieces.SPACE[1])
        row.addWidget(self.box, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._text, 1)
        self.setFocusProxy(self.box)

    @property
    def is_ticked(self) -> bool:
        """Whether the tick is set."""
        return self.box.isChecked()

    def allow(self, *, allowed: bool, why_not: str = "") -> None:
        """Let the tick be set, or say why not yet."""
        self.setEnabled(allowed)
        self.box.setAccessibleDescription("" if allowed else why_not)
        self.setToolTip("" if allowed else why_not)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Take a click on the text for one on the tick."""
        # The kind first: what Qt tells a line that is going away must not ask for parts that are gone already.
        if event.type() is QEvent.Type.MouseButtonRelease and watched is self._text and self.isEnabled():
            self.box.toggle()
            return True
        return super().eventFilter(watched, event)
