"""The form of the alternative identification as PDF: one page, to be signed with a qualified signature. Layout only."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from xml.sax.saxutils import escape

from django.utils import translation
from django.utils.translation import gettext as _
from pyhanko.pdf_utils.generic import NumberObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, append_signature_field
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, HRFlowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from cms.policy import ROME
from smime import paper
from smime.paper import BOLD, INK, MUTED, REGULAR

FIELD = "Firma"
_LINE, _PRIMARY = HexColor("#D9DEE4"), HexColor("#0066CC")
_BODY = ParagraphStyle("body", fontName=REGULAR, fontSize=9.5, leading=13.5, textColor=INK)
_SMALL = ParagraphStyle("small", parent=_BODY, fontSize=7.5, leading=10, textColor=MUTED)
_TITLE = ParagraphStyle("title", parent=_BODY, fontName=BOLD, fontSize=16, leading=20)
_HEAD = ParagraphStyle("head", parent=_BODY, fontName=BOLD, fontSize=10.5, spaceBefore=9, spaceAfter=4)
_MARGIN, _LABEL_WIDTH, _CODE = 20 * mm, 48 * mm, 30 * mm
_WIDTH = A4[0] - 2 * _MARGIN - 12  # the frame keeps six points free on each side
_BOX = (round(_MARGIN) + 6, 68, round(A4[0] - _MARGIN) - 6, 136)  # where the visible signature goes, in points


@dataclass(frozen=True, slots=True, repr=False)
class FormContent:
    """What stands on the form; every value is the order's or was typed into the request for it."""

    number: str
    nonce: str
    data_sha256: str
    order_code: str
    certificate: str
    given_name: str
    surname: str
    tax_code: str = field(repr=False)
    mailbox: str
    language: str


def render_form(content: FormContent, *, rendered_at: datetime) -> bytes:
    """Render the form with an empty signature field. The bytes are evidence: they are stored and never made again."""
    buffer = io.BytesIO()
    with translation.override(content.language):
        title = _("Modulo di riconoscimento %(number)s") % {"number": content.number}
        page = paper.document(buffer, title=title, margin=_MARGIN, bottom=_BOX[3] + 22)
        page.build(_story(content, rendered_at), onFirstPage=_place_for_signature)
    return _with_field(buffer.getvalue())


def _with_field(pdf: bytes) -> bytes:
    """Offer programs a field to sign in; its presence is also what later comparison of revisions starts from."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    append_signature_field(writer, SigFieldSpec(FIELD, on_page=0, box=_BOX))
    # "Signatures exist, append only" from the beginning: programs must not save the file anew (ISO 32000-2 §12.7.3).
    writer.root["/AcroForm"]["/SigFlags"] = NumberObject(3)
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()


def _story(content: FormContent, rendered_at: datetime) -> list[Flowable]:
    day = f"{rendered_at.astimezone(ROME):%d/%m/%Y}"
    return [
        Paragraph(_("Modulo di riconoscimento con firma elettronica qualificata"), _TITLE),
        Paragraph(_("Pratica %(code)s · %(day)s") % {"code": content.order_code, "day": day}, _SMALL),
        Spacer(1, 4),
        HRFlowable(width="100%", thickness=1.2, color=_PRIMARY),
        Paragraph(_("Destinatario del certificato"), _HEAD),
        _facts(
            [
                (_("Nome"), content.given_name),
                (_("Cognome"), content.surname),
                (_("Codice fiscale"), content.tax_code),
                (_("Indirizzo email"), content.mailbox),
                (_("Tipo di certificato"), content.certificate),
            ]
        ),
        Paragraph(_("Dichiarazione"), _HEAD),
        Paragraph(
            _(
                "Il sottoscritto, destinatario del certificato S/MIME sopra indicato, chiede di essere riconosciuto "
                "mediante la propria firma elettronica qualificata (Regolamento UE n. 910/2014 – eIDAS), in "
                "alternativa al riconoscimento biometrico. Dichiara che i dati riportati sono propri, esatti e "
                "completi e che la casella e-mail indicata è in suo uso esclusivo."
            ),
            _BODY,
        ),
        Paragraph(_("Riferimenti del modulo"), _HEAD),
        _references(content),
    ]


def _references(content: FormContent) -> Table:
    facts = _facts(
        [
            (_("Numero"), content.number),
            (_("Codice univoco"), content.nonce),
            (_("Impronta dei dati (SHA-256)"), f"{content.data_sha256[:32]} {content.data_sha256[32:]}"),
        ],
        width=_WIDTH - _CODE - 4 * mm,
    )
    return Table([[facts, _code(content)]], colWidths=[_WIDTH - _CODE, _CODE], hAlign="LEFT", style=_BARE)


def _code(content: FormContent) -> Drawing:
    """Draw number, nonce and digest once more, for whoever has the form on paper before him."""
    widget = QrCodeWidget(f"{content.number} {content.nonce} {content.data_sha256}", barLevel="M")
    left, bottom, right, _ = widget.getBounds()
    scale = _CODE / (right - left)
    drawing = Drawing(_CODE, _CODE, transform=[scale, 0, 0, scale, -left * scale, -bottom * scale])
    drawing.add(widget)
    return drawing


def _place_for_signature(canvas: Canvas, _document: SimpleDocTemplate) -> None:
    left, bottom, right, top = _BOX
    canvas.setFont(BOLD, 8)
    canvas.setFillColor(INK)
    canvas.drawString(left, top + 6, _("Firma elettronica qualificata del destinatario"))
    canvas.setStrokeColor(_LINE)
    canvas.rect(left, bottom, right - left, top - bottom)
    canvas.setFont(REGULAR, 7)
    canvas.setFillColor(MUTED)
    canvas.drawString(
        left,
        bottom - 12,
        _("Firmi il file così com'è stato scaricato (PAdES o CAdES .p7m), senza stamparlo né salvarlo di nuovo."),
    )


_BARE = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 0),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
    ]
)


def _facts(rows: Sequence[tuple[str, str]], *, width: float = _WIDTH) -> Table:
    cells = [[Paragraph(escape(name), _SMALL), Paragraph(escape(value), _BODY)] for name, value in rows]
    table = Table(cells, colWidths=[_LABEL_WIDTH, width - _LABEL_WIDTH], hAlign="LEFT")
    table.setStyle(
        TableStyle(
            [
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), 2.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
            ]
        )
    )
    return table
