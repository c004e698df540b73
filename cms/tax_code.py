"""Codice fiscale of natural persons (DM 23/12/1976 n. 13813; test vectors in the domain notes).

Omocodic variants are different people: nothing here maps one onto another.
"""

from __future__ import annotations

import calendar
import re

from cms.errors import TaxCodeInvalid

_SHAPE = re.compile(r"[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]")
_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_MONTHS = "ABCDEHLMPRST"
_OMOCODIA = {letter: str(digit) for digit, letter in enumerate("LMNPQRSTUV")}
_FEMALE_OFFSET = 40


def parse_tax_code(text: str) -> str:
    """Return the code in upper case without blanks, or raise `TaxCodeInvalid` (shape, date or check letter wrong)."""
    code = "".join(text.split()).upper()
    if not _SHAPE.fullmatch(code) or not _date_exists(code) or check_letter(code[:15]) != code[15]:
        raise TaxCodeInvalid
    return code


def check_letter(first_fifteen: str) -> str:
    """Compute the check letter on the text as it stands, omocodia letters included."""
    total = sum(_value(char, odd=index % 2 == 0) for index, char in enumerate(first_fifteen))
    return chr(ord("A") + total % 26)


def masked(tax_code: str) -> str:
    """Show enough to recognise a person one knows, too little to learn a code: `RSSM…562S`."""
    return f"{tax_code[:4]}…{tax_code[-4:]}"


def _value(char: str, *, odd: bool) -> int:
    place = int(char) if char.isdigit() else ord(char) - ord("A")
    return _ODD[place] if odd else place


def _digits(text: str) -> int:
    return int("".join(_OMOCODIA.get(char, char) for char in text))


def _date_exists(code: str) -> bool:
    day, month, year = _digits(code[9:11]), _MONTHS.index(code[8]) + 1, _digits(code[6:8])
    if day > _FEMALE_OFFSET:
        day -= _FEMALE_OFFSET
    # Two digits give no century: 29 February counts as soon as one century has it.
    longest = max(calendar.monthrange(century + year, month)[1] for century in (1900, 2000))
    return 1 <= day <= longest
