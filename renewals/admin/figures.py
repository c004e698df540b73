"""Figures of the overview: few statements, each bounded, each on an index, however large the register is.

Several small ranges are counted by one statement that PostgreSQL plans once (`unnest … LATERAL`); no range is counted
beyond `BOUND`, and lists read at most `MOST` rows per centre and service.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.db import connection

from cms.admin import counting
from cms.models import Service
from cms.policy import ROME, months_before
from cms.scope import Scope
from renewals.states import SIGNED_STATES, Authorisation, CaseState, Due

MOST = 6
WEEKS_BACK, WEEKS_AHEAD = 4, 8
HORIZONS = (30, 60, 90)
_FOREVER = timedelta(days=36500)

_DUE = """
SELECT w.name, (SELECT count(*) FROM (
    SELECT FROM renewals_renewalcase c
    WHERE c.service_id = ANY(%(services)s) AND c.centre_id = ANY(%(centres)s)
      AND c.due_kind = w.kind AND c.due_at <= w.until AND (w.state = '' OR c.state = w.state)
    LIMIT %(bound)s) counted)
FROM unnest(%(names)s::text[], %(kinds)s::text[], %(untils)s::timestamptz[], %(states)s::text[])
  AS w(name, kind, until, state)
"""
_WINDOWS = """
SELECT w.name, sum((SELECT count(*) FROM (
    SELECT FROM cms_pair p
    WHERE p.service_id = w.service AND p.centre_id = ANY(%(centres)s) AND p.window_opens_at <= w.until
    LIMIT %(bound)s) counted))
FROM unnest(%(names)s::text[], %(services)s::bigint[], %(untils)s::timestamptz[]) AS w(name, service, until)
GROUP BY w.name
"""
_WEEKS = """
SELECT w.week, s.state, (SELECT count(*) FROM (
    SELECT FROM renewals_renewalcase c
    WHERE c.service_id = ANY(%(services)s) AND c.centre_id = ANY(%(centres)s)
      AND c.state = s.state AND c.old_not_after >= w.begins AND c.old_not_after < w.ends
    LIMIT %(bound)s) counted)
FROM unnest(%(weeks)s::int[], %(begins)s::timestamptz[], %(ends)s::timestamptz[]) AS w(week, begins, ends),
     unnest(%(states)s::text[]) AS s(state)
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


def counts_of(scope: Scope, services: Sequence[Service], now: datetime) -> Counts:
    """Count what is due, and how many units the coming renewals will take; two statements."""
    due = _due(scope, now)
    opening = _opening(scope, services, now)
    return Counts(
        within_week=sum(due[f"week-{kind}"] for kind in Due),
        held=due["held"],
        tonight={"open": opening["night"], **{kind.value: due[f"night-{kind}"] for kind in Due}},
        needed={days: due[f"need-{days}"] + opening[f"need-{days}"] for days in HORIZONS},
    )


def _due(scope: Scope, now: datetime) -> dict[str, int]:
    ranges = [(f"week-{kind}", kind, now + timedelta(days=7), "") for kind in Due]
    ranges += [(f"night-{kind}", kind, now + timedelta(days=1), "") for kind in Due]
    ranges += [("held", Due.REVOKE, now + _FOREVER, "")]
    ranges += [(f"need-{days}", Due.EXPIRE, now + timedelta(days=days), CaseState.NOTIFIED.value) for days in HORIZONS]
    names, kinds, untils, states = (list(column) for column in zip(*ranges, strict=True))
    rows = _rows(_DUE, scope, names=names, kinds=kinds, untils=untils, states=states)
    return dict(rows)


def _opening(scope: Scope, services: Sequence[Service], now: datetime) -> dict[str, int]:
    """Renewals that nobody has opened yet: the window opens so many months before the expiry."""
    tomorrow = now + timedelta(days=1)
    ranges = [("night", service.pk, tomorrow) for service in services]
    ranges += [
        (f"need-{days}", service.pk, months_before(now + timedelta(days=days), service.window_months))
        for days in HORIZONS
        for service in services
    ]
    names, ids, untils = (list(column) for column in zip(*ranges, strict=True))
    return {name: int(count) for name, count in _rows(_WINDOWS, scope, names=names, services=ids, untils=untils)}


def weeks_of(scope: Scope, now: datetime) -> list[Week]:
    """Renewals by state and week of the old expiry, some weeks back and as far ahead as windows open."""
    monday = datetime.combine(now.astimezone(ROME).date(), time.min, tzinfo=ROME)
    monday -= timedelta(days=monday.weekday())
    begins = [monday + timedelta(weeks=number) for number in range(-WEEKS_BACK, WEEKS_AHEAD + 2)]
    places = list(range(len(begins) - 1))
    rows = _rows(_WEEKS, scope, weeks=places, begins=begins[:-1], ends=begins[1:], states=list(CaseState.values))
    by_week: dict[int, dict[str, int]] = defaultdict(dict)
    for place, state, count in rows:
        by_week[place][state] = count
    return [Week(begins[place], begins[place + 1], by_week[place], place == WEEKS_BACK) for place in places]


def first_cases(scope: Scope, now: datetime) -> dict[str, list[int]]:
    """Ids of the first cases that need a person: `urged`, `waiting` by suspension day, `held` by day 121."""
    found: dict[str, list[int]] = {"urged": [], "waiting": [], "held": []}
    for kind, case_id in _rows(_FIRST, scope, now=now, signed=list(SIGNED_STATES), most=MOST):
        found[kind].append(case_id)
    return found


def _rows(sql: str, scope: Scope, **values: Any) -> list[Any]:
    known = {
        "services": sorted(scope.service_ids),
        "centres": sorted(scope.centre_ids),
        "bound": counting.BOUND,
        "pending": Authorisation.PENDING,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, {**known, **{name: _plain(value) for name, value in values.items()}})
        return cursor.fetchall()


def _plain(value: Any) -> Any:
    return [str(item) if isinstance(item, str) else item for item in value] if _is_list(value) else value


def _is_list(value: Any) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str)
