"""The Italian tax code (codice fiscale) as the name profiles carry it; form and check letter (D.M. 23/12/1976)."""

from __future__ import annotations

import re
import string

# Seven digits may be replaced by letters where two persons would share a code (omocodia).
_FORM = re.compile(r"[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]")
_ODD_LETTERS = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_ODD = dict(zip(string.ascii_uppercase, _ODD_LETTERS, strict=True)) | dict(
    zip(string.digits, _ODD_LETTERS[:10], strict=True)
)
_EVEN = {letter: number for number, letter in enumerate(string.ascii_uppercase)} | {
    digit: number for number, digit in enumerate(string.digits)
}


def is_tax_code(text: str) -> bool:
    """Tell whether this is a person's tax code with the right check letter; capitals only."""
    return _FORM.fullmatch(text) is not None and check_letter(text[:15]) == text[15]


def check_letter(fifteen: str) -> str:
    """Compute the check letter on the text as it stands, omocodia letters included."""
    total = sum(_ODD[character] for character in fifteen[::2]) + sum(_EVEN[character] for character in fifteen[1::2])
    return chr(ord("A") + total % 26)
