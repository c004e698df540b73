"""Codice fiscale: the vectors of the domain notes."""

from __future__ import annotations

import pytest

from cms.errors import TaxCodeInvalid
from cms.tax_code import masked, parse_tax_code

GOOD = ["RSSMRA85T10A562S", "RSSMRA85T10A56NH", "RSSMRA85T1LA562V", "RSSMRA85T50A562W", "RSSMRA00B29H501Y"]
BAD = {
    "RSSMRA01B29H501Z": "29 February of a year that is no leap year in any century",
    "RSSMRA85T72A562C": "day 72",
    "RSSMRA85T40A562V": "day 40",
    "RSSMRA85T81A562Y": "day 81, which a modulo would accept",
    "RSSMRA85T10A562T": "wrong check letter",
    "RSSMRA85T10A562": "too short",
    "00743110157": "an organisation",
    "": "nothing",
    "RSSMRA85T10A562S\x00": "a NUL byte",
}


@pytest.mark.parametrize("code", GOOD)
def test_a_right_code_is_accepted(code):
    """Also omocodic ones, which are other people."""
    assert parse_tax_code(code) == code


@pytest.mark.parametrize("code", BAD, ids=BAD.values())
def test_a_wrong_code_is_refused(code):
    """With the class's stable code."""
    with pytest.raises(TaxCodeInvalid):
        parse_tax_code(code)


def test_case_and_blanks_do_not_matter():
    """People type as they like."""
    assert parse_tax_code(" rssmra 85t10 a562s ") == "RSSMRA85T10A562S"


def test_omocodic_codes_stay_different_people():
    """Nothing maps one onto the other."""
    assert parse_tax_code("RSSMRA85T10A56NH") != parse_tax_code("RSSMRA85T10A562S")


def test_a_masked_code_does_not_tell_the_code():
    """Half of it at most."""
    assert masked("RSSMRA85T10A562S") == "RSSM…562S"
