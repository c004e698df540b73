"""Purchased activations: credited to a customer from a centre's stock, taken back while nobody has begun with them.

Each slot holds one reserved unit under its own code; issuance debits it, withdrawal gives it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction

from cms import events
from cms.actors import operator as operator_actor
from cms.contacts import CONTROL, parse_email
from cms.errors import NotFound, StockEmpty
from cms.models import Agreement, User
from cms.services import stock
from runtime.transactions import use_case
from smime import policy_slots, queries
from smime.codes import new_slot_code
from smime.errors import NameInvalid
from smime.errors import slots as errors
from smime.models import Order, Slot
from smime.services import letters, welcome
from smime.states import SlotState

_MOST_REFERENCE, _LEAST_NAME, _MOST_NAME = 48, 3, 120


@dataclass(frozen=True, slots=True)
class _Purchase:
    """What is credited, once it was checked."""

    agreement: Agreement
    validation: str
    term_days: int
    quantity: int
    reference: str


@use_case
def credit_slots(  # noqa: PLR0913 - one purchase, each of its facts by name
    *,
    email: str,
    full_name: str,
    centre_id: int,
    service_id: int,
    validation: str,
    term_days: int,
    quantity: int,
    reference: str,
    operator: User,
    now: datetime,
) -> list[Slot]:
    """Credit activations to the account of an address, made where there is none, and mail the way in.

    An operator may be a customer too: his purchases lie in the area, his office in the panel, and neither sees the
    other. The same order, type and customer are credited once. Raises what is wrong; then nothing is stored.
    """
    policy_slots.require_creditor(operator, centre_id)
    reference = " ".join(CONTROL.sub(" ", reference).split())[:_MOST_REFERENCE]
    policy_slots.require_quantity(quantity, reference)
    # The agreement's lock lets two clicks on the same form wait for each other: the second finds the first's slots.
    agreement = _locked_agreement(centre_id, service_id)
    policy_slots.require_sold(agreement.service if agreement else None, validation, term_days)
    assert agreement is not None  # noqa: S101 - without one nothing is sold; tells the type checker
    owner = _account(email, full_name)
    purchase = _Purchase(agreement, validation, term_days, quantity, reference)
    _require_new(owner, purchase)
    slots = [_credited(owner, purchase, operator, now) for _ in range(quantity)]
    _record_credit(slots, purchase, operator, now)
    letters.post_slots_credited(owner, slots, welcome.way_in(owner, now=now), at=now)
    _reserve(slots, operator, now)
    return slots


@use_case
def withdraw_slot(slot_code: str, *, operator: User, now: datetime) -> Slot:
    """Take back an activation that nobody has begun with; its unit can be sold again. Twice is once."""
    slot = Slot.objects.select_for_update(no_key=True).filter(code=slot_code).first()
    if slot is None:
        raise NotFound
    policy_slots.require_creditor(operator, slot.centre_id)
    if slot.state == SlotState.WITHDRAWN:
        return slot
    policy_slots.require_free(slot)
    slot.withdraw(at=now)
    slot.save()
    actor = operator_actor(operator)
    scope: dict[str, Any] = {"centre_id": slot.centre_id, "service_id": slot.service_id}
    events.record(
        "smime.slot-withdrawn",
        actor=actor,
        at=now,
        facts={"slot": slot.code, "type": slot.validation, "account": slot.owner_id},
        **scope,
    )
    stock.release(types=[policy_slots.stock_type(slot.validation)], case_code=slot.code, actor=actor, at=now, **scope)
    return slot


def free_slot(order: Order) -> None:
    """Give back the activation of an order that ended without a certificate, in the caller's transaction.

    It stays where it is once a certificate was made of it, or while another order has begun with it.
    """
    slot = Slot.objects.select_for_update(no_key=True).get(pk=order.slot_id)
    is_spent = order.certificates.exists() or queries.living_order_of(slot) is not None
    if slot.state == SlotState.USED and not is_spent:
        slot.give_back()
        slot.save()


def _locked_agreement(centre_id: int, service_id: int) -> Agreement | None:
    rows = Agreement.objects.select_for_update(no_key=True, of=("self",)).select_related("service")
    return rows.filter(centre_id=centre_id, service_id=service_id).first()


def _account(email: str, full_name: str) -> User:
    """The account that has this address, or a new one without password: the mailed link is the only way to set one."""
    address = parse_email(email).lower()
    found = User.objects.filter(email=address).first() or _owner_of(address) or _new_account(address, full_name)
    if not found.is_active:
        raise errors.CustomerInactive
    return found


def _owner_of(address: str) -> User | None:
    """Who has proven to read it, beside the address that his account was made with."""
    return User.objects.filter(emailaddress__email=address, emailaddress__verified=True).first()


def _new_account(address: str, full_name: str) -> User:
    name = " ".join(CONTROL.sub(" ", full_name).split())
    if not _LEAST_NAME <= len(name) <= _MOST_NAME:
        raise NameInvalid
    try:
        with transaction.atomic():
            user = User.objects.create_user(address, None, full_name=name)
            # Verified: whoever comes in has read the mail that lets him set a password.
            EmailAddress.objects.create(user=user, email=address, verified=True, primary=True)
            return user
    except IntegrityError:  # credited by another at this very moment
        return User.objects.get(email=address)


def _require_new(owner: User, purchase: _Purchase) -> None:
    known = Slot.objects.filter(
        owner=owner,
        centre_id=purchase.agreement.centre_id,
        service_id=purchase.agreement.service_id,
        validation=purchase.validation,
        reference=purchase.reference,
    )
    if known.exclude(state=SlotState.WITHDRAWN).exists():
        raise errors.SlotsKnown


def _credited(owner: User, purchase: _Purchase, operator: User, now: datetime) -> Slot:
    return Slot.objects.create(
        code=new_slot_code(),
        owner=owner,
        centre_id=purchase.agreement.centre_id,
        service_id=purchase.agreement.service_id,
        validation=purchase.validation,
        term_days=purchase.term_days,
        reference=purchase.reference,
        credited_by=operator.pk,
        credited_at=now,
    )


def _record_credit(slots: list[Slot], purchase: _Purchase, operator: User, now: datetime) -> None:
    events.record(
        "smime.slots-credited",
        actor=operator_actor(operator),
        at=now,
        centre_id=purchase.agreement.centre_id,
        service_id=purchase.agreement.service_id,
        facts={
            "type": purchase.validation,
            "quantity": purchase.quantity,
            "reference": purchase.reference,
            "account": slots[0].owner_id,
            "slots": [slot.code for slot in slots],
        },
    )


def _reserve(slots: list[Slot], operator: User, now: datetime) -> None:
    """Take the units last: the counter's row is hot. One missing unit undoes everything."""
    for slot in slots:
        try:
            stock.reserve(
                centre_id=slot.centre_id,
                service_id=slot.service_id,
                types=[policy_slots.stock_type(slot.validation)],
                case_code=slot.code,
                actor=operator_actor(operator),
                at=now,
            )
        except StockEmpty as empty:
            raise errors.SlotsOutOfStock from empty
