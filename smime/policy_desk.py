"""Rules of the officers' desk: who may decide what, and what must be on record before a check counts as proven.

Pure: they raise or return what is to be stored. What the customer typed proves nothing; a contact that he chose, or
that stands in the letter, is no independent one (SBR 3.2.6, 3.2.8).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from django.conf import settings

from cms import policy as register
from cms.contacts import parse_email
from cms.errors import ContactInvalid, DomainError
from cms.models import User
from pki import smime_subject
from pki.errors import MalformedInput
from smime import policy_data
from smime.errors import CheckChanged, OrderClosed, PhoneInvalid
from smime.errors import desk as errors
from smime.models import Check, EvidenceFile, Order
from smime.policy import APPROVED_BY_PERSON
from smime.policy_issuance import handed_over
from smime.states import (
    CallOutcome,
    CheckKind,
    CheckState,
    ContactSource,
    DocumentKind,
    FileKind,
    FindingOutcome,
    IdentityPath,
    OrderState,
    RegisterSource,
    RevocationGround,
    ScanState,
)

AT_DESK = frozenset({CheckKind.ORGANISATION, CheckKind.AUTHORITY, CheckKind.ATTESTATION})
"""Decided by a finding; identity has its own two decisions, mailbox and consent are the recipient's alone."""
_BY_POST = frozenset({CheckKind.ORGANISATION, CheckKind.AUTHORITY})
LETTER_FIELDS = (
    "applicant",
    "role",
    "function",
    "company",
    "address",
    "reason",
    "attested_on",
    "referee",
    "referee_role",
    "contact",
    "statement",
    "signature",
)
"""What is ticked against the letter; the last two stand in the letter alone: the statement, and a legible signature."""
FACE, DATA = "face", "data"
COMPARED = (FACE, DATA)
"""What is ticked where a person is identified: face against document, document against what was typed."""
BY_OFFICER = tuple(ground for ground in RevocationGround if ground != RevocationGround.SUPERSEDED)
"""Grounds that an officer may choose; *superseded* belongs to reissues alone."""
LONGEST = 120
_SECTIONS = {
    CheckKind.ORGANISATION: "SBR 3.2.3.2",
    CheckKind.AUTHORITY: "SBR 3.2.6",
    CheckKind.ATTESTATION: "SBR 3.2.4.1",
}


@dataclass(frozen=True, slots=True)
class Call:
    """A call to a contact that the officer has found himself."""

    contact: str = ""
    contact_source: str = ""
    called_at: datetime | None = None
    answered_by: str = ""
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Registered:
    """An organisation as a register shows it. `abbreviation` only for names of more than 64 characters."""

    source: str = ""
    reference: str = ""
    is_active: bool = False
    legal_name: str = ""
    abbreviation: str = ""
    identifier: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Document:
    """An identity document as the officer has read it."""

    kind: str = ""
    number: str = ""
    issuer: str = ""
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What an officer puts on record about a check; parts that do not belong to it stay empty."""

    registered: Registered = field(default_factory=Registered)
    call: Call = field(default_factory=Call)
    ticked: Collection[str] = ()
    note: str = ""


def require_officer(order: Order, operator: User) -> None:
    """Operators and managers of the order's centre, and administrators; never a party to the order."""
    if not (operator.is_active and operator.is_administrator):
        register.require_member(operator, order.centre_id, register.DECIDING_ROLES)
    parties = {order.mailbox.lower(), order.contact_email.lower(), order.technical_email.lower()} - {""}
    if order.buyer_id == operator.pk or operator.email.lower() in parties:
        raise errors.OfficerIsParty


def may_decide(order: Order, operator: User) -> bool:
    """Whether pages show him what he could do; the use cases ask again."""
    try:
        require_officer(order, operator)
    except DomainError:
        return False
    return True


def require_second_person(order: Order, checks: Iterable[Check], operator: User) -> None:
    """Raise unless a person is asked for this type, and this one has decided none of the checks. So does a trigger."""
    if order.validation not in APPROVED_BY_PERSON:
        raise errors.ApprovalNotAsked
    if any(check.decided_by == operator.pk for check in checks):
        raise errors.SecondPersonNeeded


def is_decidable(check: Check) -> bool:
    """Whether an officer may decide now: he looks at it, or waits for papers that come by post."""
    by_post = check.kind in _BY_POST and check.state in {CheckState.WAITING_CUSTOMER, CheckState.TODO}
    return check.kind in AT_DESK and (check.state == CheckState.IN_REVIEW or by_post)


def require_decidable(check: Check) -> None:
    """Raise `CheckNotForDesk` or `CheckNotInReview`."""
    if check.kind not in AT_DESK:
        raise errors.CheckNotForDesk
    if not is_decidable(check):
        raise errors.CheckNotInReview


def require_round(check: Check, seen_round: int) -> None:
    """Raise `CheckChanged` if the officer had other data before him than those that would be decided."""
    if check.round != seen_round:
        raise CheckChanged


def require_rejectable(order: Order) -> None:
    """Raise `OrderClosed` once there is a certificate, or where the customer has ended it."""
    is_reissue = order.state == OrderState.APPROVED and handed_over(order).exists()
    if order.state not in {OrderState.CHECKING, OrderState.APPROVED} or is_reissue:
        raise OrderClosed


def method_of(check: Check) -> str:
    """Name the section and version of the requirements under which a finding proves the check."""
    return f"{_SECTIONS[CheckKind(check.kind)]} v{settings.SMIME.requirements_version}"


def require_reason(outcome: str, reason: str) -> str:
    """Return the sentence for the customer on one line; one is needed wherever something is refused or asked for."""
    said = " ".join(reason.split())[:300]
    if outcome in {FindingOutcome.REFUSED, FindingOutcome.PAPERS} and not said:
        raise errors.ReasonMissing
    return said


def require_proof(order: Order, check: Check, found: Found, letter: EvidenceFile | None, *, now: datetime) -> None:
    """Raise what is missing before the check may count as proven."""
    if check.kind == CheckKind.ORGANISATION:
        require_registered(found.registered)
        return
    if check.kind == CheckKind.ATTESTATION:
        if letter is None or letter.scan != ScanState.CLEAN:
            raise errors.LetterNotClean
        require_compared(found.ticked, LETTER_FIELDS)
    require_confirmed(order, found.call, now=now)


def require_registered(registered: Registered) -> None:
    """Raise unless source, number and an active status are on record."""
    if registered.source not in RegisterSource.values or not registered.reference.strip():
        raise errors.SourceMissing
    if not registered.is_active:
        raise errors.OrganisationInactive


def verified_name(registered: Registered) -> str:
    """Return the name that the certificate carries; refuse one over 64 characters without its abbreviation."""
    try:
        return smime_subject.organisation_name(registered.legal_name, abbreviation=registered.abbreviation)
    except MalformedInput as wrong:
        if wrong.code == "organisation-name-long":
            raise errors.OrganisationNameLong from wrong
        raise errors.OrganisationNameMalformed from wrong


def verified_identifier(order: Order, registered: Registered) -> str:
    """Return the organizationIdentifier in capitals; refuse one that cannot be this organisation's."""
    identifier = "".join(registered.identifier.split()).upper()
    try:
        smime_subject.require_identifier(identifier, order.country)
    except MalformedInput as wrong:
        raise errors.OrganisationIdentifierMalformed from wrong
    return identifier


def suggested_identifier(order: Order) -> str:
    """Make the identifier out of what was typed, for the officer to compare; empty where nothing fits."""
    for numbers in ({"vat_number": order.vat_number}, {"register_number": order.register_number}):
        try:
            return smime_subject.organisation_identifier(order.country, **numbers)
        except MalformedInput:
            continue
    return ""


def require_independent(order: Order, contact: str) -> str:
    """Return the contact in its stored form; refuse what the applicant typed and what stands in the letter."""
    plain = _contact(contact)
    theirs = {
        order.mailbox,
        order.technical_email,
        order.technical_phone,
        order.contact_email,
        order.buyer.email,
        str((order.attested or {}).get("contact", "")),
    }
    if plain in {_contact_or_empty(each) for each in theirs} - {""}:
        raise errors.ContactNotIndependent
    return plain


def require_confirmed(order: Order, call: Call, *, now: datetime) -> None:
    """Raise unless somebody confirmed at an independent contact, after the order was sent (SBR 3.2.6)."""
    require_call_sound(order, call, now=now)
    if call.called_at is None or not call.contact or not call.answered_by.strip():
        raise errors.CallIncomplete
    if call.contact_source not in ContactSource.values:
        raise errors.CallIncomplete
    if call.outcome != CallOutcome.CONFIRMED:
        raise errors.CallNotConfirmed


def require_call_sound(order: Order, call: Call, *, now: datetime) -> None:
    """What is on record of a call must be possible, also where it proves nothing yet."""
    if call.contact:
        require_independent(order, call.contact)
    begun = (order.submitted_at or order.created_at).replace(second=0, microsecond=0)  # people note minutes
    if call.called_at is not None and not begun <= call.called_at <= now:
        raise errors.CallTimeInvalid


def require_compared(ticked: Collection[str], wanted: Collection[str]) -> None:
    """Raise unless everything was ticked."""
    if not set(wanted) <= set(ticked):
        raise errors.FieldsNotCompared


def is_biometric_closed(check: Check) -> bool:
    """Whether the recipient was led to the alternative, and is not identified by it yet."""
    is_alternative = check.kind == CheckKind.IDENTITY and check.path == IdentityPath.SIGNATURE
    return is_alternative and check.state != CheckState.PASSED


def require_reopenable(check: Check, reason: str) -> str:
    """Return why the biometric way is opened again, on one line; raise `BiometricNotClosed`, `ReopeningUnexplained`."""
    if not is_biometric_closed(check):
        raise errors.BiometricNotClosed
    said = " ".join(reason.split())[:300]
    if not said:
        raise errors.ReopeningUnexplained
    return said


def require_photos(photos: Iterable[EvidenceFile]) -> None:
    """Raise unless a face and the front of a document can be looked at (a passport has no back)."""
    seen = {photo.kind for photo in photos if photo.scan == ScanState.CLEAN}
    if not {FileKind.FACE, FileKind.DOCUMENT_FRONT} <= seen:
        raise errors.IdentityPhotosMissing


def require_document(document: Document, *, today: date) -> None:
    """Raise unless kind, number, issuer and validity are there, and the document is in force on this day in Italy."""
    is_whole = document.kind in DocumentKind.values and document.number.strip() and document.issuer.strip()
    if not is_whole or document.valid_until is None:
        raise errors.DocumentIncomplete
    if document.valid_until < today:
        raise errors.DocumentExpired


def _contact(typed: str) -> str:
    try:
        return parse_email(typed).lower() if "@" in typed else policy_data.phone_number(typed)
    except (ContactInvalid, PhoneInvalid) as wrong:
        raise errors.CallIncomplete from wrong


def _contact_or_empty(stored: str) -> str:
    try:
        return _contact(stored) if stored else ""
    except DomainError:
        return stored.lower()
