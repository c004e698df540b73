"""What customers may type about persons and organisations: read tolerantly, stored in one form, refused with a reason.

Forms and use cases ask the same functions.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

import phonenumbers

from cms.contacts import email_key
from cms.errors import Invalid, TaxCodeInvalid
from cms.tax_code import parse_tax_code
from pki.errors import MalformedInput
from pki.mailbox import require_ascii_mailbox
from pki.organisation_number import is_organisation_number
from smime import errors
from smime.countries import CODES

LONGEST_NAME = 64  # RFC 5280, upper bounds of X.520 names
_MARKS = frozenset(" '\N{RIGHT SINGLE QUOTATION MARK}-.,·")
_VAT_PREFIX = re.compile(r"[A-Z]{2}")
_FOREIGN_VAT = re.compile(r"[A-Z0-9+*]{2,20}")
_REA = re.compile(r"(?P<province>[A-Z]{2})[- /]?(?P<number>[0-9]{1,7})")
_LEI = re.compile(r"[A-Z0-9]{18}[0-9]{2}")
_EUID = re.compile(r"(?P<country>[A-Z]{2})[A-Z0-9]{1,10}\.[A-Z0-9./-]{1,20}")
_REGISTER = re.compile(r"[A-Z0-9][A-Z0-9 ./-]{0,31}")
_DUNS_DIGITS = 9
_ITALY = "IT"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as typed, or as stored once `checked_person` has returned him. `phone` is E.164, or empty."""

    given_name: str
    surname: str
    email: str
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Organisation:
    """The applicant's organisation. `duns` helps an officer to find it and never stands in a certificate."""

    vat_number: str
    register_number: str
    country: str
    rea_number: str = ""
    duns: str = ""


def checked_person(typed: Person) -> Person:
    """Bring a person to the stored form; raises what is wrong with him."""
    return Person(
        person_name(typed.given_name), person_name(typed.surname), mailbox(typed.email), phone_number(typed.phone)
    )


def checked_organisation(typed: Organisation) -> Organisation:
    """Bring an organisation to the stored form; raises what is wrong with it."""
    country = country_code(typed.country)
    return Organisation(
        vat_number=vat_number(typed.vat_number, country=country),
        register_number=register_number(typed.register_number, country=country),
        country=country,
        rea_number=rea_number(typed.rea_number),
        duns=duns(typed.duns),
    )


def person_name(typed: str) -> str:
    """Return a given name or surname in NFC with single blanks.

    Letters of any script, their marks, apostrophes, hyphens and full stops; no control characters (a line break would
    break mails and files apart), no digits, no filler of marks alone (SBR 7.1.4.2).
    """
    if any(unicodedata.category(char).startswith("C") for char in typed):
        raise errors.NameInvalid
    name = unicodedata.normalize("NFC", " ".join(typed.split()))
    if len(name) > LONGEST_NAME:
        raise errors.NameLong
    letters = [char for char in name if unicodedata.category(char)[0] in "LM"]
    if not letters or len(letters) + sum(char in _MARKS for char in name) != len(name):
        raise errors.NameInvalid
    return name


def mailbox(typed: str) -> str:
    """Return an address that a certificate may carry (ASCII, one mailbox), its domain in small letters."""
    try:
        return require_ascii_mailbox(typed.strip(" "))
    except MalformedInput as wrong:
        raise errors.MailboxNotAscii if wrong.code == "mailbox-not-ascii" else errors.MailboxMalformed from wrong


def require_own_mailbox(address: str, verified: Iterable[str]) -> None:
    """Raise `MailboxNotOwn` unless the address is among those that the buyer has proven to read.

    Compared without case, as accounts keep their addresses and the register tells mailboxes apart (`email_key`).
    """
    if email_key(address) not in {email_key(each) for each in verified}:
        raise errors.MailboxNotOwn


def require_key_of_recipient(*, is_uploaded: bool, is_buyer: bool) -> None:
    """Raise `CsrNotOfRecipient` for an uploaded key where buyer and recipient differ: he alone shall have it."""
    if is_uploaded and not is_buyer:
        raise errors.CsrNotOfRecipient


def phone_number(typed: str) -> str:
    """Return a telephone number in E.164, Italian without a prefix; empty for none."""
    if not typed.strip():
        return ""
    try:
        number = phonenumbers.parse(typed, _ITALY)
    except phonenumbers.NumberParseException as wrong:
        raise errors.PhoneInvalid from wrong
    if not phonenumbers.is_valid_number(number):
        raise errors.PhoneInvalid
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def country_code(typed: str) -> str:
    """Return an ISO 3166-1 code of the list."""
    code = typed.strip().upper()
    if code not in CODES:
        raise errors.CountryUnknown
    return code


def vat_number(typed: str, *, country: str) -> str:
    """Return a *partita IVA o codice fiscale* without country prefix; abroad the VAT number as it is written there.

    Italian ones are checked to the last digit: 11 digits, or 16 characters for a sole proprietor (domain notes F.2).
    """
    number = _bare(typed)
    if _VAT_PREFIX.match(number) and number[:2] in {country, "EL" if country == "GR" else country}:
        number = number[2:]
    if country != _ITALY:
        if not _FOREIGN_VAT.fullmatch(number) or not any(char.isdigit() for char in number):
            raise errors.VatInvalid
        return number
    if is_organisation_number(number):
        return number
    return _personal_code(number, errors.VatInvalid)


def register_number(typed: str, *, country: str) -> str:
    """Return the number in the business register; a LEI or an EUID is checked as such wherever it is given.

    In Italy it is the tax code of the entity, never the REA number, which every province gives anew.
    """
    number = " ".join(typed.split()).upper()
    bare = _bare(typed)
    if _LEI.fullmatch(bare):
        return _lei(bare)
    if "." in bare and (euid := _EUID.fullmatch(bare)):
        if euid["country"] != country:
            raise errors.EuidInvalid
        return bare
    if country != _ITALY:
        if not _REGISTER.fullmatch(number) or not any(char.isdigit() for char in number):
            raise errors.RegisterNumberInvalid
        return number
    if _REA.fullmatch(number):
        raise errors.RegisterNumberIsRea
    return bare if is_organisation_number(bare) else _personal_code(bare, errors.RegisterNumberInvalid)


def rea_number(typed: str) -> str:
    """Return a REA number as `RM-1234567`; empty for none."""
    if not typed.strip():
        return ""
    rea = _REA.fullmatch(" ".join(typed.split()).upper())
    if rea is None:
        raise errors.ReaInvalid
    return f"{rea['province']}-{rea['number']}"


def duns(typed: str) -> str:
    """Return nine digits without dashes; empty for none. It has had no check digit since about 2006."""
    number = re.sub(r"[\s-]", "", typed)
    if not number:
        return ""
    if len(number) != _DUNS_DIGITS or not (number.isascii() and number.isdigit()) or len(set(number)) == 1:
        raise errors.DunsInvalid
    return number


def _bare(typed: str) -> str:
    return re.sub(r"[\s/-]", "", typed).upper()


def _personal_code(number: str, refusal: type[Invalid]) -> str:
    try:
        return parse_tax_code(number)
    except TaxCodeInvalid as wrong:
        raise refusal from wrong


def _lei(code: str) -> str:
    """ISO 17442: letters as 10 to 35, the whole modulo 97 is 1 (ISO 7064)."""
    if int("".join(str(int(char, 36)) for char in code)) % 97 != 1:
        raise errors.LeiInvalid
    return code
