"""The renewal form as it will be signed: rendered from the very bytes, with zoom and the text for screen readers."""

from __future__ import annotations

from pathlib import Path

import pypdfium2
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QKeyEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QFileDialog, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from cardclient.ui import pieces
from cardclient.ui.page import Page
from cardclient.ui.pieces import NoticeBox
from cardclient.ui.theme import Tone
from cardclient.words import tr

ZOOMS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0)
PIXELS_PER_POINT = 96 / 72  # at zoom 1 a page is as large as on paper (CSS pixels)
FRAME = 48  # px around the paper
SPOKEN = 4000  # characters of a page's text given to a screen reader


class FormPage(Page):
    """Shows the form and answers True to `Firma`."""

    def __init__(self, pdf: bytes, name: str) -> None:
        """Render the bytes; `name` is what a saved copy is called. An unreadable form cannot be signed."""
        super().__init__(tr("Modulo di rinnovo"), needs_card=True)
        self.back_text, self.go_text = tr("INDIETRO"), tr("Firma")
        self._pdf, self._name = pdf, name
        self.view = FormView()
        try:
            self.view.load(pdf)
        except pypdfium2.PdfiumError:
            self.add(NoticeBox(Tone.DANGER, tr("Il modulo non si può mostrare: non può essere firmato.")))
            self.allow(go=False)
            return
        self.add(pieces.lead(tr("Leggi il modulo. Con «Firma» lo firmi con il certificato in scadenza.")))
        self._add_tools()
        self.fill_with(self.view)

    def _add_tools(self) -> None:
        smaller, larger = pieces.secondary("−"), pieces.secondary("+")
        smaller.setAccessibleName(tr("Riduci"))
        larger.setAccessibleName(tr("Ingrandisci"))
        save = pieces.link(tr("Salva una copia"))
        smaller.clicked.connect(lambda: self.view.zoom(-1))
        larger.clicked.connect(lambda: self.view.zoom(+1))
        save.clicked.connect(self._save)
        self.add_row(smaller, larger, self.view.caption, save)

    def focus_first(self) -> bool:
        """Go to the form: arrows and page keys scroll it, + and − change its size."""
        self.view.setFocus()
        return True

    def _save(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, tr("Salva una copia"), self._name, "PDF (*.pdf)")
        if name:
            try:
                Path(name).write_bytes(self._pdf)
            except OSError:
                self.view.caption.setText(tr("La copia non è stata salvata."))


class FormView(QScrollArea):
    """Pages one below the other; each is a picture with the page's text as its description."""

    def __init__(self) -> None:
        """Start empty, at the paper's size."""
        super().__init__()
        self.setMinimumHeight(240)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Modulo di rinnovo"))
        self.setWidgetResizable(True)
        self.setProperty("role", "desk")
        self.caption = pieces.muted("")
        self.caption.setWordWrap(False)
        self._document: pypdfium2.PdfDocument | None = None
        self._zoom = ZOOMS.index(1.0)
        self._chosen = False  # until the person zooms, the form is as wide as its place
        self.pages: list[QLabel] = []

    def load(self, pdf: bytes) -> None:
        """Show a document; raises PdfiumError for bytes that are none."""
        document = self._document = pypdfium2.PdfDocument(pdf)
        self.destroyed.connect(lambda: document.close())  # noqa: PLW0108 - a bound method would be no slot of ours
        content = QWidget()
        column = QVBoxLayout(content)
        column.setSpacing(pieces.SPACE[2])
        for number in range(len(self._document)):
            page = QLabel()
            page.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            page.setAccessibleName(self._spoken(number))
            self.pages.append(page)
            column.addWidget(page)
        column.addStretch(1)
        self.setWidget(content)
        self._draw()

    def zoom(self, steps: int) -> None:
        """Make it larger or smaller by so many steps."""
        self._chosen = True
        self._zoom = min(max(self._zoom + steps, 0), len(ZOOMS) - 1)
        self._draw()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Fit the form's width to its place, until the person has chosen a size."""
        super().resizeEvent(event)
        if self._document is None or self._chosen:
            return
        width = self._document[0].get_width() * PIXELS_PER_POINT
        fitting = [index for index, zoom in enumerate(ZOOMS) if width * zoom <= self.viewport().width() - FRAME]
        zoom = fitting[-1] if fitting else 0
        if zoom != self._zoom:
            self._zoom = zoom
            self._draw()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Scroll with arrows and page keys (Qt's own), zoom with + and −."""
        steps = {"+": 1, "-": -1}.get(event.text())
        if steps:
            self.zoom(steps)
            return
        super().keyPressEvent(event)

    def _draw(self) -> None:
        if self._document is None:
            return
        ratio = self.devicePixelRatioF()
        for number, label in enumerate(self.pages):
            label.setPixmap(_picture(self._document[number], ZOOMS[self._zoom], ratio))
        percent, count = round(ZOOMS[self._zoom] * 100), len(self.pages)
        self.caption.setText(tr("Pagine: {count} · {percent} %", count=count, percent=percent))

    def _spoken(self, number: int) -> str:
        if self._document is None:
            return ""
        text = self._document[number].get_textpage().get_text_bounded()[:SPOKEN]
        return tr("Pagina {number}: {text}", number=number + 1, text=text)


def _picture(page: pypdfium2.PdfPage, zoom: float, ratio: float) -> QPixmap:
    """Render one page, sharp on a screen of this pixel ratio."""
    bitmap = page.render(scale=zoom * ratio * PIXELS_PER_POINT, rev_byteorder=True, prefer_bgrx=True)
    size = QSize(bitmap.width, bitmap.height)
    image = QImage(bytes(bitmap.buffer), size.width(), size.height(), bitmap.stride, QImage.Format.Format_RGBX8888)
    image.setDevicePixelRatio(ratio)
    return QPixmap.fromImage(image)
