"""Health addresses for supervisors and proxies: alive says the process answers, ready says what works.

Only the database and its migrations decide between 200 and 503: a web server that serves panel and API is not taken out
of service because mails wait. The rest is told as `degraded`, for alarms.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from authority import queries as authority
from config.conditions import SCHEDULE, age_of
from notifications import queries as outbox
from runtime import clock

log = structlog.get_logger(__name__)

LONGEST_CANARY_SILENCE = timedelta(minutes=3)
LONGEST_OUTBOX_WAIT = timedelta(minutes=10)
LONGEST_PUBLICATION_LAG = timedelta(minutes=5)

_migrated: list[bool] = []  # once all migrations of this release are in, they stay in


@require_safe
@never_cache
def alive(request: HttpRequest) -> JsonResponse:
    """Answer without touching anything."""
    del request
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 when database and migrations are there (`ready`, or `degraded` with the reasons), else 503."""
    del request
    try:
        if not _is_migrated():
            return _unavailable("migrations")
        checks = {name: check(clock.now()) for name, check in CHECKS.items()}
    except DatabaseError as error:
        log.warning("health.database_away", error=type(error).__name__)
        return _unavailable("database")
    is_well = all(check["ok"] for check in checks.values())
    return JsonResponse({"status": "ready" if is_well else "degraded", "checks": checks})


def _unavailable(missing: str) -> JsonResponse:
    return JsonResponse({"status": "unavailable", "missing": missing}, status=503)


def _is_migrated() -> bool:
    if not _migrated:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return False
        _migrated.append(True)
    return True


def _canary(now: datetime) -> dict[str, Any]:
    age = age_of(SCHEDULE, now)
    return _within(LONGEST_CANARY_SILENCE, timedelta.max if age is None else age)


def _outbox(now: datetime) -> dict[str, Any]:
    return _within(LONGEST_OUTBOX_WAIT, outbox.oldest_waiting(at=now) or timedelta(0))


def _revocations(now: datetime) -> dict[str, Any]:
    """Look at the oldest change that no CRL shows; when there is none, at lists that should have been renewed."""
    since = authority.oldest_unpublished()
    if since is not None:
        return _within(LONGEST_PUBLICATION_LAG, now - since)
    overdue = authority.due_crls(now - LONGEST_PUBLICATION_LAG)
    return {"ok": not overdue, "overdue": len(overdue)}


def _within(longest: timedelta, age: timedelta) -> dict[str, Any]:
    """Tell an age in seconds and whether it is young enough."""
    return {"ok": age <= longest, "seconds": None if age == timedelta.max else round(age.total_seconds())}


CHECKS: dict[str, Callable[[datetime], dict[str, Any]]] = {
    "canary": _canary,
    "outbox": _outbox,
    "revocations": _revocations,
}
