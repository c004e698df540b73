"""Rules of the order that follows an ending certificate: when it may begin, and what it takes over. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from smime import policy_data
from smime.errors import MailboxNotOwn
from smime.errors.renewal import CertificateNotRenewable
from smime.models import Order, SmimeCertificate
from smime.states import CertificateStatus, KeyOrigin, OrderState

TAKEN_OVER = (
    *("given_name", "surname"),
    *("technical_given_name", "technical_surname", "technical_email", "technical_phone"),
    *("contact_given_name", "contact_surname", "contact_email", "same_contact_ground"),
    *("vat_number", "register_number", "rea_number", "country", "duns"),
)
"""What the customer has typed. Nothing that was proven, accepted or confirmed: that is asked anew."""


def opens_at(not_after: datetime) -> datetime:
    """From when a certificate may be followed by another: with the first reminder of its end."""
    return not_after - timedelta(days=max(settings.SMIME.reminder_days))


def is_due(order: Order, newest: SmimeCertificate | None, now: datetime) -> bool:
    """Whether the order's certificate ends soon, or has ended, without having been suspended or revoked."""
    if order.state != OrderState.ISSUED or newest is None or newest.status != CertificateStatus.ACTIVE:
        return False
    return now >= opens_at(newest.not_after)


def require_due(order: Order, newest: SmimeCertificate | None, now: datetime) -> None:
    """Raise `CertificateNotRenewable` unless the certificate may be followed now."""
    if not is_due(order, newest, now):
        raise CertificateNotRenewable


def taken_over(order: Order, verified: Iterable[str]) -> dict[str, Any]:
    """Columns that the following order begins with.

    The buyer's own mailbox is left open where it is no longer among his `verified` addresses, since *Io* would not be
    believed of it today. A customer's own key is used once: the next one is made here unless he uploads another.
    """
    values = {name: getattr(order, name) for name in TAKEN_OVER}
    if order.key_origin == KeyOrigin.SERVER:
        values |= {"key_kind": order.key_kind, "bundle_format": order.bundle_format}
    if not order.recipient_is_buyer or _is_own(order.mailbox, verified):
        values |= {"mailbox": order.mailbox, "recipient_is_buyer": order.recipient_is_buyer}
    return values


def _is_own(mailbox: str, verified: Iterable[str]) -> bool:
    try:
        policy_data.require_own_mailbox(mailbox, verified)
    except MailboxNotOwn:
        return False
    return True
