"""Sealing the event trail: every committed event gets its link in a chain of digests (ADR 23)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from django.db import connection

from cms.chain import COLUMNS, GENESIS, digest_of, written
from cms.models import Event, EventSeal, SealCheck
from runtime.transactions import use_case

log = structlog.get_logger(__name__)

SEALING = 0x5EA1
"""Number of the advisory lock that lets one sealer run at a time."""

BATCH = 1000
MOST_BATCHES = 100
WINDOW = 100_000
"""So many numbers behind the newest sealed event are looked at again: a transaction may commit after later ones."""


def seal_events(*, at: datetime, batch: int = BATCH) -> int:
    """Seal what was committed since the last time, oldest first, in short transactions; return how many events.

    What is left after `MOST_BATCHES` is for the next poke. Another sealer at work: nothing happens here.
    """
    sealed = 0
    for _ in range(MOST_BATCHES):
        added = _seal_batch(at=at, size=batch)
        sealed += added
        if added < batch:
            break
    return sealed


@use_case
def _seal_batch(*, at: datetime, size: int) -> int:
    if not _have_turn():
        return 0
    last = EventSeal.objects.order_by("-seq").first()
    events = _unsealed(size)
    if not events:
        return 0
    seals = _links(events, last, at)
    EventSeal.objects.bulk_create(seals)
    # Whoever keeps the log elsewhere holds the chain to this end.
    log.info("events.sealed", seq=seals[-1].seq, digest=seals[-1].digest, count=len(seals))
    return len(seals)


def note_check(*, last: EventSeal, findings: int, at: datetime) -> SealCheck:
    """Write down that the chain was read as far as this seal, and what did not hold."""
    return SealCheck.objects.create(at=at, seq=last.seq, digest=last.digest, findings=findings)


def _have_turn() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SEALING])
        return bool(cursor.fetchone()[0])


def _unsealed(size: int) -> Sequence[Mapping[str, Any]]:
    newest = EventSeal.objects.order_by("-event_id").values_list("event_id", flat=True).first() or 0
    missing = Event.objects.filter(pk__gt=newest - WINDOW, seal__isnull=True).order_by("pk")
    return list(missing.values(*COLUMNS)[:size])


def _links(events: Sequence[Mapping[str, Any]], last: EventSeal | None, at: datetime) -> list[EventSeal]:
    seq, digest = (last.seq, last.digest) if last else (0, GENESIS)
    links = []
    for row in events:
        seq += 1
        event = {name: written(value) for name, value in row.items()}
        digest = digest_of(digest, seq, event, str(written(at)))
        links.append(EventSeal(seq=seq, event_id=row["id"], digest=digest, sealed_at=at))
    return links
