"""Case codes and numbers of requests for help: short, with a check character that catches typing errors at once."""

from __future__ import annotations

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXY"  # 31 letters, a prime: no I, L, O, U, Z
_RANDOM = 9
_RANDOM_OF_NUMBER = 6


def new_code() -> str:
    """Return a fresh code such as `R4T9-Q2KX-70M` (44 random bits)."""
    body = "R" + "".join(secrets.choice(ALPHABET) for _ in range(_RANDOM))
    return _grouped(body + check_character(body))


def new_number() -> str:
    """Return a fresh number of a request for help such as `S4T9-Q2KX`, to be read over the phone (30 random bits)."""
    body = "S" + "".join(secrets.choice(ALPHABET) for _ in range(_RANDOM_OF_NUMBER))
    return _grouped(body + check_character(body))


def check_character(body: str) -> str:
    """Weighted sum modulo 31, written in the same alphabet: finds every single error and every swap of neighbours."""
    total = sum(weight * ALPHABET.index(char) for weight, char in enumerate(body, start=1))
    return ALPHABET[total % 31]


def parse_code(text: str) -> str | None:
    """Return the code in its stored form whatever blanks, dashes and case were typed, or None if it cannot be one."""
    return _parsed(text, "R", _RANDOM)


def parse_number(text: str) -> str | None:
    """Return the number of a request for help in its stored form, or None if the text cannot be one."""
    return _parsed(text, "S", _RANDOM_OF_NUMBER)


def _parsed(text: str, first: str, random: int) -> str | None:
    body = "".join(char for char in text.upper() if char in ALPHABET)
    if len(body) != random + 2 or body[0] != first or check_character(body[:-1]) != body[-1]:
        return None
    return _grouped(body)


def _grouped(body: str) -> str:
    return "-".join(part for part in (body[:4], body[4:8], body[8:]) if part)
