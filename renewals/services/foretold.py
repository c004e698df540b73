"""The reminders and warnings that the clock would post until an instant, on the register as it is. Nothing is written.

The rehearsal shows them beside what one round does: who would be written to, when, and at which threshold. Read without
locks, by the rules that `reminders` asks (rules.md R23): what was due before `today`, the present, is told today, the
nearest threshold alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from cms import policy as register
from cms.models import Card, Hold, Holder
from cms.scope import Scope
from notifications.catalog import Message
from renewals import policy, queries
from renewals.models import RenewalCase
from renewals.services import notices, reminders
from renewals.services.rehearsal import CHUNK, Place


class Telling(TextChoices):
    """Whose thresholds are told: those of a case, or of a suspension for another cause."""

    CASE = "notice", _("Avviso sulla pratica")
    HOLD = "warning", _("Avviso su un'altra sospensione")


@dataclass(frozen=True, slots=True)
class Letter:
    """One notice: when it is posted, and how many days are then left."""

    at: datetime
    message: Message
    days: int


@dataclass(frozen=True, slots=True)
class Foretold:
    """What the holder of one case or hold is told until the instant; no letters for one without a mailbox."""

    sweep: Telling
    due_at: datetime
    pk: int
    holder: Holder
    card: Card | None
    case: RenewalCase | None
    letters: list[Letter]
    next_at: datetime | None


def foretold_of(
    telling: Telling,
    *,
    now: datetime,
    today: datetime,
    scope: Scope | None = None,
    after: Place | None = None,
    most: int = CHUNK,
) -> list[Foretold]:
    """Say what is told of the next rows; `scope` narrows to what an operator may see, None is everything."""
    due = rows_due(telling, now=now, scope=scope)
    if after is not None:
        due = due.filter(Q(notice_at__gt=after.due_at) | Q(notice_at=after.due_at, pk__gt=after.pk))
    related = queries.CASE_IN_ROUND if telling == Telling.CASE else queries.HOLD_IN_ROUND
    return _SAID[telling](list(due.order_by("notice_at", "pk").select_related(*related)[:most]), today, now)


def rows_due(telling: Telling, *, now: datetime, scope: Scope | None = None) -> QuerySet[Any]:
    """Cases or holds of which something is told until then."""
    due: QuerySet[Any] = queries.notices_due(now) if telling == Telling.CASE else queries.warnings_due(now)
    if scope is None:
        return due
    path = "" if telling == Telling.CASE else "certificate__pair__"
    return due.filter(**{f"{path}centre_id__in": scope.centre_ids, f"{path}service_id__in": scope.service_ids})


def walk(*, now: datetime, today: datetime, scope: Scope | None = None) -> Iterator[Foretold]:
    """All of them, in chunks: nothing stays locked, open or in memory."""
    for telling in Telling:
        after: Place | None = None
        while found := foretold_of(telling, now=now, today=today, scope=scope, after=after):
            yield from found
            after = Place(found[-1].due_at, found[-1].pk)


def _of_cases(rows: list[RenewalCase], today: datetime, now: datetime) -> list[Foretold]:
    found = []
    for case in rows:
        counted = policy.countdown(case)
        letters: list[Letter] = []
        if counted is not None and case.holder.email:
            message = notices.MESSAGE_OF[counted.kind]
            letters = _letters(message, counted.end, counted.since, today, min(now, counted.end))
        next_at = _next(counted.end, now) if counted is not None else None
        due_at = case.notice_at or now
        found.append(Foretold(Telling.CASE, due_at, case.pk, case.holder, case.card, case, letters, next_at))
    return found


def _of_holds(rows: list[Hold], today: datetime, now: datetime) -> list[Foretold]:
    """Halves of a pair that are revoked on one day share their letters, which the first of them is shown to bring."""
    together = reminders.working_together({hold.certificate.pair_id for hold in rows}, now)
    found = []
    for hold in rows:
        pair, halves = hold.certificate.pair, together[notices.day_of(hold)]
        letters: list[Letter] = []
        if pair.holder.email and halves and halves[0].pk == hold.certificate_id:
            until = min(now, hold.lapses_at - register.ONE_SECOND)
            since = register.told_of_hold(hold)
            letters = _letters(Message.REVOCATION_WARNING, hold.lapses_at, since, today, until)
        due_at = hold.notice_at or now
        next_at = _next(hold.lapses_at, now)
        found.append(Foretold(Telling.HOLD, due_at, hold.pk, pair.holder, pair.card, None, letters, next_at))
    return found


def _letters(message: Message, end: datetime, since: datetime, today: datetime, until: datetime) -> list[Letter]:
    """One at each threshold that comes after `since` and not after `until`, in the order in which they come."""
    instants = sorted((register.days_before(end, days), days) for days in settings.CMS.notice_days)
    coming = [Letter(max(at, today), message, days) for at, days in instants if since < at <= until]
    return [letter for letter, later in pairwise([*coming, None]) if letter and (not later or later.at > today)]


def _next(end: datetime, now: datetime) -> datetime | None:
    return register.next_threshold(end, settings.CMS.notice_days, since=now)


_SAID: dict[Telling, Callable[[list[Any], datetime, datetime], list[Foretold]]] = {
    Telling.CASE: _of_cases,
    Telling.HOLD: _of_holds,
}
