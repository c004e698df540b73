"""The renewal form as PDF: one page, what the holder declares and signs. Knows layout, no rule."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import resources
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, HRFlowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from cms.policy import ROME

# The panel's typeface, embedded: the standard fonts know no letters beyond Latin-1, and a name must not be mangled.
_REGULAR, _BOLD = "Titillium", "Titillium-Bold"
_FONTS = resources.files("bootstrap_italia_template") / "static/fonts/Titillium_Web"
for _name, _weight in ((_REGULAR, "regular"), (_BOLD, "700")):
    pdfmetrics.registerFont(TTFont(_name, str(_FONTS / f"titillium-web-v10-latin-ext_latin-{_weight}.ttf")))

_INK, _MUTED, _LINE, _PRIMARY = HexColor("#17324D"), HexColor("#5C6F82"), HexColor("#D9DEE4"), HexColor("#0066CC")
_BODY = ParagraphStyle("body", fontName=_REGULAR, fontSize=9.5, leading=13.5, textColor=_INK)
_SMALL = ParagraphStyle("small", parent=_BODY, fontSize=7.5, leading=10, textColor=_MUTED)
_TITLE = ParagraphStyle("title", parent=_BODY, fontName=_BOLD, fontSize=16, leading=20)
_HEAD = ParagraphStyle("head", parent=_BODY, fontName=_BOLD, fontSize=10.5, spaceBefore=9, spaceAfter=4)
_MARGIN = 20 * mm
_LABEL_WIDTH = 48 * mm
_WIDTH = A4[0] - 2 * _MARGIN - 12  # the frame keeps six points free on each side


def render_form(content: Mapping[str, Any], *, rendered_at: datetime) -> bytes:
    """Render the form of a case; `content` is what `renewals.services.form` hashes. The same input, the same pages."""
    buffer = io.BytesIO()
    page = SimpleDocTemplate(
        buffer,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=f"Modulo di richiesta di rinnovo {content['case']}",
        author=content["centre"]["name"],
        lang="it-IT",
        invariant=True,
    )
    page.build(_story(content, rendered_at))
    return buffer.getvalue()


def _story(content: Mapping[str, Any], rendered_at: datetime) -> list[Flowable]:
    centre = content["centre"]
    return [
        Paragraph("Modulo di richiesta di rinnovo", _TITLE),
        Paragraph(f"Pratica {escape(content['case'])} · {escape(content['service'])}", _SMALL),
        Spacer(1, 4),
        HRFlowable(width="100%", thickness=1.2, color=_PRIMARY),
        Paragraph("Titolare", _HEAD),
        _facts(_person(content["holder"])),
        Paragraph("Centro di Registrazione Locale", _HEAD),
        _facts([("Denominazione", centre["name"]), ("Recapiti", f"{centre['email']} {centre['phone']}".strip())]),
        Paragraph("Carta e certificati da rinnovare", _HEAD),
        _facts([("Seriale della carta", content["card"]), *_certificates(content["certificates"])]),
        *_declarations(content["texts"]),
        Spacer(1, 10),
        Paragraph(
            "Documento firmato digitalmente dal titolare con il certificato in scadenza. "
            f"Predisposto il {rendered_at.astimezone(ROME):%d/%m/%Y alle %H:%M} (ora italiana).",
            _SMALL,
        ),
    ]


def _person(holder: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        ("Nome e cognome", holder["name"]),
        ("Codice fiscale", holder["tax_code"]),
        ("E-mail", holder["email"] or "—"),
        ("Cellulare", holder["mobile"] or "—"),
        ("Indirizzo", " ".join(part for part in holder["address"] if part) or "—"),
    ]


def _declarations(texts: Sequence[tuple[str, str, str]]) -> list[Flowable]:
    return [
        Paragraph("Dichiarazioni", _HEAD),
        Paragraph(
            "Il titolare chiede il rinnovo dei certificati indicati, con decorrenza della nuova durata dalla loro "
            "scadenza. Dichiara che i propri dati sono esatti e completi e di avere letto e accettato i testi elencati "
            "di seguito, identificati dalla loro impronta SHA-256.",
            _BODY,
        ),
        Spacer(1, 4),
        *[Paragraph(f"{escape(title)} · versione {version}<br/>{digest}", _SMALL) for title, version, digest in texts],
    ]


def _certificates(rows: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    return [(row["type"], f"n. {row['serial']}, scade il {_day(row['not_after'])}") for row in rows]


def _day(instant: str) -> str:
    return f"{datetime.fromisoformat(instant).astimezone(ROME):%d/%m/%Y alle %H:%M}"


def _facts(rows: Sequence[tuple[str, str]]) -> Table:
    cells = [[Paragraph(escape(name), _SMALL), Paragraph(escape(value), _BODY)] for name, value in rows]
    table = Table(cells, colWidths=[_LABEL_WIDTH, _WIDTH - _LABEL_WIDTH], hAlign="LEFT")
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
