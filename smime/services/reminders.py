"""Reminding of certificates that end: once for each threshold, the nearest that has passed, never a burst."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from runtime.transactions import use_case
from smime import policy_issuance, queries
from smime.models import Order
from smime.services import letters
from smime.states import CertificateStatus, OrderState

_BATCH = 200


@use_case
def tell_due(*, at: datetime) -> int:
    """Post the reminders that are due at `at` and store the next one of each order; returns how many orders were due.

    After an outage the nearest threshold is told and the farther ones are not. Revoked, ended, or followed by another
    certificate that was not revoked: nothing is told.
    """
    rows = Order.objects.select_for_update(skip_locked=True, no_key=True).filter(reminder_at__lte=at)
    due = list(rows.order_by("reminder_at", "pk")[:_BATCH])
    for order in due:
        _tell(order, at)
    return len(due)


def _tell(order: Order, at: datetime) -> None:
    certificate = policy_issuance.handed_over(order).order_by("-edition").first()
    is_alive = certificate is not None and certificate.status != CertificateStatus.REVOKED
    if certificate is None or not is_alive or order.state != OrderState.ISSUED or at > certificate.not_after:
        order.reminder_at = None
        order.save(update_fields=["reminder_at"])
        return
    passed = [days for days in settings.SMIME.reminder_days if certificate.not_after - timedelta(days=days) <= at]
    if passed and not _is_followed(order):
        letters.post_expiring(order, min(passed), at=at)
    order.reminder_at = policy_issuance.reminder_after(certificate.not_after, at)
    order.save(update_fields=["reminder_at"])


def _is_followed(order: Order) -> bool:
    """Whether the order that renews this one has its certificate: nothing is to be done while that one counts."""
    following = queries.renewal_of(order)
    return following is not None and following.state == OrderState.ISSUED
