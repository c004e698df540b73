"""Contacts of a holder in the one form that is stored and compared."""

from __future__ import annotations

import re
from dataclasses import dataclass

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from cms.errors import ContactInvalid
from notifications.errors import RecipientRefused
from notifications.policy import require_recipient

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")
_ADDRESS_LIMITS = {"street": 120, "postcode": 10, "town": 80, "province": 40}


@dataclass(frozen=True, slots=True)
class Contacts:
    """What a holder may change at renewal: data that no certificate carries."""

    email: str
    mobile: str
    street: str = ""
    postcode: str = ""
    town: str = ""
    province: str = ""

    @property
    def email_key(self) -> str:
        """The e-mail as uniqueness sees it."""
        return email_key(self.email)


def parse_contacts(*, email: str, mobile: str, **address: str) -> Contacts:
    """Normalise what a person typed; raise `ContactInvalid` for what cannot be a mailbox, a mobile, an address."""
    lines = {name: _line(address.get(name, ""), limit) for name, limit in _ADDRESS_LIMITS.items()}
    return Contacts(email=parse_email(email), mobile=parse_mobile(mobile), **lines)


def parse_email(text: str) -> str:
    """Return the trimmed address with its domain in IDNA form; dots and plus-tags are the person's choice."""
    address = text.strip()
    local, _, domain = address.rpartition("@")
    try:
        address = f"{local}@{domain.encode('idna').decode('ascii')}"
        validate_email(address)
        require_recipient(address)
    except (UnicodeError, ValidationError, RecipientRefused) as error:
        raise ContactInvalid from error
    return address


def email_key(email: str) -> str:
    """Fold an address for comparison. PEC and ordinary mail share one namespace."""
    return email.strip().casefold()


def parse_mobile(text: str) -> str:
    """Return E.164; only a mobile number will do (default region Italy, foreign mobiles are legal)."""
    try:
        number = phonenumbers.parse(text, "IT")
    except phonenumbers.NumberParseException as error:
        raise ContactInvalid from error
    mobile_types = {phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE}
    if not phonenumbers.is_valid_number(number) or phonenumbers.number_type(number) not in mobile_types:
        raise ContactInvalid
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _line(text: str, limit: int) -> str:
    line = " ".join(text.split())
    if len(line) > limit or CONTROL.search(line):
        raise ContactInvalid
    return line
