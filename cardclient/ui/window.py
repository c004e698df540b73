"""The frame around the pages: header with menu and language, card strip, the page, and the two buttons below."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QPaintEvent
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from cardclient.ui import pieces
from cardclient.ui.page import Page
from cardclient.ui.theme import Tone
from cardclient.words import Language, chosen, marked, tr

WIDTH, HEIGHT = 900, 640  # px at 100 %
FOOTER = 69  # px at 100 %; it stands when it is empty too, so that nothing jumps
MENU = (
    ("preferences", marked("Preferenze")),
    ("diagnostics", marked("Diagnostica")),
    ("tools", marked("Strumenti")),
    ("log", marked("Log")),
    ("about", marked("Informazioni")),
)
LANGUAGE_NAMES = {Language.ITALIAN: "Italiano", Language.ENGLISH: "English"}  # each in its own language


class Window(QMainWindow):
    """The main window. It shows one page at a time and knows nothing of cards; `conductor.py` decides what is shown."""

    menu_chosen = Signal(str)
    language_chosen = Signal(str)
    closed = Signal()
    painted = Signal()

    def __init__(self) -> None:
        """Build the frame, without a page."""
        super().__init__()
        self.resize(WIDTH, HEIGHT)
        self.setMinimumSize(640, 480)
        self.page: Page | None = None
        self.refuse_close: Callable[[], bool] = lambda: False
        self._card_is_in = True
        self._build()
        cast("QApplication", QApplication.instance()).focusChanged.connect(self._follow_focus)

    def _build(self) -> None:
        """Build header, strip and footer in the language of now."""
        self.setWindowTitle(tr("Sigillo – Rinnovo della carta"))
        self._strip = _Strip()
        self._place = QVBoxLayout()
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._header())
        column.addWidget(self._strip)
        column.addLayout(self._place, 1)
        column.addWidget(self._footer())
        whole = QWidget()
        whole.setLayout(column)
        self.setCentralWidget(whole)

    def _header(self) -> QFrame:
        header = QFrame()
        header.setObjectName("header")
        row = QHBoxLayout(header)
        row.setContentsMargins(pieces.SPACE[5], pieces.SPACE[1], pieces.SPACE[5], pieces.SPACE[1])
        product = QLabel("Sigillo")
        product.setObjectName("product")
        row.addWidget(product)
        row.addStretch(1)
        self.menu: dict[str, QPushButton] = {}
        for name, text in MENU:
            button = pieces.link(tr(text))
            button.clicked.connect(lambda _checked=False, name=name: self.menu_chosen.emit(name))
            self.menu[name] = button
            row.addWidget(button)
        self.languages = QComboBox()
        self.languages.setAccessibleName(tr("Lingua"))
        for language, name in LANGUAGE_NAMES.items():
            self.languages.addItem(name, language)
        self.languages.setCurrentIndex(list(LANGUAGE_NAMES).index(chosen()))
        self.languages.activated.connect(lambda index: self.language_chosen.emit(self.languages.itemData(index)))
        row.addWidget(self.languages)
        return header

    def _footer(self) -> QFrame:
        footer = QFrame()
        footer.setObjectName("footer")
        footer.setMinimumHeight(FOOTER)
        row = QHBoxLayout(footer)
        row.setContentsMargins(pieces.SPACE[5], pieces.SPACE[2], pieces.SPACE[5], pieces.SPACE[2])
        self.back_button, self.go_button = pieces.secondary(""), pieces.primary("")
        self.back_button.clicked.connect(self._back)
        self.go_button.clicked.connect(self._go)
        row.addWidget(self.back_button)
        row.addStretch(1)
        row.addWidget(self.go_button)
        return footer

    def show_page(self, page: Page) -> None:
        """Put a page in the place of the one before, which is destroyed, and give it the focus."""
        if self.page is not None:
            self._place.removeWidget(self.page)
            self.page.hide()
            self.page.deleteLater()
        self.page = page
        self._place.addWidget(page)
        page.footer_changed.connect(self._fit_footer)
        self._fit_footer()
        # The order of Tab: the page first, then the buttons below, as they are read.
        self.setTabOrder(self.back_button, self.go_button)
        page.show()
        if not page.focus_first():
            self._focus_footer()
        pieces.announce(page, page.title)

    def _focus_footer(self) -> None:
        """Give the focus to the button a person wants next; a dangerous page gives it to the way back."""
        go = self.go_button.isVisibleTo(self) and self.go_button.isEnabled()
        careful = self.page is not None and self.page.careful
        (self.go_button if go and not careful else self.back_button).setFocus()

    def _follow_focus(self, _before: QWidget | None, now: QWidget | None) -> None:
        if self.page is not None and now is not None and self.page.isAncestorOf(now):
            self.page.reveal(now)

    def freeze(self) -> None:
        """Let the page stand without taking anything more; the next page ends it."""
        if self.page is not None:
            self.page.setEnabled(False)
        self.back_button.setEnabled(False)
        self.go_button.setEnabled(False)

    def rebuild(self) -> None:
        """Take the language of now; the page goes and must be shown anew."""
        self.page = None
        self._build()

    def show_card(self, text: str, *, is_in: bool, alarm: bool = False) -> None:
        """Say in the strip which card is in; `is_in` False stops a page that needs one. `alarm` has it said aloud."""
        self._card_is_in = is_in
        self._strip.show_card(text, Tone.DANGER if alarm else Tone.NEUTRAL)
        self._fit_footer()

    def allow_menu(self, *, allowed: bool) -> None:
        """Enable what speaks to card or settings; log and information stay open during a run."""
        for name in ("preferences", "diagnostics", "tools"):
            self.menu[name].setEnabled(allowed)
        self.languages.setEnabled(allowed)

    def _fit_footer(self) -> None:
        page = self.page
        if page is None:
            return
        missing = page.needs_card and not self._card_is_in
        for button, text, enabled in (
            (self.back_button, page.back_text, True),
            (self.go_button, page.go_text, page.can_go and not missing),
        ):
            button.setText(text)
            button.setAccessibleName(text)
            button.setVisible(bool(text))
            button.setEnabled(enabled)
        if self.focusWidget() in {None, self.back_button, self.go_button}:
            self._focus_footer()

    def _go(self) -> None:
        if self.page is not None and self.go_button.isVisible() and self.go_button.isEnabled():
            self.page.go()

    def _back(self) -> None:
        if self.page is not None and self.back_button.isVisible():
            self.page.back()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Enter presses the button that has the focus, else goes on; Esc goes back. Outside dialogs Qt does neither."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            focused = self.focusWidget()
            if isinstance(focused, QPushButton):
                focused.click()
            else:
                self._go()
        elif event.key() == Qt.Key.Key_Escape:
            self._back()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint as Qt does, and tell of it."""
        super().paintEvent(event)
        self.painted.emit()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Refuse while the card is written; else the run is told to stop before the window goes."""
        if self.refuse_close():
            event.ignore()
            return
        self.closed.emit()
        event.accept()


class _Strip(QFrame):
    """One line under the header: which card is in the reader, on every page."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("strip")
        row = QHBoxLayout(self)
        row.setContentsMargins(pieces.SPACE[5], pieces.SPACE[0], pieces.SPACE[5], pieces.SPACE[0])
        self.label = pieces.muted("")
        self.label.setWordWrap(False)
        row.addWidget(self.label)
        row.addStretch(1)

    def show_card(self, text: str, tone: Tone) -> None:
        changed = text != self.label.text()
        self.label.setText(text)
        self.label.setAccessibleName(text)
        self.label.setProperty("toneText", str(tone) if tone is Tone.DANGER else "")
        pieces.redress(self.label)
        if changed and tone is Tone.DANGER:
            pieces.announce(self.label, text)
