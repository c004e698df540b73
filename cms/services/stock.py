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

from cms import events, policy
from cms.actors import Actor
from cms.actors import operator as operator_actor
from cms.errors import CorrectionIncomplete, NotFound, StockEmpty, StockTooSmall
from cms.models import Stock, StockMovement, User
from cms.states import MovementKind
from runtime.transactions import use_case

_CHANGES = {MovementKind.RESERVATION: (-1, 1), MovementKind.RELEASE: (1, -1), MovementKind.DEBIT: (0, -1)}
# A unit too many reserved or released breaks a CHECK; a unit that is not free is simply not found.
_MOVE = f"""
WITH changed AS (
    UPDATE {Stock._meta.db_table} SET free = free + %(free)s, reserved = reserved + %(reserved)s
    WHERE centre_id = %(centre)s AND service_id = %(service)s AND type = %(type)s
        AND (free > 0 OR %(free)s >= 0)
    RETURNING id, free
)
INSERT INTO {StockMovement._meta.db_table}
    (stock_id, kind, free_change, free_after, reserved_change, case_code, reference, reason, actor_id, at)
SELECT id, %(kind)s, %(free)s, free, %(reserved)s, %(case)s, '', '', %(actor)s, %(at)s FROM changed
"""  # noqa: S608 - the names are our models'


@use_case
def purchase(
    *, centre_id: int, service_id: int, type_: str, quantity: int, reference: str, actor: Actor, at: datetime
) -> Stock:
    """Add bought units. The same `reference` (order number) never counts twice."""
    counter, _ = Stock.objects.get_or_create(centre_id=centre_id, service_id=service_id, type=type_)
    if _enter(counter, MovementKind.PURCHASE, quantity, reference=reference, reason="", actor=actor, at=at):
        events.record(
            "stock.purchased",
            actor=actor,
            at=at,
            centre_id=centre_id,
            service_id=service_id,
            facts={"type": type_, "quantity": quantity, "reference": reference},
        )
    counter.refresh_from_db()
    return counter


@use_case
def correct_stock(
    stock_id: int, *, change: int, reason: str, reference: str, operator: User, now: datetime
) -> StockMovement:
    """Add or take units by hand, with the reason; `reference` is the form's own, so that sending it twice is once.

    Only what is free can be taken: reserved units belong to their cases.
    """
    policy.require_administrator(operator)
    counter = Stock.objects.filter(pk=stock_id).first()
    if counter is None:
        raise NotFound
    if change == 0 or not reason:
        raise CorrectionIncomplete
    actor = operator_actor(operator)
    if _enter(counter, MovementKind.CORRECTION, change, reference=reference, reason=reason, actor=actor, at=now):
        events.record(
            "stock.corrected",
            actor=actor,
            at=now,
            centre_id=counter.centre_id,
            service_id=counter.service_id,
            reason=reason,
            facts={"type": counter.type, "change": change, "reference": reference},
        )
    return StockMovement.objects.get(stock=counter, reference=reference)


def _enter(
    counter: Stock, kind: MovementKind, change: int, *, reference: str, reason: str, actor: Actor, at: datetime
) -> bool:
    """Write a movement that no case causes, under the counter's lock; False when its reference is there already."""
    locked = Stock.objects.select_for_update(no_key=True).get(pk=counter.pk)
    if StockMovement.objects.filter(stock=locked, reference=reference).exists():
        return False
    if locked.free + change < 0:
        raise StockTooSmall
    Stock.objects.filter(pk=locked.pk).update(free=F("free") + change)
    StockMovement.objects.create(
        stock=locked,
        kind=kind,
        free_change=change,
        free_after=locked.free + change,
        reserved_change=0,
        reference=reference,
        reason=reason,
        actor_id=actor.id,
        at=at,
    )
    return True


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
