"""Numbers of Italian organisations: partita IVA and the eleven-digit tax code, which share one form and check digit.

D.M. 23/12/1976: seven digits of the taxpayer, three of the office that gave the number, and a check digit.
"""

from __future__ import annotations

import re

_FORM = re.compile(r"[0-9]{11}", re.ASCII)
_OFFICES = frozenset({*range(1, 101), 120, 121, 888, 999})


def is_organisation_number(text: str) -> bool:
    """Tell whether this is an Italian VAT number or an organisation's tax code, with its right check digit."""
    if not _FORM.fullmatch(text) or text.startswith("0000000"):
        return False
    return int(text[7:10]) in _OFFICES and check_digit(text[:10]) == text[10]


def check_digit(ten: str) -> str:
    """Compute the check digit (Luhn's) over the first ten."""
    doubled = (2 * int(digit) for digit in ten[1::2])
    total = sum(int(digit) for digit in ten[::2]) + sum(number - 9 if number > 9 else number for number in doubled)
    return str(-total % 10)
