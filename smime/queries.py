"""Reads of the customer area: always within one buyer's own slots and orders."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from cms.models import User
from smime import errors, policy
from smime.models import Check, Order, Slot, SmimeCertificate
from smime.states import CertificateStatus, CheckKind, CheckState, OrderState, SlotState

MOST_SHOWN = 200
_ENDED = (OrderState.REJECTED, OrderState.CANCELLED, OrderState.LAPSED)


def orders_of(buyer: User) -> QuerySet[Order]:
    """The buyer's orders with their checks in the table's order and the certificates handed over, newest first."""
    checks = Prefetch("checks", queryset=Check.objects.order_by("pk"))
    certificates = Prefetch("certificates", queryset=SmimeCertificate.objects.handed_over().order_by("-edition"))
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


def own_mailboxes_of(buyer: User) -> list[str]:
    """Addresses that the buyer has proven to read, the one that he logs in with first."""
    rows = EmailAddress.objects.filter(user=buyer, verified=True).order_by("-primary", "pk")
    return list(rows.values_list("email", flat=True))


def living_order_of(slot: Slot) -> Order | None:
    """The order that has taken a slot, if it has not ended without a certificate."""
    return slot.orders.exclude(state__in=_ENDED).first()


def renewal_of(order: Order) -> Order | None:
    """The order that follows this one's certificate, if it has not ended without another that still counts."""
    standing = SmimeCertificate.objects.handed_over().exclude(status=CertificateStatus.REVOKED)
    is_lost = Q(state=OrderState.ISSUED) & ~Exists(standing.filter(order=OuterRef("pk")))
    return order.renewed_by.exclude(state__in=_ENDED).exclude(is_lost).order_by("-pk").first()


def free_slot_like(order: Order, buyer: User) -> Slot | None:
    """An activation of the order's type that can be started: of the same centre, service and term if there is one."""
    free = [slot for slot in free_slots_of(buyer) if slot.validation == order.validation]
    same = (order.centre_id, order.service_id)
    ranked = sorted(
        free, key=lambda slot: ((slot.centre_id, slot.service_id) != same, slot.term_days != order.term_days)
    )
    return ranked[0] if ranked else None


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
