"""What the product's printed pages of S/MIME have in common: typeface, ink, and the frame of a document."""

from __future__ import annotations

from importlib import resources
from typing import IO

from django.utils import translation
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import SimpleDocTemplate

# The product's typeface, embedded: the standard fonts know no letters beyond Latin-1, and a name must not be mangled.
REGULAR, BOLD = "Titillium", "Titillium-Bold"
_FONTS = resources.files("bootstrap_italia_template") / "static/fonts/Titillium_Web"
for _name, _weight in ((REGULAR, "regular"), (BOLD, "700")):
    pdfmetrics.registerFont(TTFont(_name, str(_FONTS / f"titillium-web-v10-latin-ext_latin-{_weight}.ttf")))

INK, MUTED = HexColor("#17324D"), HexColor("#5C6F82")


def document(target: IO[bytes], *, title: str, margin: float, bottom: float | None = None) -> SimpleDocTemplate:
    """Begin an A4 document in the language in force; the same content is the same bytes. Lengths are in points."""
    return SimpleDocTemplate(
        target,
        pagesize=A4,
        leftMargin=margin,
        rightMargin=margin,
        topMargin=margin,
        bottomMargin=margin if bottom is None else bottom,
        title=title,
        author="Sigillo",
        lang="it-IT" if translation.get_language() == "it" else "en",
        invariant=True,
    )
