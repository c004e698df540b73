"""A new PIN that a finder of the card would try first is refused before the card sees it."""

from __future__ import annotations

import pytest

from cardclient.errors import PinLength
from cardclient.new_pin import KnownNumbers, Weakness, require_new_pin
from cardclient.ports import Lengths
from cardclient.secret import Secret

HOLDER = KnownNumbers(("RSSMRA85T10A562S",), "7430000000000001")  # born on 10/12/1985


def refusal(pin, known=HOLDER, lengths=None):
    with pytest.raises(PinLength) as refused:
        require_new_pin(Secret(pin), known, lengths)
    return refused.value.code, refused.value.operation


@pytest.mark.parametrize("pin", ["", "4827", "482736159", "48 73", "4827a", "٤٨٢٧٣"])
def test_a_pin_has_five_to_eight_digits(pin):
    assert refusal(pin)[0] == "pin-length"


def test_a_family_may_ask_for_more_digits():
    assert refusal("48273", lengths=Lengths(6, 8))[0] == "pin-length"
    require_new_pin(Secret("482736"), HOLDER, Lengths(6, 8))


@pytest.mark.parametrize(
    ("pin", "weakness"),
    [
        ("11111", Weakness.REPEATED),
        ("12121", Weakness.REPEATED),
        ("123123", Weakness.REPEATED),
        ("45674567", Weakness.REPEATED),
        ("12345", Weakness.SEQUENCE),
        ("87654321", Weakness.SEQUENCE),
        ("78901", Weakness.SEQUENCE),
        ("21098", Weakness.SEQUENCE),
        ("101285", Weakness.BIRTH_DATE),
        ("10121985", Weakness.BIRTH_DATE),
        ("19851210", Weakness.BIRTH_DATE),
        ("851210", Weakness.BIRTH_DATE),
        ("121085", Weakness.BIRTH_DATE),
        ("121985", Weakness.BIRTH_DATE),
        ("9101285", Weakness.BIRTH_DATE),
        ("01219", Weakness.BIRTH_DATE),
        ("85105", Weakness.TAX_CODE),
        ("10562", Weakness.TAX_CODE),
        ("905629", Weakness.TAX_CODE),
        ("905729", None),
        ("98510562", Weakness.TAX_CODE),
        ("43000", Weakness.CARD_SERIAL),
        ("48273", None),
        ("91827364", None),
    ],
)
def test_what_is_easily_guessed_is_refused_with_its_reason(pin, weakness):
    if weakness is None:
        require_new_pin(Secret(pin), HOLDER)
    else:
        assert refusal(pin) == ("pin-weak", weakness)


def test_an_omocode_hides_no_birth_date():
    known = KnownNumbers(("RSSMRA85T1LA562V",), "")
    assert refusal("101285", known)[1] == Weakness.BIRTH_DATE


def test_a_woman_s_day_is_read_without_the_forty():
    assert refusal("101285", KnownNumbers(("RSSMRA85T50A562W",), ""))[1] == Weakness.BIRTH_DATE


def test_a_card_without_certificates_allows_what_it_cannot_judge():
    require_new_pin(Secret("101285"), KnownNumbers.of_card([], ""))


def test_numbers_are_read_from_the_card_s_certificates(card):
    view = card.view()
    known = KnownNumbers.of_card([each.der for each in view.certificates] + [b"broken"], view.serial)
    assert known == HOLDER


def test_a_new_pin_is_none_of_the_card_s_other_codes():
    with pytest.raises(PinLength) as refused:
        require_new_pin(Secret("48273"), HOLDER, others=[Secret("91827364"), Secret("48273")])
    assert refused.value.operation == Weakness.OTHER_CODE
