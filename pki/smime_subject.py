"""Subjects of S/MIME certificates out of verified facts (SBR 7.1.4.2): what goes in, what is left out, what is refused.

Nothing that was merely typed belongs here: names from the identification, organisations from the officer's finding.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import NoReturn

from pki.errors import MalformedInput
from pki.gateway import Profile, Subject
from pki.mailbox import require_ascii_mailbox
from pki.organisation_number import is_organisation_number
from pki.smime_assertions import LONGEST_ORGANISATION
from pki.smime_profiles import POLICIES
from pki.tax_code import is_tax_code

LONGEST_COMMON_NAME = 64  # RFC 5280 appendix A, ub-common-name
LONGEST_NAME = 64  # what the register keeps of a name; the certificate would take more
_COUNTRY = re.compile(r"[A-Z]{2}")
_NUMBER = re.compile(r"[!-~]{2,40}")


@dataclass(frozen=True, slots=True, repr=False)
class Person:
    """A natural person as identified; `title` is a function that somebody has verified, else empty."""

    given_name: str
    surname: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation as an officer has found it; `identifier` is made by `organisation_identifier`.

    `name` is the legal name, or the abbreviation that the officer has recorded where that has more than 64 characters.
    Place and address are empty unless verified.
    """

    name: str
    identifier: str
    country: str
    locality: str = ""
    state: str = ""
    street: str = ""
    postal_code: str = ""


def subject_for(
    profile: Profile, *, mailbox: str, person: Person | None = None, organisation: Organisation | None = None
) -> Subject:
    """Make the subject that a type demands, out of exactly the facts that it has.

    MV wants neither, OV an organisation, SV both, IV a person; `ValueError` for another choice. A common name over 64
    characters is left out, since nothing may be cut in it. `MalformedInput`: `mailbox-not-ascii`, `mailbox-malformed`,
    `name-malformed`, `organisation-name-long`, `organisation-identifier-malformed`.
    """
    needs = _needs(profile)
    if (person is not None, organisation is not None) != needs:
        msg = f"a {profile} certificate wants other facts than these"
        raise ValueError(msg)
    address = require_ascii_mailbox(mailbox)
    named = _of_person(person) if person else {}
    found = _of_organisation(organisation, is_strict=not profile.may_be_held) if organisation else {"country": ""}
    if not person:
        named = {"common_name": _common_name(found.get("organization", address))}
    return Subject(email=address, **named, **found)


def _needs(profile: Profile) -> tuple[bool, bool]:
    """Whether a type names a person, and an organisation; by the second last number of its reserved policy."""
    kind = POLICIES[profile].dotted_string.split(".")[-2]
    return kind in {"3", "4"}, kind in {"2", "3"}


def _of_person(person: Person) -> dict[str, str]:
    given_name, surname = (_text(name, LONGEST_NAME) for name in (person.given_name, person.surname))
    title = _text(person.title, LONGEST_NAME) if person.title else ""
    common_name = _common_name(f"{given_name} {surname}")
    return {"given_name": given_name, "surname": surname, "title": title, "common_name": common_name}


def _of_organisation(organisation: Organisation, *, is_strict: bool) -> dict[str, str]:
    place = {"locality": organisation.locality, "state": organisation.state}
    if not is_strict:  # strict certificates carry neither street nor postal code
        place |= {"street": organisation.street, "postal_code": organisation.postal_code}
    require_identifier(organisation.identifier, organisation.country)
    return {
        "organization": organisation_name(organisation.name),
        "organization_identifier": organisation.identifier,
        "country": organisation.country,
        **{name: _text(text, 128) for name, text in place.items() if text},
    }


def organisation_name(legal_name: str, *, abbreviation: str = "") -> str:
    """Give the name that the certificate carries: the legal one, or a recorded abbreviation where that is too long.

    `MalformedInput` (organisation-name-long) for one of more than 64 characters without an abbreviation that fits.
    """
    name = _text(legal_name)
    if len(name) > LONGEST_ORGANISATION and abbreviation:
        name = _text(abbreviation)
    if len(name) > LONGEST_ORGANISATION:
        raise MalformedInput("a name of more than 64 characters", code="organisation-name-long")
    return name


def organisation_identifier(country: str, *, vat_number: str = "", register_number: str = "") -> str:
    """Give the organizationIdentifier of a legal entity or a sole trader: `VATIT-...`, else `NTRIT-...`.

    The VAT number comes first: a sole trader's register number is his own tax code, which nobody may publish. Neither a
    D-U-N-S nor a REA number identifies anybody here. `MalformedInput` (organisation-identifier-malformed) where
    nothing is left that would.
    """
    scheme, number = ("VAT", vat_number) if vat_number else ("NTR", register_number)
    number = number.strip().upper()
    if scheme == "VAT":
        number = number.removeprefix(country)
    identifier = f"{scheme}{country}-{number}"
    require_identifier(identifier, country)
    return identifier


def require_identifier(identifier: str, country: str) -> None:
    """Refuse an organizationIdentifier that is not of this country, or whose number cannot be right."""
    scheme, at, number = identifier[:3], identifier[3:5], identifier[6:]
    if scheme == "LEI" and identifier.startswith("LEIXG-"):
        return  # its checksum is the linter's
    if not _COUNTRY.fullmatch(country) or at != country or identifier[5:6] != "-" or not _NUMBER.fullmatch(number):
        _refuse_identifier()
    if scheme not in {"VAT", "NTR"} or is_tax_code(number):
        _refuse_identifier()
    if country == "IT" and not is_organisation_number(number):
        _refuse_identifier()


def _refuse_identifier() -> NoReturn:
    raise MalformedInput("no identifier of an organisation", code="organisation-identifier-malformed")


def _common_name(text: str) -> str:
    return text if len(text) <= LONGEST_COMMON_NAME else ""


def _text(text: str, longest: int = 1024) -> str:
    """Compose accents into one form and single spaces; refuse what is empty, too long, a filler or not to be seen."""
    if any(unicodedata.category(character)[0] == "C" for character in text):  # controls, direction marks, line ends
        raise MalformedInput("a character that nobody sees", code="name-malformed")
    plain = " ".join(unicodedata.normalize("NFC", text).split())
    if len(plain) > longest or not any(character.isalnum() for character in plain):
        raise MalformedInput("not a name", code="name-malformed")
    return plain
