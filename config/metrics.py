"""`/metrics`: figures of the installation for Prometheus, read from the database when they are asked for.

Numbers about nobody: labels name kinds and lists, never centres or persons. Counts stop at `alarm_words.MOST`. Who asks
shows a token; without one in the settings the page does not exist.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from authority import queries as authority
from cms.models import SealCheck, StatusCheck, Stock
from config import conditions
from config.conditions import BEAT, CONDITIONS, SCHEDULE, WATCH, Finding
from config.models import Alarm, Canary
from notifications import queries as outbox
from notifications.alarm_words import MOST
from renewals import queries as renewals
from runtime import clock

log = structlog.get_logger(__name__)

LONGEST_STATEMENT_MS = 3000
_AGES = {
    BEAT: ("sigillo_beat_age_seconds", "Since beat last said that its loop turns."),
    SCHEDULE: ("sigillo_canary_task_age_seconds", "Since a task of the schedule last ended."),
    WATCH: ("sigillo_watch_age_seconds", "Since a watchman last looked."),
}
_FOUND = {
    "suspensions-overdue": ("sigillo_overdue_suspensions", "Suspensions that are late by 5 minutes."),
    "revocations-overdue": ("sigillo_overdue_revocations", "Revocations that are late by 5 minutes, under no stop."),
    "notices-overdue": ("sigillo_overdue_notices", "Notices not posted and mails not taken up, late by 5 minutes."),
    "ca-outcome-unknown": ("sigillo_effect_unknown", "Requests sent to the CA, open for 10 minutes."),
    "ca-unasked": ("sigillo_requests_unasked", "Requests not yet sent to the CA after 10 minutes."),
    "ca-refused": ("sigillo_requests_refused", "Requests that the CA refused within a day."),
    "identification-silent": ("sigillo_identifications_unanswered", "Identifications that wait for the provider."),
    "status-differs": ("sigillo_status_mismatch", "Differences that the last complete check from outside found."),
}


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer in the text format; 404 without a configured token, 401 without the right one, 503 without database."""
    token: str = settings.METRICS_TOKEN
    if not token:
        return HttpResponseNotFound()
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not secrets.compare_digest(given.encode(), token.encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {LONGEST_STATEMENT_MS}")
            registry = CollectorRegistry(auto_describe=False)
            registry.register(Figures(clock.now()))
            text = generate_latest(registry)
    except DatabaseError as error:
        log.warning("metrics.unanswered", error=type(error).__name__)
        return HttpResponse(status=503)
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


class Figures(Collector):
    """Reads every figure anew; the library writes them down."""

    def __init__(self, now: datetime) -> None:
        """Take the instant of the door."""
        self._now = now

    def describe(self) -> list[GaugeMetricFamily]:
        """Name nothing beforehand: registering must not ask the database."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read."""
        now = self._now
        yield from _ages(now)
        yield from _findings(now)
        yield from _of_lists(now)
        yield from _of_mails(now)
        yield from _of_trails(now)
        yield _alarms()
        stop = renewals.stop_in_force(now)
        yield _gauge("sigillo_revocation_stop", "1 while automatic revocations are stopped.", float(stop is not None))
        low = len(Stock.objects.filter(low_since__isnull=False).values_list("pk", flat=True)[:MOST])
        yield _gauge("sigillo_stock_low", "Counters at or below their threshold.", low)


def _ages(now: datetime) -> Iterator[GaugeMetricFamily]:
    sang = dict(Canary.objects.filter(name__in=_AGES).values_list("name", "sang_at"))
    for name, (metric, words) in _AGES.items():
        if name in sang:
            yield _gauge(metric, words, _seconds(now - sang[name]))


def _findings(now: datetime) -> Iterator[GaugeMetricFamily]:
    for kind, (metric, words) in _FOUND.items():
        found: Finding | None = CONDITIONS[kind](now)
        yield _gauge(metric, words, found.count if found else 0)


def _of_lists(now: datetime) -> Iterator[GaugeMetricFamily]:
    ratio = GaugeMetricFamily("sigillo_crl_age_ratio", "How much of a CRL's life is over.", labels=["list"])
    for age in authority.list_ages():
        if age.this_update is not None:
            ratio.add_metric([f"{age.role}/{age.year}" if age.year else age.role], max(age.used_up(now), 0.0))
    yield ratio
    since = authority.oldest_unpublished()
    delay = _seconds(now - since) if since is not None else 0
    yield _gauge("sigillo_publication_delay_seconds", "Age of the oldest change that no CRL shows.", delay)


def _of_mails(now: datetime) -> Iterator[GaugeMetricFamily]:
    waiting = outbox.oldest_waiting(at=now)
    oldest = _seconds(waiting) if waiting is not None else 0
    yield _gauge("sigillo_outbox_oldest_seconds", "How long the oldest mail waits.", oldest)
    failed = len(outbox.failed().order_by().values_list("pk", flat=True)[:MOST])
    yield _gauge("sigillo_mail_failed", "Mails that were refused for good.", failed)


def _of_trails(now: datetime) -> Iterator[GaugeMetricFamily]:
    chain = SealCheck.objects.order_by("-pk").first()
    if chain is not None:
        yield _gauge("sigillo_audit_chain_ok", "1 where the last verification held.", float(chain.findings == 0))
        yield _gauge("sigillo_audit_chain_age_seconds", "Since that verification.", _seconds(now - chain.at))
    check = StatusCheck.objects.filter(finished_at__isnull=False).order_by("-pk").first()
    if check is not None and check.finished_at is not None:
        age = _seconds(now - check.finished_at)
        yield _gauge("sigillo_status_check_age_seconds", "Since the last complete check from outside.", age)


def _alarms() -> GaugeMetricFamily:
    standing = set(Alarm.objects.filter(closed_at__isnull=True).values_list("kind", flat=True))
    gauge = GaugeMetricFamily("sigillo_alarm_open", "1 while an alarm of this kind is open.", labels=["kind"])
    for kind in sorted(standing | set(conditions.CONDITIONS)):
        gauge.add_metric([kind], float(kind in standing))
    return gauge


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value=value)


def _seconds(age: timedelta) -> float:
    return max(age.total_seconds(), 0.0)
