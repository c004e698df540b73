"""Rules of orders and their checks: what a type demands, how long evidence counts, what changed data touches.

Pure: they compute or raise, and never write. Spans are exact: a day is 86,400 seconds (SBR 6.3.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from django.conf import settings

from smime import errors
from smime.models import Approval, Check, Order
from smime.states import CheckKind, CheckState, IdentityPath, OrderState, Validation

CHECKS_OF: dict[str, tuple[CheckKind, ...]] = {
    Validation.MAILBOX: (CheckKind.MAILBOX,),
    Validation.ORGANISATION: (CheckKind.MAILBOX, CheckKind.ORGANISATION, CheckKind.AUTHORITY),
    Validation.SPONSOR: (
        CheckKind.MAILBOX,
        CheckKind.ORGANISATION,
        CheckKind.AUTHORITY,
        CheckKind.ATTESTATION,
        CheckKind.CONSENT,
        CheckKind.IDENTITY,
    ),
    Validation.INDIVIDUAL: (CheckKind.MAILBOX, CheckKind.CONSENT, CheckKind.IDENTITY),
}
"""What each type demands (SBR 3.2; the guide's steps). Every path to a certificate asks `missing` about these."""

APPROVED_BY_PERSON = frozenset({Validation.ORGANISATION, Validation.SPONSOR})
WITH_ORGANISATION = frozenset({Validation.ORGANISATION, Validation.SPONSOR})
WITH_PERSON = frozenset({Validation.SPONSOR, Validation.INDIVIDUAL})


class Data(Enum):
    """What a customer may still correct after submission; each touches some checks and leaves the others alone."""

    NAME = "name"
    MAILBOX = "mailbox"
    TECHNICAL = "technical"
    CONTACT = "contact"
    ORGANISATION = "organisation"


TOUCHED: dict[Data, tuple[CheckKind, ...]] = {
    Data.NAME: (CheckKind.ATTESTATION, CheckKind.CONSENT, CheckKind.IDENTITY),
    Data.MAILBOX: (
        CheckKind.MAILBOX,
        CheckKind.AUTHORITY,
        CheckKind.ATTESTATION,
        CheckKind.CONSENT,
        CheckKind.IDENTITY,
    ),
    Data.TECHNICAL: (),
    Data.CONTACT: (CheckKind.AUTHORITY,),
    Data.ORGANISATION: (CheckKind.ORGANISATION, CheckKind.AUTHORITY, CheckKind.ATTESTATION),
}
"""What changed data void, of what the type has. Another mailbox is another reader: whoever was asked at it is anew."""

_CONTACT_FIELDS = (
    "technical_given_name",
    "technical_surname",
    "technical_email",
    "contact_given_name",
    "contact_surname",
    "contact_email",
)


@dataclass(frozen=True, slots=True)
class Missing:
    """A check that keeps the certificate back; `too_old` if it had passed and its span is over."""

    kind: CheckKind
    too_old: bool


def span_of(kind: str) -> timedelta:
    """How long evidence of this kind may be reused (SBR 4.2.1): 30 days for the mailed value, 825 for all else."""
    days = settings.SMIME.mailbox_days if kind == CheckKind.MAILBOX else settings.SMIME.evidence_days
    return timedelta(days=days)


def is_fresh(check: Check, now: datetime) -> bool:
    """Whether the check has passed and its evidence still counts at this instant; at its end it does not."""
    return check.state == CheckState.PASSED and check.valid_until is not None and now < check.valid_until


def missing(order: Order, checks: Iterable[Check], now: datetime) -> list[Missing]:
    """What keeps the order from being issued, in the order of the table; empty when it is ready. Never stored."""
    rows = {check.kind: check for check in checks}
    return [
        Missing(kind, too_old=kind in rows and rows[kind].state == CheckState.PASSED)
        for kind in CHECKS_OF[order.validation]
        if (kind not in rows or not is_fresh(rows[kind], now)) and not _is_spared(kind, rows)
    ]


def _is_spared(kind: str, rows: Mapping[str, Check]) -> bool:
    """Who is identified by a qualified signature need not consent to biometric processing, and may have refused it."""
    identity = rows.get(CheckKind.IDENTITY)
    return kind == CheckKind.CONSENT and identity is not None and identity.path == IdentityPath.SIGNATURE


def require_ready(order: Order, checks: Iterable[Check], now: datetime) -> None:
    """Raise `ChecksOpen` unless everything that the type demands is proven and fresh."""
    if missing(order, checks, now):
        raise errors.ChecksOpen


def approval_stands(order: Order, checks: Iterable[Check], approvals: Sequence[Approval]) -> bool:
    """Whether an officer's last word still covers what would be issued.

    A mailbox that is proven again because time passed needs no second approval; changed data or a new decision on any
    other check does.
    """
    decided = [check.passed_at for check in checks if check.kind != CheckKind.MAILBOX and check.passed_at]
    covered = max([*decided, *filter(None, [order.changed_at])], default=None)
    return any(covered is None or approval.at >= covered for approval in approvals)


def approves_itself(order: Order, checks: Sequence[Check], approvals: Sequence[Approval]) -> bool:
    """Whether nobody has to look any more: never asked for this type, or asked already about the same things."""
    return order.validation not in APPROVED_BY_PERSON or approval_stands(order, checks, approvals)


def is_abandoned(order: Order, now: datetime, went_back_at: datetime | None = None) -> bool:
    """Whether nobody has gone on with the order for so long that it lapses.

    `went_back_at`: when issuance was given up last and the order went back to its checks, where it was.
    """
    if order.state == OrderState.DRAFT:
        return now >= order.created_at + timedelta(days=settings.SMIME.draft_days)
    if order.state != OrderState.CHECKING or order.submitted_at is None:
        return False
    moved = max(filter(None, [order.submitted_at, order.changed_at, went_back_at]))
    return now >= moved + timedelta(days=settings.SMIME.checking_days)


def require_open(order: Order) -> None:
    """Raise `OrderClosed` unless checks may still be decided."""
    if order.state != OrderState.CHECKING:
        raise errors.OrderClosed


def require_same_round(seen: Check, stored: Check) -> None:
    """Raise `CheckChanged` if the check was restarted since `seen` was read: what was proven is of the data before."""
    if seen.round != stored.round:
        raise errors.CheckChanged


def is_same_contact(order: Order, values: Mapping[str, str]) -> bool:
    """Whether technical and organisational contact are one person: the same mailbox, or the same names.

    `values`: columns about to be stored, before those that the order has.
    """
    said = {name: str(values.get(name, getattr(order, name))).casefold() for name in _CONTACT_FIELDS}
    if said["technical_email"] == "" or said["contact_email"] == "":
        return False
    technical = (said["technical_given_name"], said["technical_surname"])
    same_name = technical == (said["contact_given_name"], said["contact_surname"])
    return same_name or said["technical_email"] == said["contact_email"]


def require_contacts_differ(order: Order, values: Mapping[str, str], ground: str) -> None:
    """Raise `ContactsEqual` if both contacts are one person and no ground was declared for it (the guide, step 4)."""
    if ground == "" and is_same_contact(order, values):
        raise errors.ContactsEqual
