"""Stock: every change is one conditional update and one movement, in the transaction of its reason.

Types are taken in sorted order, so that two desks cannot wait for each other; callers move stock last in their
transaction, because the row is hot (performance.md §6).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import F

from cms import events
from cms.actors import Actor
from cms.errors import StockEmpty
from cms.models import Stock, StockMovement
from cms.states import MovementKind

_CHANGES = {MovementKind.RESERVATION: (-1, 1), MovementKind.RELEASE: (1, -1), MovementKind.DEBIT: (0, -1)}


def purchase(
    *, centre_id: int, service_id: int, type_: str, quantity: int, reference: str, actor: Actor, at: datetime
) -> Stock:
    """Add bought units. The same `reference` (order number) never counts twice."""
    stock, _ = Stock.objects.get_or_create(centre_id=centre_id, service_id=service_id, type=type_)
    if StockMovement.objects.filter(stock=stock, reference=reference).exists():
        return stock
    StockMovement.objects.create(
        stock=stock,
        kind=MovementKind.PURCHASE,
        free_change=quantity,
        reserved_change=0,
        reference=reference,
        actor_id=actor.id,
        at=at,
    )
    Stock.objects.filter(pk=stock.pk).update(free=F("free") + quantity)
    events.record(
        "stock.purchased",
        actor=actor,
        at=at,
        centre_id=centre_id,
        service_id=service_id,
        facts={"type": type_, "quantity": quantity, "reference": reference},
    )
    stock.refresh_from_db()
    return stock


def require_available(*, centre_id: int, service_id: int, types: Iterable[str]) -> None:
    """Raise `StockEmpty` unless one unit of each type is free now; promises nothing (the reservation asks again)."""
    wanted = set(types)
    free = Stock.objects.filter(centre_id=centre_id, service_id=service_id, type__in=wanted, free__gt=0)
    if set(free.values_list("type", flat=True)) != wanted:
        raise StockEmpty


def reserve(
    *, centre_id: int, service_id: int, types: Iterable[str], case_code: str, actor: Actor, at: datetime
) -> None:
    """Promise one unit of each type to a case, all or none; `StockEmpty` undoes the caller's transaction."""
    for type_ in sorted(types):
        stocks = Stock.objects.filter(centre_id=centre_id, service_id=service_id, type=type_, free__gt=0)
        if not stocks.update(free=F("free") - 1, reserved=F("reserved") + 1):
            raise StockEmpty
        _move(MovementKind.RESERVATION, centre_id, service_id, type_, case_code, actor, at)


def release(
    *, centre_id: int, service_id: int, types: Iterable[str], case_code: str, actor: Actor, at: datetime
) -> None:
    """Give back what a case had reserved and did not use."""
    _settle(MovementKind.RELEASE, centre_id, service_id, types, case_code, actor, at)


def debit(*, centre_id: int, service_id: int, types: Iterable[str], case_code: str, actor: Actor, at: datetime) -> None:
    """Turn a case's reservation into consumption: installed, or issued by the CA although the case died."""
    _settle(MovementKind.DEBIT, centre_id, service_id, types, case_code, actor, at)


def _settle(
    kind: MovementKind,
    centre_id: int,
    service_id: int,
    types: Iterable[str],
    case_code: str,
    actor: Actor,
    at: datetime,
) -> None:
    free_change, reserved_change = _CHANGES[kind]
    for type_ in sorted(types):
        Stock.objects.filter(centre_id=centre_id, service_id=service_id, type=type_).update(
            free=F("free") + free_change, reserved=F("reserved") + reserved_change
        )
        _move(kind, centre_id, service_id, type_, case_code, actor, at)


def _move(
    kind: MovementKind, centre_id: int, service_id: int, type_: str, case_code: str, actor: Actor, at: datetime
) -> None:
    free_change, reserved_change = _CHANGES[kind]
    StockMovement.objects.create(
        stock=Stock.objects.only("id").get(centre_id=centre_id, service_id=service_id, type=type_),
        kind=kind,
        free_change=free_change,
        reserved_change=reserved_change,
        case_code=case_code,
        actor_id=actor.id,
        at=at,
    )
