"""Figures of the overview: few statements, each bounded, each on an index, however large the register is.

Several small ranges are counted by one statement that PostgreSQL plans once (`unnest … LATERAL`); no range is counted
beyond `BOUND`, and lists read at most `MOST` rows per centre and service. Behind the panel's fence the row policy holds
the same ids as an array, and the index is read by that one: two arrays on one column would multiply each other
(PostgreSQL before 17), so the scope itself only filters here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Any

from django.db import connection

from cms.admin import counting
from cms.models import Service
from cms.policy import ROME, months_before
from cms.scope import Scope
from renewals.states import SIGNED_STATES, CaseState, Due

MOST = 6
WEEKS_BACK, WEEKS_AHEAD = 4, 8
HORIZONS = (30, 60, 90)
_FOREVER = timedelta(days=36500)

_DUE = """
SELECT w.name, (SELECT count(*) FROM (
    SELECT FROM renewals_renewalcase c
    WHERE %(services)s::bigint[] @> ARRAY[c.service_id] AND %(centres)s::bigint[] @> ARRAY[c.centre_id]
      AND c.due_kind = w.kind AND c.due_at <= w.until
    LIMIT %(bound)s) counted)
FROM unnest(%(names)s::text[], %(kinds)s::text[], %(untils)s::timestamptz[]) AS w(name, kind, until)
"""
_WINDOWS = """
SELECT w.name, sum((SELECT count(*) FROM (
    SELECT FROM cms_pair p
    WHERE p.service_id = w.service AND %(centres)s::bigint[] @> ARRAY[p.centre_id] AND p.window_opens_at <= w.until
    LIMIT %(bound)s) counted))
FROM unnest(%(names)s::text[], %(services)s::bigint[], %(untils)s::timestamptz[]) AS w(name, service, until)
GROUP BY w.name
"""
_EXPIRIES = """
SELECT w.name, w.state, (SELECT count(*) FROM (
    SELECT FROM renewals_renewalcase c
    WHERE %(services)s::bigint[] @> ARRAY[c.service_id] AND %(centres)s::bigint[] @> ARRAY[c.centre_id]
      AND c.state = w.state AND c.old_not_after >= w.begins AND c.old_not_after < w.ends
    LIMIT %(bound)s) counted)
FROM unnest(%(names)s::text[], %(states)s::text[], %(begins)s::timestamptz[], %(ends)s::timestamptz[])
  AS w(name, state, begins, ends)
"""
# Per centre and service the first rows of an index; their merge is the first rows of all.
_FIRST = """
SELECT kind, id FROM (
  (SELECT 'urged' AS kind, c.id, c.at FROM unnest(%(services)s) AS s, unnest(%(centres)s) AS z, LATERAL (
     SELECT id, urged_at AS at FROM renewals_renewalcase
     WHERE service_id = s AND centre_id = z AND authorisation = 'pending' AND urged_at IS NOT NULL
       AND state = ANY(%(signed)s)
     ORDER BY urged_at LIMIT %(most)s) AS c ORDER BY c.at, c.id LIMIT %(most)s)
  UNION ALL
  (SELECT 'waiting', c.id, c.at FROM unnest(%(services)s) AS s, unnest(%(centres)s) AS z, LATERAL (
     SELECT id, old_not_after AS at FROM renewals_renewalcase
     WHERE service_id = s AND centre_id = z AND authorisation = 'pending' AND old_not_after > %(now)s
       AND state = ANY(%(signed)s) AND urged_at IS NULL AND due_kind <> 'revoke'
     ORDER BY old_not_after LIMIT %(most)s) AS c ORDER BY c.at, c.id LIMIT %(most)s)
  UNION ALL
  (SELECT 'held', c.id, c.at FROM unnest(%(services)s) AS s, unnest(%(centres)s) AS z, LATERAL (
     SELECT id, due_at AS at FROM renewals_renewalcase
     WHERE service_id = s AND centre_id = z AND due_kind = 'revoke' AND due_at IS NOT NULL
       AND (urged_at IS NULL OR authorisation <> 'pending')
     ORDER BY due_at LIMIT %(most)s) AS c ORDER BY c.at, c.id LIMIT %(most)s)
) AS first ORDER BY kind, at, id
"""


@dataclass(frozen=True, slots=True)
class Week:
    """Monday to Sunday in Italy; cases by the day on which the old certificates expire."""

    begins: datetime
    ends: datetime
    counts: dict[str, int]
    is_present: bool

    @property
    def total(self) -> int:
        """All cases of the week."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Counts:
    """Bounded numbers of the page; a number that reaches `counting.BOUND` means "at least"."""

    within_week: int
    held: int
    tonight: dict[str, int]
    needed: dict[int, int]
    weeks: list[Week]


def counts_of(scope: Scope, services: Sequence[Service], now: datetime) -> Counts:
    """Count what is due, how many units the coming renewals will take, and the weeks; three statements."""
    due, opening = _due(scope, now), _opening(scope, services, now)
    mondays = _mondays(now)
    expiries = _expiries(scope, mondays, now)
    return Counts(
        within_week=sum(due[f"week-{kind}"] for kind in Due),
        held=due["held"],
        tonight={"open": opening["night"], **{kind.value: due[f"night-{kind}"] for kind in Due}},
        needed={
            days: expiries[f"need-{days}"][CaseState.NOTIFIED.value] + opening[f"need-{days}"] for days in HORIZONS
        },
        weeks=[
            Week(begins, ends, expiries[str(place)], place == WEEKS_BACK)
            for place, (begins, ends) in enumerate(pairwise(mondays))
        ],
    )


def _due(scope: Scope, now: datetime) -> dict[str, int]:
    ranges = [(f"week-{kind}", kind.value, now + timedelta(days=7)) for kind in Due]
    ranges += [(f"night-{kind}", kind.value, now + timedelta(days=1)) for kind in Due]
    ranges += [("held", Due.REVOKE.value, now + _FOREVER)]
    names, kinds, untils = (list(column) for column in zip(*ranges, strict=True))
    return {name: int(count) for name, count in _rows(_DUE, scope, names=names, kinds=kinds, untils=untils)}


def _opening(scope: Scope, services: Sequence[Service], now: datetime) -> dict[str, int]:
    """Renewals that nobody has opened yet: the window opens so many months before the expiry."""
    ranges = [("night", service.pk, now + timedelta(days=1)) for service in services]
    ranges += [
        (f"need-{days}", service.pk, months_before(now + timedelta(days=days), service.window_months))
        for days in HORIZONS
        for service in services
    ]
    names, ids, untils = (list(column) for column in zip(*ranges, strict=True))
    return {name: int(count) for name, count in _rows(_WINDOWS, scope, names=names, services=ids, untils=untils)}


def _expiries(scope: Scope, mondays: Sequence[datetime], now: datetime) -> dict[str, dict[str, int]]:
    """Cases by state and old expiry: of each week, and those that still have to take their units."""
    ranges = [
        (str(place), state.value, begins, ends)
        for place, (begins, ends) in enumerate(pairwise(mondays))
        for state in CaseState
    ]
    ranges += [
        (f"need-{days}", CaseState.NOTIFIED.value, now - _FOREVER, now + timedelta(days=days)) for days in HORIZONS
    ]
    names, states, begins, ends = (list(column) for column in zip(*ranges, strict=True))
    counted: dict[str, dict[str, int]] = defaultdict(dict)
    for name, state, count in _rows(_EXPIRIES, scope, names=names, states=states, begins=begins, ends=ends):
        counted[name][state] = count
    return counted


def _mondays(now: datetime) -> list[datetime]:
    """Midnights in Italy that begin the weeks shown, and the one that ends the last."""
    today = datetime.combine(now.astimezone(ROME).date(), time.min, tzinfo=ROME)
    monday = today - timedelta(days=today.weekday())
    return [monday + timedelta(weeks=number) for number in range(-WEEKS_BACK, WEEKS_AHEAD + 2)]


def first_cases(scope: Scope, now: datetime) -> dict[str, list[int]]:
    """Ids of the first cases that need a person: `urged`, `waiting` by suspension day, `held` by day 121."""
    found: dict[str, list[int]] = {"urged": [], "waiting": [], "held": []}
    for kind, case_id in _rows(_FIRST, scope, now=now, signed=[state.value for state in SIGNED_STATES], most=MOST):
        found[kind].append(case_id)
    return found


def _rows(sql: str, scope: Scope, **values: Any) -> list[tuple[Any, ...]]:
    services, centres = sorted(scope.service_ids), sorted(scope.centre_ids)
    known: dict[str, Any] = {"services": services, "centres": centres, "bound": counting.BOUND}
    with connection.cursor() as cursor:
        cursor.execute(sql, known | values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
