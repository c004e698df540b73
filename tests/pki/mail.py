"""S/MIME subjects, made up, one for each type, and the lives that their certificates have."""

from __future__ import annotations

from datetime import UTC, datetime

from pki.gateway import Profile, Subject
from pki.smime_profiles import POLICIES, term

MAIL_PROFILES = tuple(POLICIES)
TWO_YEARS = term(datetime(2026, 1, 15, 9, 30, tzinfo=UTC), 730)
MAILBOX = "anna.bianchi@example.org"
COMPANY = {
    "organization": "Officine dell'Adda S.p.A.",
    "organization_identifier": "VATIT-01234560157",
    "country": "IT",
    "locality": "Lodi",
    "state": "LO",
}
PERSON = {"given_name": "Anna Niccolò", "surname": "D'Amico", "common_name": "Anna Niccolò D'Amico"}
_OF_TYPE = {
    "mv": Subject(MAILBOX, country="", email=MAILBOX),
    "ov": Subject(COMPANY["organization"], email=MAILBOX, **COMPANY | {"organization_identifier": "NTRIT-01234560157"}),
    "sv": Subject(email=MAILBOX, **PERSON, **COMPANY),
    "iv": Subject(email=MAILBOX, **PERSON),
}


def subject_of(profile: Profile) -> Subject:
    """A whole and right subject of this profile."""
    return _OF_TYPE[profile.value.split("-")[1]]
