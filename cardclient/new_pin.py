"""Which new PINs are refused: wrong length, and whatever a finder of the card would try first.

A card locks after three wrong PINs, so only guesses with a reason are dangerous: runs, repeats, the birth date, and
digits that stand in the codice fiscale or on the card itself.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from cardclient import certificates
from cardclient.errors import CardError, PinLength
from cardclient.ports import CodeLengths, Lengths
from cardclient.secret import Secret

# Letters that stand for digits where two people would share a codice fiscale (DM 23/12/1976 n. 13813).
_OMOCODIA = {letter: str(digit) for digit, letter in enumerate("LMNPQRSTUV")}
_DIGIT_PLACES = (6, 7, 9, 10, 12, 13, 14)
_MONTHS = "ABCDEHLMPRST"
_CENTURIES = ("19", "20")
_SHORTEST_PART = 4  # fewer digits of a codice fiscale or serial are in every other number


class Weakness(enum.StrEnum):
    """Why a code of the right length is refused all the same."""

    REPEATED = "repeated"
    SEQUENCE = "sequence"
    BIRTH_DATE = "birth-date"
    TAX_CODE = "tax-code"
    CARD_SERIAL = "card-serial"
    OTHER_CODE = "other-code"


@dataclass(frozen=True, slots=True)
class KnownNumbers:
    """What can be read beside the card: the holder's codice fiscale and the serial printed on the plastic."""

    tax_codes: tuple[str, ...] = ()
    card_serial: str = ""

    @classmethod
    def of_card(cls, certificates_der: Sequence[bytes], card_serial: str) -> KnownNumbers:
        """Read the codes from the card's certificates; one that cannot be read tells nothing."""
        return cls(tuple(sorted(set(_tax_codes(certificates_der)))), card_serial)


def require_new_pin(
    pin: Secret, known: KnownNumbers, lengths: Lengths | None = None, *, others: Sequence[Secret] = ()
) -> None:
    """Refuse a PIN before a card sees it; `others` are the card's other codes as just entered, the old PIN or the PUK.

    Raises PinLength: code "pin-length" with operation "new-pin", or "pin-weak" with the `Weakness` as operation.
    """
    text, allowed = pin.reveal(), lengths or CodeLengths().new_pin
    if not (text.isascii() and text.isdecimal() and allowed.allow(pin)):
        raise PinLength(operation="new-pin")
    same = any(text == other.reveal() for other in others)
    weakness = Weakness.OTHER_CODE if same else weakness_of(text, known)
    if weakness:
        raise PinLength("pin-weak", operation=weakness.value)


def weakness_of(digits: str, known: KnownNumbers) -> Weakness | None:
    """Say what makes these digits easy to guess, or None."""
    if _is_repeated(digits):
        return Weakness.REPEATED
    if _is_sequence(digits):
        return Weakness.SEQUENCE
    for tax_code in known.tax_codes:
        if any(date in digits or digits in date for date in _birth_dates(tax_code)):
            return Weakness.BIRTH_DATE
        if _shares_part(digits, _digits_of(tax_code)):
            return Weakness.TAX_CODE
    return Weakness.CARD_SERIAL if digits in known.card_serial else None


def _tax_codes(ders: Sequence[bytes]) -> Iterator[str]:
    for der in ders:
        try:
            code = certificates.tax_code(certificates.load(der))
        except CardError:
            continue
        if code:
            yield code


def _is_repeated(digits: str) -> bool:
    """A block of up to half the length, again and again: 11111, 12121, 123123."""
    return any(digits == (digits[:size] * len(digits))[: len(digits)] for size in range(1, len(digits) // 2 + 1))


def _is_sequence(digits: str) -> bool:
    """Neighbours throughout, up or down, over the zero too: 12345, 98765, 78901."""
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(digits)}
    return steps in ({1}, {9})


def _digits_of(tax_code: str) -> str:
    """The seven digits of a codice fiscale, with the letters of an omocode read as the digits they stand for."""
    return "".join(_OMOCODIA.get(tax_code[place], tax_code[place]) for place in _DIGIT_PLACES)


def _shares_part(digits: str, of: str) -> bool:
    """Whether a PIN is made of a codice fiscale's digits: all of it lies there, or four neighbours of them in it."""
    parts = {of[start : start + _SHORTEST_PART] for start in range(len(of) - _SHORTEST_PART + 1)}
    return digits in of or any(part in digits for part in parts)


def _birth_dates(tax_code: str) -> Iterator[str]:
    """Every way to write the birth date with at least five digits, in both centuries."""
    plain = _digits_of(tax_code)
    year, day, month = plain[:2], int(plain[2:4]) % 40, _MONTHS.index(tax_code[8]) + 1
    dm = {f"{day:02}{month:02}", f"{day}{month}", f"{day:02}{month}", f"{day}{month:02}"}
    md = {f"{month:02}{day:02}", f"{month}{day}"}
    for full in (*(century + year for century in _CENTURIES), year):
        yield from (date for short in dm for date in (short + full, full + short) if len(date) > _SHORTEST_PART)
        yield from (date for short in md for date in (short + full, full + short) if len(date) > _SHORTEST_PART)
        yield from (f"{month:02}{full}", f"{full}{month:02}") if len(full) > 2 else ()
