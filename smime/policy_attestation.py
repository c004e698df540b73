"""Rules of the *Attestazione del Rapporto Professionale* (the guide, step 6): what it must say, and who may say it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from django.conf import settings

from cms.contacts import CONTROL, parse_email
from cms.errors import ContactInvalid
from smime import policy_data
from smime.errors import PhoneInvalid
from smime.errors import attestation as errors
from smime.models import Check, Order
from smime.policy_identity import is_same_person
from smime.states import CheckState, OrderState, Validation

REASON = "Attivazione S/MIME"
LONGEST = {
    "role": 64,
    "function": 64,
    "company": 120,
    "address": 200,
    "reason": 80,
    "attested_on": 10,
    "referee": 128,
    "referee_role": 80,
    "contact": 254,
}
"""What the customer types from the letter, and how long it may be; the applicant's name comes from the order."""
REPLACEABLE = frozenset(
    {CheckState.TODO, CheckState.WAITING_CUSTOMER, CheckState.WAITING_THIRD_PARTY, CheckState.FAILED}
)


def tidy(typed: Mapping[str, str]) -> dict[str, str]:
    """The known fields on one line each, cut to their length; nothing is judged yet."""
    return {name: " ".join(CONTROL.sub(" ", str(typed.get(name, ""))).split())[:most] for name, most in LONGEST.items()}


def checked(typed: Mapping[str, str], order: Order, *, today: date) -> dict[str, str]:
    """Return the fields as they are stored, with the applicant they are about; raises the first thing wrong.

    `today` is the day in Italy. Of a letter that is too old, or signed by its own subject, nothing is stored.
    """
    fields = tidy(typed)
    if not all(fields.values()):
        raise errors.AttestationIncomplete
    fields["attested_on"] = _recent(fields["attested_on"], today).isoformat()
    if is_applicant(fields["referee"], order):
        raise errors.RefereeIsApplicant
    fields["contact"] = _contact(fields["contact"], order)
    return {**fields, "applicant": applicant_of(order)}


def applicant_of(order: Order) -> str:
    """The applicant's name as the letter has to spell it."""
    return f"{order.given_name} {order.surname}"


def is_applicant(name: str, order: Order) -> bool:
    """Whether a full name is the applicant's, in whichever order, accents, case and apostrophes aside."""
    return is_same_person((order.given_name, order.surname), (name, name))


def require_replaceable(order: Order, check: Check | None) -> None:
    """Raise unless an attestation is asked for and nobody has begun to look at one; a draft has no check yet."""
    is_open = order.state in {OrderState.DRAFT, OrderState.CHECKING}
    if order.validation != Validation.SPONSOR or not is_open:
        raise errors.AttestationClosed
    if check is not None and check.state not in REPLACEABLE:
        raise errors.AttestationClosed


def _recent(typed: str, today: date) -> date:
    try:
        day = date.fromisoformat(typed)
    except ValueError as wrong:
        raise errors.AttestationIncomplete from wrong
    if day > today:
        raise errors.AttestationOfTomorrow
    if today - day > timedelta(days=settings.SMIME.attestation_days):
        raise errors.AttestationTooOld
    return day


def _contact(typed: str, order: Order) -> str:
    """An address or a telephone number at which the referee, and not the applicant, is reached."""
    try:
        contact = parse_email(typed).lower() if "@" in typed else policy_data.phone_number(typed)
    except (ContactInvalid, PhoneInvalid) as wrong:
        raise errors.RefereeContactInvalid from wrong
    if contact in {order.mailbox.lower(), order.technical_phone}:
        raise errors.RefereeContactInvalid
    return contact
