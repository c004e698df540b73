"""Contacts in the one form that is stored and compared."""

from __future__ import annotations

import pytest

from cms.contacts import email_key, parse_contacts, parse_email, parse_mobile
from cms.errors import ContactInvalid


@pytest.mark.parametrize("typed", ["3471234567", "+39 347 123 4567", "0039 347 1234567", "393471234567"])
def test_one_mobile_has_one_form(typed):
    """E.164, whatever was typed."""
    assert parse_mobile(typed) == "+393471234567"


def test_foreign_mobiles_are_legal():
    """A holder may live abroad."""
    assert parse_mobile("+4915112345678") == "+4915112345678"


@pytest.mark.parametrize("typed", ["33312345", "312345678", "0575 05050", "", "pronto", "+39" + "3" * 40])
def test_what_is_no_mobile_is_refused(typed):
    """Landlines too: the mobile is a factor of authentication."""
    with pytest.raises(ContactInvalid):
        parse_mobile(typed)


def test_addresses_differ_by_more_than_case():
    """Dots and tags belong to the person's choice; case does not."""
    assert email_key("Mario.Rossi+cns@Posta.Example.org") == email_key("mario.rossi+cns@posta.example.org")
    assert email_key("mariorossi@posta.example.org") != email_key("mario.rossi@posta.example.org")


def test_a_domain_is_stored_in_idna_form():
    """Mail servers want it so, and look-alikes show."""
    assert parse_email("mario@città.example.org") == "mario@xn--citt-3na.example.org"


@pytest.mark.parametrize(
    "typed", ["mario", "mario@", "@posta.example.org", "a@b@c", "mario@posta..org", "ma\nrio@posta.example.org"]
)
def test_what_is_no_mailbox_is_refused(typed):
    """Header injection included."""
    with pytest.raises(ContactInvalid):
        parse_email(typed)


@pytest.mark.parametrize("street", ["Via Roma\u202e1", "x" * 121, "Via\x00Roma"])
def test_a_hostile_address_line_is_refused(street):
    """Direction overrides, control characters and endless lines do not reach a form."""
    with pytest.raises(ContactInvalid):
        parse_contacts(email="mario@posta.example.org", mobile="3471234567", street=street)
