"""What the officers' use cases share: finding an order under lock, writing the trail, also of what was refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from cms import events
from cms.actors import operator as operator_actor
from cms.errors import DomainError, NotFound
from cms.models import User
from cms.states import Outcome
from runtime.transactions import use_case
from smime.models import Check, Order
from smime.services import checks


@contextmanager
def noting_refusal(order: Order, deed: str, *, operator: User, now: datetime) -> Iterator[None]:
    """Let a use case run; if it refuses, store who tried what and why not, after its transaction was undone."""
    try:
        yield
    except DomainError as refusal:
        _record_refusal(order, deed, refusal.reason_code, operator=operator, now=now)
        raise


def record(verb: str, order: Order, *, operator: User, now: datetime, reason: str = "", **facts: str) -> None:
    """Append one event of an officer about an order; facts are ids and codes, never what a form has said."""
    actor = operator_actor(operator)
    events.record(verb, actor=actor, at=now, reason=reason, facts=facts, **checks.scope(order))


def found_check(check_id: int) -> Check:
    """Read a check with its order; raises `NotFound`."""
    check = Check.objects.select_related("order__buyer").filter(pk=check_id).first()
    if check is None:
        raise NotFound
    return check


def locked(order_id: int) -> Order:
    """Lock an order that is known to exist."""
    rows = Order.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("buyer", "slot").get(pk=order_id)


def locked_check(check_id: int, order: Order) -> Check:
    """Lock a check of the locked order."""
    check = Check.objects.select_for_update(no_key=True).get(pk=check_id)
    check.order = order
    return check


@use_case
def _record_refusal(order: Order, deed: str, code: str, *, operator: User, now: datetime) -> None:
    events.record(
        "smime.decision-refused",
        actor=operator_actor(operator),
        at=now,
        outcome=Outcome.REFUSED,
        reason=code,
        facts={"deed": deed},
        **checks.scope(order),
    )
