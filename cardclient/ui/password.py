"""The field of a proxy's password: hidden, but it may be pasted, as password managers do."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit

from cardclient.secret import Secret
from cardclient.ui.fields import Field

LONGEST = 255  # characters; RFC 1929 §2 allows a SOCKS password that many bytes


class PasswordField(Field):
    """A hidden line; the password leaves it through `take`, and nothing of it stays in the widget."""

    def _make_edit(self) -> QLineEdit:
        edit = QLineEdit()
        hints = Qt.InputMethodHint
        edit.setEchoMode(QLineEdit.EchoMode.Password)
        edit.setInputMethodHints(hints.ImhSensitiveData | hints.ImhHiddenText | hints.ImhNoPredictiveText)
        edit.setMaxLength(LONGEST)
        return edit

    @property
    def peek(self) -> Secret:
        """Return what stands in the line, which keeps it: for a test before it is saved."""
        return Secret(self.edit.text())

    def take(self) -> Secret:
        """Return the password and empty the line."""
        password = self.peek
        self.edit.setText("")  # unlike clear() this also forgets what undo would bring back
        return password
