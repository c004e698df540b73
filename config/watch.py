"""One look of the watchmen: alarms are opened, seen again, closed; administrators get a mail at both ends (ADR 26).

Any process may look at any time. One looks at a time, and the others rest while the last look is young.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from cms.models import User
from config.conditions import CONDITIONS, LONGEST_SILENCE, WATCH, WATCH_SINCE, Finding, age_of
from config.models import Alarm, Canary
from notifications import services as outbox
from notifications.catalog import Message
from notifications.services import Draft
from runtime.transactions import use_case

log = structlog.get_logger(__name__)

LOOK = timedelta(seconds=30)
SHORTEST_REST = timedelta(seconds=25)
CALM = timedelta(minutes=1)
"""An alarm is over when it was not seen for so long: what flickers is one alarm and not twenty mails."""
LONGEST_STATEMENT_MS = 10_000
_WATCHING = 0xA1A2
"""Number of the advisory lock that lets one watchman look at a time."""


def look(*, now: datetime) -> bool:
    """Look at every condition, unless another does or has just done. Returns whether this call has looked."""
    if not _take_turn(now=now):
        return False
    found = dict(_findings(now))
    for kind, finding in found.items():
        _note(kind, finding, now=now)
    return True


def note_life(canary: str, *, now: datetime) -> None:
    """Write down that what has this name is alive."""
    Canary.objects.update_or_create(name=canary, defaults={"sang_at": now})


@use_case
def _take_turn(*, now: datetime) -> bool:
    """Take the next look, if it is due and nobody else takes it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_WATCHING])
        if not cursor.fetchone()[0]:
            return False
    rested = age_of(WATCH, now)
    if rested is not None and rested < SHORTEST_REST:
        return False
    if rested is None or rested > LONGEST_SILENCE:
        note_life(WATCH_SINCE, now=now)
    note_life(WATCH, now=now)
    return True


def _findings(now: datetime) -> Iterable[tuple[str, Finding | None]]:
    """Ask each condition by itself: one that cannot be asked is neither seen nor over, and the others are asked."""
    for kind, find in CONDITIONS.items():
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = {LONGEST_STATEMENT_MS}")
                finding = find(now)
        except DatabaseError as error:
            log.error("watch.unanswered", kind=kind, error=type(error).__name__)  # noqa: TRY400 - parameters stay out of logs
            if connection.connection is None or not connection.is_usable():
                raise
            continue
        yield kind, finding


@use_case
def _note(kind: str, finding: Finding | None, *, now: datetime) -> None:
    """Bring the alarm of this kind to what was found; the mail is posted with the fact."""
    alarm = Alarm.objects.select_for_update(no_key=True).filter(kind=kind, closed_at__isnull=True).first()
    if finding is None:
        if alarm is not None and now - alarm.seen_at >= CALM:
            _close(alarm, now)
    elif alarm is not None:
        alarm.seen_at, alarm.facts = now, finding.facts
        alarm.save(update_fields=["seen_at", "facts"])
        log.warning("alarm.lasts", kind=kind, **finding.facts)
    else:
        _open(kind, finding, now)


def _open(kind: str, finding: Finding, now: datetime) -> None:
    alarm, is_new = Alarm.objects.get_or_create(
        kind=kind, closed_at=None, defaults={"opened_at": now, "seen_at": now, "facts": finding.facts}
    )
    if is_new:
        log.error("alarm.opened", kind=kind, **finding.facts)
        _tell(alarm, now)


def _close(alarm: Alarm, now: datetime) -> None:
    alarm.closed_at = now
    alarm.save(update_fields=["closed_at"])
    log.warning("alarm.closed", kind=alarm.kind, lasted_seconds=round((now - alarm.opened_at).total_seconds()))
    _tell(alarm, now)


def _tell(alarm: Alarm, now: datetime) -> None:
    """Post a mail to each administrator in his language, once for the beginning and once for the end."""
    administrators = User.objects.filter(is_administrator=True, is_active=True).order_by("pk")
    context = mail_context(alarm)
    end = "opened" if alarm.closed_at is None else "closed"
    outbox.post_each(
        (
            Draft(f"alarm:{alarm.pk}:{end}:{person.pk}", Message.ALARM, person.email, context, language=person.language)
            for person in administrators
        ),
        at=now,
    )


def mail_context(alarm: Alarm) -> dict[str, Any]:
    """What the mail of an alarm says: kinds and numbers, nothing about anybody, and no words (`alarm_words`)."""
    return {
        "kind": alarm.kind,
        "count": int(alarm.facts.get("count") or 0),
        "since": alarm.facts.get("since") or "",
        "opened_at": alarm.opened_at.isoformat(),
        "closed_at": alarm.closed_at.isoformat() if alarm.closed_at else "",
        "panel_url": f"{settings.BASE_URL}{reverse('admin:watch')}",
    }
