"""Codes of orders and slots: short, with a check character that catches typing errors at once."""

from __future__ import annotations

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXY"  # 31 letters, a prime: no I, L, O, U, Z
_RANDOM = 9


def new_order_code() -> str:
    """Return a fresh code of an order such as `M4T9-Q2KX-70M` (44 random bits)."""
    return _new("M")


def new_slot_code() -> str:
    """Return a fresh code of a purchased activation such as `A4T9-Q2KX-70M` (44 random bits)."""
    return _new("A")


def parse_order_code(text: str) -> str | None:
    """Return an order's code in its stored form whatever blanks, dashes and case were typed, or None."""
    typed = "".join(text.split()).replace("-", "").upper()
    if len(typed) != _RANDOM + 2 or not typed.startswith("M") or set(typed) - set(ALPHABET):
        return None
    return _grouped(typed) if check_character(typed[:-1]) == typed[-1] else None


def check_character(body: str) -> str:
    """Weighted sum modulo 31, written in the same alphabet: finds every single error and every swap of neighbours."""
    total = sum(weight * ALPHABET.index(char) for weight, char in enumerate(body, start=1))
    return ALPHABET[total % 31]


def _new(first: str) -> str:
    body = first + "".join(secrets.choice(ALPHABET) for _ in range(_RANDOM))
    return _grouped(body + check_character(body))


def _grouped(code: str) -> str:
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))
