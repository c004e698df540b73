"""Reads of the customer area: always within one buyer's own slots and orders."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from cms.models import User
from smime import errors, policy
from smime.models import Check, Order, Slot, SmimeCertificate
from smime.states import CheckKind, CheckState, OrderState, SlotState

MOST_SHOWN = 200


def orders_of(buyer: User) -> QuerySet[Order]:
    """The buyer's orders with their checks in the table's order, newest first."""
    checks = Prefetch("checks", queryset=Check.objects.order_by("pk"))
    certificates = Prefetch("certificates", queryset=SmimeCertificate.objects.order_by("-edition"))
    rows = Order.objects.filter(buyer=buyer).select_related("slot", "centre", "service")
    return rows.prefetch_related(checks, certificates).order_by("-id")


def order_of(uid: UUID, buyer: User) -> Order:
    """One of the buyer's orders; raises `OrderUnknown` for any other, whoever else may own it."""
    order = orders_of(buyer).filter(uid=uid).first()
    if order is None:
        raise errors.OrderUnknown
    return order


def free_slots_of(buyer: User) -> list[Slot]:
    """Activations that can be started, oldest purchase first."""
    free = Slot.objects.filter(owner=buyer, state=SlotState.FREE).select_related("service", "centre")
    return list(free.order_by("id")[:MOST_SHOWN])


def living_order_of(slot: Slot) -> Order | None:
    """The order that has taken a slot, if it has not ended without a certificate."""
    ended = [OrderState.REJECTED, OrderState.CANCELLED, OrderState.LAPSED]
    return slot.orders.exclude(state__in=ended).first()


def next_to_act(order: Order, now: datetime) -> Check | None:
    """The check that says who must act next: what waits for the customer first, then what others look at."""
    open_ = {missing.kind for missing in policy.missing(order, order.checks.all(), now)}
    rows = [check for check in order.checks.all() if check.kind in open_]
    first = (CheckState.WAITING_CUSTOMER, CheckState.FAILED, CheckState.IN_REVIEW, CheckState.WAITING_THIRD_PARTY)
    ranked = sorted((check for check in rows if check.state in first), key=lambda check: first.index(check.state))
    return ranked[0] if ranked else None


def check_of(order: Order, kind: CheckKind) -> Check | None:
    """The order's check of one kind, from what was read with it."""
    return next((check for check in order.checks.all() if check.kind == kind), None)
