"""Codice fiscale of natural persons (DM 23/12/1976 n. 13813; test vectors in the domain notes).

Omocodic variants are different people: nothing here maps one onto another.
"""

from __future__ import annotations

import calendar

from cms.errors import TaxCodeInvalid
from pki.tax_code import is_tax_code

_MONTHS = "ABCDEHLMPRST"
_OMOCODIA = {letter: str(digit) for digit, letter in enumerate("LMNPQRSTUV")}
_FEMALE_OFFSET = 40


def parse_tax_code(text: str) -> str:
    """Return the code in upper case without blanks, or raise `TaxCodeInvalid` (shape, date or check letter wrong)."""
    code = "".join(text.split()).upper()
    if not is_tax_code(code) or not _date_exists(code):
        raise TaxCodeInvalid
    return code


def masked(tax_code: str) -> str:
    """Show enough to recognise a person one knows, too little to learn a code: `RSSM…562S`."""
    return f"{tax_code[:4]}…{tax_code[-4:]}"


def _digits(text: str) -> int:
    return int("".join(_OMOCODIA.get(char, char) for char in text))


def _date_exists(code: str) -> bool:
    day, month, year = _digits(code[9:11]), _MONTHS.index(code[8]) + 1, _digits(code[6:8])
    if day > _FEMALE_OFFSET:
        day -= _FEMALE_OFFSET
    # Two digits give no century: 29 February counts as soon as one century has it.
    longest = max(calendar.monthrange(century + year, month)[1] for century in (1900, 2000))
    return 1 <= day <= longest
