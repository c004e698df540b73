"""A form that can be rendered: two pages of a real PDF, with the empty place for the signature after them."""

from __future__ import annotations

from io import BytesIO

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from tests.cardclient.fake_form import prepared_pdf

LINES = (
    "Modulo di rinnovo dei certificati",
    "Pratica R26-7KQ4M2 · carta 7430000000000001",
    "Titolare: MARIO ROSSI",
    "Il sottoscritto chiede il rinnovo dei certificati di autenticazione CNS e di firma digitale",
    "presenti sulla carta indicata, alle condizioni contrattuali accettate.",
    "Documento firmato con il certificato in scadenza.",
)


def real_form() -> bytes:
    file = BytesIO()
    canvas = Canvas(file, pagesize=A4, invariant=1)
    for number in (1, 2):
        canvas.setFont("Helvetica-Bold", 16)
        canvas.drawString(60, 780, LINES[0])
        canvas.setFont("Helvetica", 11)
        for row, line in enumerate(LINES[1:], 1):
            canvas.drawString(60, 770 - 24 * row, line)
        canvas.drawString(60, 60, f"Pagina {number} di 2")
        canvas.showPage()
    canvas.save()
    return prepared_pdf(after=file.getvalue())
