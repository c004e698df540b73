"""The template of the *Attestazione del Rapporto Professionale* as PDF: what is known is filled in, the rest is a line.

It carries everything that the guide asks of the letter (step 6), so that a letter made from it lacks nothing.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date
from xml.sax.saxutils import escape

from django.utils import translation
from django.utils.translation import gettext as _
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, HRFlowable, Paragraph, Spacer, Table, TableStyle

from smime import paper
from smime.models import Order
from smime.paper import BOLD, INK, MUTED, REGULAR
from smime.policy_attestation import REASON, applicant_of

_LINE = HexColor("#A5B1BD")
_BODY = ParagraphStyle("body", fontName=REGULAR, fontSize=10.5, leading=15.5, textColor=INK)
_SMALL = ParagraphStyle("small", parent=_BODY, fontSize=8, leading=11, textColor=MUTED)
_TITLE = ParagraphStyle("title", parent=_BODY, fontName=BOLD, fontSize=17, leading=22)
_HEAD = ParagraphStyle("head", parent=_BODY, fontName=BOLD, fontSize=11.5, spaceBefore=12, spaceAfter=3)
_STATEMENT = ParagraphStyle("statement", parent=_BODY, spaceBefore=14, spaceAfter=4, leading=17)
_MARGIN, _LABEL_WIDTH = 22 * mm, 52 * mm
_WIDTH = A4[0] - 2 * _MARGIN - 12
_BLANK = "_" * 24


def render(order: Order, fields: Mapping[str, str]) -> bytes:
    """Write the letter in the order's language; `fields` as `policy_attestation.tidy` returns them."""
    buffer = io.BytesIO()
    with translation.override(order.language):
        title = _("Attestazione del Rapporto Professionale")
        page = paper.document(buffer, title=title, margin=_MARGIN)
        page.build(_story(order, fields))
    return buffer.getvalue()


def _story(order: Order, fields: Mapping[str, str]) -> list[Flowable]:
    return [
        Paragraph(_("Da stampare o riportare su carta intestata dell'organizzazione."), _SMALL),
        Spacer(1, 10),
        Paragraph(_("Attestazione del Rapporto Professionale"), _TITLE),
        Paragraph(_("Pratica %(code)s") % {"code": order.code}, _SMALL),
        HRFlowable(width="100%", thickness=1, color=INK, spaceBefore=6, spaceAfter=2),
        *_said_of(order, fields),
        Paragraph(_statement(order, fields), _STATEMENT),
        *_signed_by(fields),
    ]


def _said_of(order: Order, fields: Mapping[str, str]) -> list[Flowable]:
    """Applicant, organisation, and what he does there."""
    person = [(_("Nome e cognome"), applicant_of(order)), (_("Ruolo o posizione aziendale"), fields["role"])]
    company = [
        (_("Ragione sociale"), fields["company"]),
        (_("Indirizzo completo"), fields["address"]),
        (_("Partita IVA o codice fiscale"), order.vat_number),
    ]
    why = [
        (_("Funzione specifica svolta"), fields["function"]),
        (_("Motivazione della richiesta"), fields["reason"] or REASON),
    ]
    return [
        *_section(_("Dati del richiedente"), person),
        *_section(_("Dati dell'organizzazione"), company),
        *_section(_("Ruolo professionale e motivo"), why),
    ]


def _signed_by(fields: Mapping[str, str]) -> list[Flowable]:
    """The referee, with room for the signature."""
    referee = [
        (_("Nome e cognome"), fields["referee"]),
        (_("Qualifica"), fields["referee_role"]),
        (_("E-mail o telefono"), fields["contact"]),
        (_("Data"), _day(fields["attested_on"])),
        (_("Firma leggibile, manuale o digitale"), ""),
    ]
    who_may = _(
        "Firma un referente autorizzato e diverso dal richiedente: per esempio un responsabile delle Risorse "
        "Umane, un direttore IT, un responsabile della sicurezza o un Amministratore Delegato."
    )
    return [
        *_section(_("Referente che attesta"), referee, last_height=20 * mm),
        Spacer(1, 8),
        Paragraph(who_may, _SMALL),
    ]


def _section(title: str, rows: list[tuple[str, str]], *, last_height: float | None = None) -> list[Flowable]:
    return [Paragraph(title, _HEAD), _facts(rows, last_height=last_height)]


def _statement(order: Order, fields: Mapping[str, str]) -> str:
    """The formal statement, in the guide's own words."""
    said = {
        "name": applicant_of(order),
        "role": fields["function"] or fields["role"] or _BLANK,
        "company": fields["company"] or _BLANK,
    }
    shown = {name: f'<font name="{BOLD}">{escape(value)}</font>' for name, value in said.items()}
    return (
        _(
            "Con la presente attestiamo che %(name)s riveste la funzione di %(role)s presso %(company)s, e che per lo "
            "svolgimento di questa funzione ha bisogno di un certificato S/MIME."
        )
        % shown
    )


def _day(typed: str) -> str:
    try:
        return f"{date.fromisoformat(typed):%d/%m/%Y}"
    except ValueError:
        return ""


def _facts(rows: list[tuple[str, str]], *, last_height: float | None = None) -> Table:
    cells = [[Paragraph(escape(name), _SMALL), Paragraph(escape(value), _BODY)] for name, value in rows]
    heights = [8 * mm if not value and index < len(rows) - 1 else None for index, (_n, value) in enumerate(rows)]
    heights[-1] = last_height or heights[-1]
    table = Table(cells, colWidths=[_LABEL_WIDTH, _WIDTH - _LABEL_WIDTH], rowHeights=heights, hAlign="LEFT")
    table.setStyle(
        TableStyle(
            [
                ("LINEBELOW", (1, 0), (1, -1), 0.5, _LINE),
                ("VALIGN", (0, 0), (-1, -1), "BOTTOM"),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), 3),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
            ]
        )
    )
    return table
