"""The frame of a page: a scrolling column of readable width, and what it wants on the two buttons below."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLayout, QLayoutItem, QScrollArea, QVBoxLayout, QWidget

from cardclient.ui import pieces

COLUMN = 760  # px at 100 %: about 90 characters a line
WIDEST = 1400  # px; for what is wider than text
MARGIN = 72  # px around what has the focus


class Page(QWidget):
    """One page of the window. It answers once through `answered`; `footer_changed` asks to look at its buttons again.

    `back_text` and `go_text` name the two buttons below (empty: no button); `needs_card` stops the second one while
    the card is out of the reader, `careful` gives the focus to the first one.
    """

    answered = Signal(object)
    footer_changed = Signal()

    def __init__(self, title: str, *, needs_card: bool = False) -> None:
        """Start with the title as heading and an empty column under it."""
        super().__init__()
        self.title, self.needs_card = title, needs_card
        self.back_text, self.go_text, self.can_go, self.careful = "", "", True, False
        self.setAccessibleName(title)
        self._content = QWidget()
        self._content.setMaximumWidth(COLUMN)
        self.column = QVBoxLayout(self._content)
        self.column.setContentsMargins(0, pieces.SPACE[4], 0, pieces.SPACE[4])
        self.column.setSpacing(pieces.SPACE[3])
        self.column.setAlignment(Qt.AlignmentFlag.AlignTop)
        centred = QWidget()
        row = QHBoxLayout(centred)
        row.setContentsMargins(pieces.SPACE[5], 0, pieces.SPACE[5], 0)
        row.addWidget(self._content, 1)
        row.addStretch(0)  # in a wide window the column stays at the left, above the buttons
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setWidget(centred)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(self._area)
        self.heading = pieces.heading(title)
        self.column.addWidget(self.heading)

    def add(self, *parts: QWidget | QLayout) -> None:
        """Put widgets or layouts at the end of the column."""
        for part in parts:
            if isinstance(part, QLayout):
                self.column.addLayout(part)
            else:
                self.column.addWidget(part)

    def fill_with(self, part: QWidget) -> None:
        """Give a part all the room that is left, in both directions: it scrolls by itself."""
        self._content.setMaximumWidth(WIDEST)
        self.column.setAlignment(Qt.AlignmentFlag(0))
        self.column.addWidget(part, 1)

    def clear(self) -> None:
        """Take away everything under the heading."""
        while self.column.count() > 1:
            _discard(self.column.takeAt(1))

    def add_row(self, *parts: QWidget) -> QHBoxLayout:
        """Put widgets side by side, at the left."""
        row = QHBoxLayout()
        row.setSpacing(pieces.SPACE[2])
        for part in parts:
            row.addWidget(part)
        row.addStretch(1)
        self.column.addLayout(row)
        return row

    def allow(self, *, go: bool) -> None:
        """Enable or disable the second button."""
        if self.can_go is not go:
            self.can_go = go
            self.footer_changed.emit()

    def go(self) -> None:
        """Answer yes: the second button, or Enter."""
        self.answered.emit(True)  # noqa: FBT003 - a signal takes positions only

    def back(self) -> None:
        """Answer "no answer": the first button, or Esc."""
        self.answered.emit(None)

    def focus_first(self) -> bool:
        """Give the focus to what the person does first; False leaves it to the buttons below."""
        return False

    def reveal(self, widget: QWidget) -> None:
        """Scroll to what has the focus, with its label above and its error below."""
        self._area.ensureWidgetVisible(widget, 0, MARGIN)

    def show_problem(self, text: str) -> None:
        """Show that the last answer was refused and ask again; pages that can ask again override it."""


def _discard(item: QLayoutItem | None) -> None:
    """Destroy what a layout held; a layout inside it is emptied first, as it does not own its widgets."""
    if item is None:
        return
    inner = item.layout()
    while inner is not None and inner.count():
        _discard(inner.takeAt(0))
    widget = item.widget()
    if widget is not None:
        widget.hide()
        widget.deleteLater()
