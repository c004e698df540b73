"""Buying certificates: a centre's manager asks, the provider's administrators credit, two where four eyes rule."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from cms import events, policy
from cms.actors import operator as operator_actor
from cms.contacts import CONTROL
from cms.errors import (
    NotFound,
    OrderKnown,
    PurchaseClosed,
    PurchaseSamePerson,
    QuantityInvalid,
    RefusalUnexplained,
)
from cms.models import Agreement, PurchaseRequest, Service, User
from cms.policy import rome_date
from cms.services import stock
from cms.states import Flow, PurchaseState, Role
from runtime.transactions import use_case

MOST_UNITS = 100_000
WAITING = frozenset({PurchaseState.REQUESTED, PurchaseState.CONFIRMED})
_DECIDED = ["state", "decided_by", "decided_at", "refusal_reason", "confirmed_by", "confirmed_at"]


@use_case
def request_purchase(
    agreement_id: int,
    *,
    quantity: int,
    order_reference: str,
    note: str = "",
    type_: str = "",
    operator: User,
    now: datetime,
) -> PurchaseRequest:
    """Ask for so many units of every type that the agreement's service issues: a pair service buys pairs.

    S/MIME certificates are sold one by one: of such a service `type_` says of which.
    """
    agreement = Agreement.objects.select_related("service").filter(pk=agreement_id).first()
    if agreement is None:
        raise NotFound
    policy.require_member(operator, agreement.centre_id, {Role.MANAGER})
    order = _line(order_reference, 48)
    if not 1 <= quantity <= MOST_UNITS or not order:
        raise QuantityInvalid
    request = PurchaseRequest(
        centre_id=agreement.centre_id,
        service=agreement.service,
        types=_bought(agreement.service, type_),
        quantity=quantity,
        order_reference=order,
        note=_line(note, 200),
        requested_by=operator.pk,
        requested_at=now,
    )
    _store(request)
    _record("purchase.requested", request, operator, now)
    return request


@use_case
def withdraw_purchase(uid: uuid.UUID, *, operator: User, now: datetime) -> PurchaseRequest:
    """Take back a request that nobody has credited; twice is once."""
    request = _locked(uid)
    policy.require_member(operator, request.centre_id, {Role.MANAGER})
    if request.state == PurchaseState.WITHDRAWN:
        return request
    return _closed(request, PurchaseState.WITHDRAWN, "purchase.withdrawn", operator, now)


@use_case
def credit_purchase(uid: uuid.UUID, *, operator: User, now: datetime) -> PurchaseRequest:
    """Credit the units. Under four eyes the first administrator confirms and another one credits; twice is once."""
    policy.require_administrator(operator)
    request = _locked(uid)
    if request.state == PurchaseState.CREDITED:
        return request
    _require_waiting(request)
    if request.requested_by == operator.pk:
        raise PurchaseSamePerson
    if needs_two_persons():
        if request.confirmed_by is None:
            return _confirmed(request, operator, now)
        if request.confirmed_by == operator.pk:
            raise PurchaseSamePerson
    elif request.confirmed_by == operator.pk:
        # The other administrators have left meanwhile: the confirmation stays in the events, and decides alone.
        request.confirmed_by = request.confirmed_at = None
    return _credited(request, operator, now)


@use_case
def refuse_purchase(uid: uuid.UUID, *, reason: str, operator: User, now: datetime) -> PurchaseRequest:
    """Turn a request down; the manager reads why."""
    policy.require_administrator(operator)
    request = _locked(uid)
    if request.state == PurchaseState.REFUSED:
        return request
    request.refusal_reason = _line(reason, 200)
    if not request.refusal_reason:
        raise RefusalUnexplained
    return _closed(request, PurchaseState.REFUSED, "purchase.refused", operator, now, reason=request.refusal_reason)


@use_case
def change_threshold(agreement_id: int, *, threshold: int, operator: User, now: datetime) -> Agreement:
    """Say from which balance on the centre is warned; for its manager and the provider's administrators."""
    agreement = Agreement.objects.select_for_update(no_key=True).filter(pk=agreement_id).first()
    if agreement is None:
        raise NotFound
    if not (operator.is_active and operator.is_administrator):
        policy.require_member(operator, agreement.centre_id, {Role.MANAGER})
    if not 0 <= threshold <= MOST_UNITS:
        raise QuantityInvalid
    before, agreement.low_stock_threshold = agreement.low_stock_threshold, threshold
    if before != threshold:
        agreement.save(update_fields=["low_stock_threshold"])
        events.record(
            "stock.threshold-changed",
            actor=operator_actor(operator),
            at=now,
            centre_id=agreement.centre_id,
            service_id=agreement.service_id,
            facts={"before": before, "after": threshold},
        )
    return agreement


def needs_two_persons() -> bool:
    """Whether a credit takes a second administrator: the setting says so, and there are two."""
    return settings.CMS.credit_four_eyes and User.objects.filter(is_administrator=True, is_active=True)[:2].count() > 1


def _confirmed(request: PurchaseRequest, operator: User, now: datetime) -> PurchaseRequest:
    request.state, request.confirmed_by, request.confirmed_at = PurchaseState.CONFIRMED, operator.pk, now
    request.save(update_fields=_DECIDED)
    _record("purchase.confirmed", request, operator, now)
    return request


def _credited(request: PurchaseRequest, operator: User, now: datetime) -> PurchaseRequest:
    """Close the request first and move the counters last: their rows are hot."""
    _closed(request, PurchaseState.CREDITED, "purchase.credited", operator, now)
    for type_ in sorted(request.types):
        stock.purchase(
            centre_id=request.centre_id,
            service_id=request.service_id,
            type_=type_,
            quantity=request.quantity,
            reference=request.number,
            actor=operator_actor(operator),
            at=now,
        )
    return request


def _closed(
    request: PurchaseRequest, state: PurchaseState, verb: str, operator: User, now: datetime, reason: str = ""
) -> PurchaseRequest:
    _require_waiting(request)
    request.state, request.decided_by, request.decided_at = state, operator.pk, now
    request.save(update_fields=_DECIDED)
    _record(verb, request, operator, now, reason=reason)
    return request


def _require_waiting(request: PurchaseRequest) -> None:
    if request.state not in WAITING:
        raise PurchaseClosed


def _locked(uid: uuid.UUID) -> PurchaseRequest:
    request = PurchaseRequest.objects.select_for_update(no_key=True).filter(uid=uid).first()
    if request is None:
        raise NotFound
    return request


def _record(verb: str, request: PurchaseRequest, operator: User, now: datetime, **more: Any) -> None:
    events.record(
        verb,
        actor=operator_actor(operator),
        at=now,
        centre_id=request.centre_id,
        service_id=request.service_id,
        facts={"number": request.number, "quantity": request.quantity, "types": request.types},
        **more,
    )


def _store(request: PurchaseRequest) -> None:
    """Number the request by its year in Italy, and insert it; an order of the centre buys once."""
    request.pk = _next_number()
    request.number = f"A-{rome_date(request.requested_at).year}-{request.pk:06d}"
    try:
        with transaction.atomic():
            request.save(force_insert=True)
    except IntegrityError as known:
        raise OrderKnown from known


def _bought(service: Service, type_: str) -> list[str]:
    if service.flow != Flow.SMIME:
        return sorted(service.types)
    if type_ not in service.types:
        raise QuantityInvalid
    return [type_]


def _next_number() -> int:
    """Take the next id beforehand: it is part of the number, and the number is never empty."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [PurchaseRequest._meta.db_table])
        return int(cursor.fetchone()[0])


def _line(text: str, longest: int) -> str:
    return " ".join(CONTROL.sub(" ", text).split())[:longest]
