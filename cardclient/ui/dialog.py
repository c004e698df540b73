"""The frame of the dialogs: heading, a column that scrolls, and at the bottom "back" at the left, the rest right."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from cardclient.ui import pieces
from cardclient.words import tr

WIDTH, HEIGHT = 760, 600  # px at 100 %


class Dialog(QDialog):
    """A dialog over the main window. Esc and the left button close it; `body` takes the parts."""

    def __init__(self, title: str, parent: QWidget | None = None, *, size: tuple[int, int] = (WIDTH, HEIGHT)) -> None:
        """Start with a heading, an empty body and the button that leads back."""
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.setModal(True)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(*size)
        self.body = QVBoxLayout()
        self.body.setContentsMargins(pieces.SPACE[5], pieces.SPACE[4], pieces.SPACE[5], pieces.SPACE[3])
        self.body.setSpacing(pieces.SPACE[3])
        self.body.addWidget(pieces.heading(title))
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.setSpacing(0)
        around.addLayout(self.body, 1)
        self._footer_frame = self._footer()
        around.addWidget(self._footer_frame)

    def _footer(self) -> QFrame:
        footer = QFrame()
        footer.setObjectName("footer")
        self._buttons = QHBoxLayout(footer)
        self._buttons.setContentsMargins(pieces.SPACE[5], pieces.SPACE[2], pieces.SPACE[5], pieces.SPACE[2])
        self._buttons.setSpacing(pieces.SPACE[2])
        self.back_button = pieces.secondary(tr("INDIETRO"))
        self.back_button.setAutoDefault(False)
        self.back_button.clicked.connect(self.reject)
        self._buttons.addWidget(self.back_button)
        self._buttons.addStretch(1)
        return footer

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Let Tab go through the body first and the buttons below last, as they are read; begin with the first."""
        super().showEvent(event)
        buttons = [each for each in self._focus_chain() if self._footer_frame.isAncestorOf(each)]
        parts = [each for each in self._focus_chain() if each not in buttons]
        for before, after in pairwise([*parts[-1:], *buttons]):
            self.setTabOrder(before, after)
        first = next((each for each in parts if each.isEnabled() and each.isVisibleTo(self)), None)
        if first is not None and not event.spontaneous():
            first.setFocus()

    def _focus_chain(self) -> list[QWidget]:
        """Every widget that Tab reaches, in its order."""
        chain: list[QWidget] = []
        each = self.nextInFocusChain()
        while each is not None and each is not self:
            if each.focusPolicy() & Qt.FocusPolicy.TabFocus and self.isAncestorOf(each):
                chain.append(each)
            each = each.nextInFocusChain()
        return chain

    def add_button(self, button: QPushButton) -> QPushButton:
        """Put a button at the right end of the bottom row."""
        self._buttons.addWidget(button)
        return button


def scrolling(content: QWidget) -> QScrollArea:
    """Let a column scroll where the screen is small or the letters are large."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(content)
    return area


def column() -> tuple[QWidget, QVBoxLayout]:
    """Return an empty column for `scrolling`, filled from the top."""
    widget = QWidget()
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(pieces.SPACE[0], pieces.SPACE[0], pieces.SPACE[2], pieces.SPACE[0])
    layout.setSpacing(pieces.SPACE[3])
    layout.setAlignment(Qt.AlignmentFlag.AlignTop)
    return widget, layout
