"""The way of an order: begun with a slot, submitted with accepted terms, given up.

What is filled in between stands in `descriptions`. Every use case finds the order within the buyer's own.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Max

from cms import events
from cms.actors import SYSTEM, Actor, customer
from cms.models import User
from runtime.transactions import use_case
from smime import errors, policy, policy_data, policy_issuance, policy_steps, queries
from smime.codes import new_order_code
from smime.models import Order, Slot
from smime.policy_steps import Step
from smime.services import checks, slots
from smime.services.acceptance import Accepted, accept_terms
from smime.states import CaOrderKind, KeyOrigin, OrderState, SlotState

MOST_AT_ONCE = 500
GIVEN_UP = (OrderState.DRAFT, OrderState.CHECKING)
"""States in which the customer may give an order up; during issuance the CA may have signed already."""


@use_case
def start_order(slot_code: str, *, buyer: User, now: datetime, language: str = "it") -> Order:
    """Begin an order with one of the buyer's slots; with one in use, return its order.

    Raises `SlotUnknown` for another customer's slot, `SlotTaken` for a withdrawn one.
    """
    slot = Slot.objects.select_for_update(no_key=True).filter(code=slot_code, owner=buyer).first()
    if slot is None:
        raise errors.SlotUnknown
    if slot.state != SlotState.FREE:
        return _order_with(slot)
    slot.take()
    slot.save()
    order = Order.objects.create(
        code=new_order_code(),
        slot=slot,
        buyer=buyer,
        centre_id=slot.centre_id,
        service_id=slot.service_id,
        validation=slot.validation,
        term_days=slot.term_days,
        language=language,
        created_at=now,
    )
    _record("smime.order-started", order, buyer, now)
    return order


@use_case
def submit_order(
    order_uid: UUID, *, accepted: Accepted | None, address: str | None, buyer: User, now: datetime
) -> Order:
    """Store the accepted terms and begin the checks; a second time changes nothing.

    Raises `StepMissing`, `TermsNotAccepted`, `TermsOutdated`, `MailboxNotOwn`, `CsrNotOfRecipient`, `OrderClosed`.
    """
    order = locked_order(order_uid, buyer)
    if order.state == OrderState.CHECKING:
        return order
    if order.state != OrderState.DRAFT:
        raise errors.OrderClosed
    policy_steps.require_complete(order)
    _require_key_stays_with_recipient(order, buyer)
    accept_terms(order, accepted, role="buyer", address=address, at=now, actor_id=buyer.pk)
    order.submit(at=now)
    order.save()
    _record("smime.order-submitted", order, buyer, now)
    checks.open_checks(order, at=now)
    return order


@use_case
def cancel_order(order_uid: UUID, *, buyer: User, now: datetime) -> Order:
    """Give the order up: its mailed links are void, and its slot can be started again. A second time changes nothing.

    A reissue leads back to the certificate that is there. Raises `OrderClosed` once issuance has begun.
    """
    order = locked_order(order_uid, buyer)
    if order.state == OrderState.CANCELLED:
        return order
    if order.state not in GIVEN_UP:
        raise errors.OrderClosed
    if keep_certificate(order, actor=customer(buyer), at=now):
        return order
    order.cancel(reason="", at=now)
    order.save()
    slots.free_slot(order)
    _record("smime.order-cancelled", order, buyer, now)
    return order


def lapse_abandoned(*, now: datetime) -> int:
    """Let orders lapse that nobody goes on with, some at a time, and give their activations back; returns how many."""
    since = now - timedelta(days=min(settings.SMIME.draft_days, settings.SMIME.checking_days))
    old = Order.objects.filter(state__in=GIVEN_UP, created_at__lte=since).order_by("created_at")
    due = [order.pk for order in old[:MOST_AT_ONCE] if _is_abandoned(order, now)]
    return sum(_lapse(pk, now=now) for pk in due)


@use_case
def _lapse(order_id: int, *, now: datetime) -> bool:
    order = Order.objects.select_for_update(no_key=True).get(pk=order_id)
    if not _is_abandoned(order, now):
        return False
    if keep_certificate(order, actor=SYSTEM, at=now):
        return True
    order.lapse(at=now)
    order.save()
    slots.free_slot(order)
    events.record("smime.order-lapsed", actor=SYSTEM, at=now, **checks.scope(order))
    return True


def keep_certificate(order: Order, *, actor: Actor, at: datetime, reason: str = "") -> bool:
    """Where the locked order was being checked for a reissue, lead it back to its certificate, and say so.

    Its slot is used up: freed, it would give a second certificate for nothing. `reason`: of an officer's refusal.
    """
    if order.state != OrderState.CHECKING or not policy_issuance.handed_over(order).exists():
        return False
    order.keep_issued()
    order.save()
    events.record("smime.reissue-given-up", actor=actor, at=at, reason=reason, **checks.scope(order))
    return True


def _require_key_stays_with_recipient(order: Order, buyer: User) -> None:
    """Look once more at who will hold the key: recipient, mailbox and key may have been chosen in any order."""
    is_uploaded = order.key_origin == KeyOrigin.CSR
    policy_data.require_key_of_recipient(is_uploaded=is_uploaded, is_buyer=order.recipient_is_buyer)
    if order.recipient_is_buyer:
        policy_data.require_own_mailbox(order.mailbox, queries.own_mailboxes_of(buyer))


def _is_abandoned(order: Order, now: datetime) -> bool:
    if not policy.is_abandoned(order, now):
        return False
    went_back = order.ca_orders.filter(kind=CaOrderKind.ISSUE).aggregate(at=Max("settled_at"))["at"]
    return policy.is_abandoned(order, now, went_back)


def next_page(order: Order) -> Step | None:
    """The wizard's page that the order needs next; None when its status is to be shown."""
    return policy_steps.next_step(order)


def locked_order(order_uid: UUID, buyer: User) -> Order:
    """Lock one of the buyer's orders; raises `OrderUnknown` for any other."""
    order = Order.objects.select_for_update(no_key=True).filter(uid=order_uid, buyer=buyer).first()
    if order is None:
        raise errors.OrderUnknown
    return order


def _order_with(slot: Slot) -> Order:
    order = queries.living_order_of(slot)
    if order is None:
        raise errors.SlotTaken
    return order


def _record(verb: str, order: Order, buyer: User, now: datetime) -> None:
    events.record(verb, actor=customer(buyer), at=now, **checks.scope(order))
