"""Stock: every change is one conditional update and one movement, in the transaction of its reason.

Types are taken in sorted order, so that two desks cannot wait for each other; callers move stock last in their
transaction, because the row is hot (ADR 17).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F

from cms import events
from cms.actors import Actor
from cms.errors import StockEmpty
from cms.models import Stock, StockMovement
from cms.states import MovementKind

_CHANGES = {MovementKind.RESERVATION: (-1, 1), MovementKind.RELEASE: (1, -1), MovementKind.DEBIT: (0, -1)}
# A unit too many reserved or released breaks a CHECK; a unit that is not free is simply not found.
_MOVE = f"""
WITH changed AS (
    UPDATE {Stock._meta.db_table} SET free = free + %(free)s, reserved = reserved + %(reserved)s
    WHERE centre_id = %(centre)s AND service_id = %(service)s AND type = %(type)s
        AND (free > 0 OR %(free)s >= 0)
    RETURNING id
)
INSERT INTO {StockMovement._meta.db_table}
    (stock_id, kind, free_change, reserved_change, case_code, reference, reason, actor_id, at)
SELECT id, %(kind)s, %(free)s, %(reserved)s, %(case)s, '', '', %(actor)s, %(at)s FROM changed
"""  # noqa: S608 - the names are our models'


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
        if not _move(MovementKind.RESERVATION, centre_id, service_id, type_, case_code, actor, at):
            raise StockEmpty


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
    for type_ in sorted(types):
        if not _move(kind, centre_id, service_id, type_, case_code, actor, at):
            raise Stock.DoesNotExist


def _move(
    kind: MovementKind, centre_id: int, service_id: int, type_: str, case_code: str, actor: Actor, at: datetime
) -> bool:
    """Change the counter and write the movement in one statement; False when no counter has what is asked.

    One statement, because every round trip between the change and the commit is time in which all others wait.
    """
    free_change, reserved_change = _CHANGES[kind]
    values: dict[str, Any] = {
        "centre": centre_id,
        "service": service_id,
        "type": type_,
        "free": free_change,
        "reserved": reserved_change,
        "kind": kind.value,
        "case": case_code,
        "actor": actor.id,
        "at": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, values)
        return bool(cursor.rowcount)
