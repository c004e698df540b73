"""Prova generale: what one round of the clock would do at an instant, on the register as it is now. Nothing is written.

Read without locks, decided by `rounds` as the sweeps decide. A sweep comes after the ones before it, so what they would
have changed is taken into account; the CA is taken to do what it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from cms import events
from cms.actors import operator as operator_actor
from cms.models import Certificate, Hold, Service, User
from cms.scope import Scope
from notifications import queries as outbox
from renewals import queries
from renewals.models import RenewalCase
from renewals.services import cases, rounds
from renewals.services.rounds import WORKING, Sweep, Turn
from renewals.states import Due
from runtime.transactions import use_case

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the list of one sweep: by due instant, then by row."""

    due_at: datetime
    pk: int


@dataclass(frozen=True, slots=True)
class _Rehearsed:
    """How to read what is due to a sweep: rows at `now`, column of their due instant, paths to centre and service."""

    due: Callable[[datetime], QuerySet[Any]]
    instant: str
    holder_of_scope: str
    related: tuple[str, ...]
    turns: Callable[[list[Any], datetime], list[Turn]]


def turns_of(
    sweep: Sweep, *, now: datetime, scope: Scope | None = None, after: Place | None = None, most: int = CHUNK
) -> list[Turn]:
    """Say what the sweep would do to the next rows; `scope` narrows to what an operator may see, None is everything."""
    how = _HOW[sweep]
    due = rows_due(sweep, now=now, scope=scope)
    if after is not None:
        beyond = Q(**{f"{how.instant}__gt": after.due_at}) | Q(**{how.instant: after.due_at, "pk__gt": after.pk})
        due = due.filter(beyond, **{f"{how.instant}__gte": after.due_at})
    rows = list(due.order_by(how.instant, "pk").select_related(*how.related)[:most])
    return _without_repeated_mails(how.turns(rows, now))


def rows_due(sweep: Sweep, *, now: datetime, scope: Scope | None = None) -> QuerySet[Any]:
    """Rows that the sweep would look at."""
    how = _HOW[sweep]
    due = how.due(now)
    if scope is None:
        return due
    path = how.holder_of_scope
    return due.filter(**{f"{path}centre_id__in": scope.centre_ids, f"{path}service_id__in": scope.service_ids})


def walk(*, now: datetime, scope: Scope | None = None) -> Iterator[Turn]:
    """The whole round, sweep by sweep, in chunks: nothing stays locked, open or in memory."""
    for sweep in Sweep:
        after: Place | None = None
        while turns := turns_of(sweep, now=now, scope=scope, after=after):
            yield from turns
            after = Place(turns[-1].due_at, turns[-1].pk)


@use_case
def record_export(*, operator: User, scope: Scope, service: Service, chosen: datetime, now: datetime) -> None:
    """Record who took a rehearsal away as a file, in the trail of each centre that it speaks of."""
    for centre_id in sorted(scope.centre_ids):
        events.record(
            "rehearsal.exported",
            actor=operator_actor(operator),
            at=now,
            centre_id=centre_id,
            service_id=service.pk,
            facts={"instant": chosen.isoformat()},
        )


def _suspensions(rows: list[RenewalCase], now: datetime) -> list[Turn]:
    return rounds.suspensions(rows, list(queries.new_certificates(rows, WORKING).order_by("pk")), now=now)


def _lapses(rows: list[RenewalCase], now: datetime) -> list[Turn]:
    return rounds.lapses(rows, list(queries.new_certificates(rows, WORKING).order_by("pk")), now=now)


def _lapsed_holds(holds: list[Hold], now: datetime) -> list[Turn]:
    """Say what the last sweep does, after the others: some certificates are then being revoked already."""
    pair_ids = {hold.certificate.pair_id for hold in holds}
    ended = _ended_before(pair_ids, now)
    lapsing = queries.holds_to_revoke(now).filter(certificate=OuterRef("pk"))
    left = queries.left_without_certificates(pair_ids, also_revoked=Q(Exists(lapsing)))
    withdrawn = {case.new_pair_id: case for case in left if case.new_pair_id not in ended}
    turns = rounds.lapsed_holds(holds, now=now)
    for turn in turns:
        pair_id = turn.pair.pk if turn.pair else None
        due_kind = ended.get(pair_id)
        turn.wishes = [wish for wish in turn.wishes if not _is_revoked_before(wish.certificate, due_kind)]
        turn.case = withdrawn.get(pair_id)
        if turn.case is not None:
            turn.withdraws = True
            turn.case.withdrawn_at = now
            cases.plan(turn.case)
    rounds.tell_lapses(turns)
    return turns


def _ended_before(pair_ids: set[int], now: datetime) -> dict[int | None, str]:
    """New pairs of cases that earlier sweeps of the same round end, with what ends them."""
    expiring, lapsing = queries.cases_to_expire(now), queries.cases_to_lapse(now)
    ended = (expiring | lapsing).filter(new_pair_id__in=pair_ids).order_by()
    return dict(ended.values_list("new_pair_id", "due_kind"))


def _is_revoked_before(half: Certificate, due_kind: str | None) -> bool:
    return due_kind == Due.EXPIRE or (due_kind == Due.REVOKE and half.status in WORKING)


def _without_repeated_mails(turns: list[Turn]) -> list[Turn]:
    """The outbox posts the same fact once: what was told already is not told again."""
    told = outbox.known_keys({turn.mail.key for turn in turns if turn.mail})
    for turn in turns:
        if turn.mail and turn.mail.key in told:
            turn.mail = None
    return turns


_CASE = queries.CASE_IN_ROUND
_HOW = {
    Sweep.OPEN: _Rehearsed(
        queries.windows_to_open,
        "window_opens_at",
        "",
        queries.PAIR_IN_ROUND,
        lambda rows, now: rounds.openings(rows, now=now),
    ),
    Sweep.EXPIRE: _Rehearsed(
        queries.cases_to_expire, "due_at", "", _CASE, lambda rows, now: rounds.expiries(rows, now=now)
    ),
    Sweep.SUSPEND: _Rehearsed(queries.cases_to_suspend, "due_at", "", _CASE, _suspensions),
    Sweep.LAPSE: _Rehearsed(queries.cases_to_lapse, "due_at", "", _CASE, _lapses),
    Sweep.LAPSE_HOLD: _Rehearsed(
        queries.holds_to_lapse,
        "lapses_at",
        "certificate__pair__",
        queries.HOLD_IN_ROUND,
        _lapsed_holds,
    ),
}
