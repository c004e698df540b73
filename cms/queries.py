"""Named reads of the register that no single page owns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from cms.chain import COLUMNS, LATEST, Finding, Link, written
from cms.models import Event, EventSeal, SealCheck

MOST_WAITING = 1000
CHUNK = 2000


@dataclass(frozen=True, slots=True)
class SealState:
    """How the audit chain stands, for people: its end, how many events wait (bounded), when it was last read whole."""

    seq: int
    digest: str
    sealed_at: datetime | None
    waiting: int
    checked_at: datetime | None
    checked_seq: int
    findings: int

    @property
    def is_sound(self) -> bool:
        """Whether the last check found nothing; true as well while there was none."""
        return self.findings == 0


def seal_state() -> SealState:
    """Read the end of the chain, in three statements whatever its length; the panel's fence does not narrow it."""
    last = EventSeal.objects.order_by("-seq").first()
    check = SealCheck.objects.order_by("-pk").first()
    with connection.cursor() as cursor:
        cursor.execute("SELECT unsealed_events(%s)", [MOST_WAITING])
        waiting: int = cursor.fetchone()[0]
    return SealState(
        seq=last.seq if last else 0,
        digest=last.digest if last else "",
        sealed_at=last.sealed_at if last else None,
        waiting=waiting,
        checked_at=check.at if check else None,
        checked_seq=check.seq if check else 0,
        findings=check.findings if check else 0,
    )


def chain_links() -> Iterator[Link]:
    """Walk the chain from its first link, in chunks by key; events that are gone are None."""
    last = 0
    while True:
        seals = list(EventSeal.objects.filter(seq__gt=last).order_by("seq")[:CHUNK])
        if not seals:
            return
        rows = Event.objects.filter(pk__in=[seal.event_id for seal in seals]).values(*COLUMNS)
        found = {row["id"]: {name: written(value) for name, value in row.items()} for row in rows}
        for seal in seals:
            yield Link(seal.seq, seal.event_id, found.get(seal.event_id), str(written(seal.sealed_at)), seal.digest)
        last = seals[-1].seq


def events_never_sealed() -> Iterator[Finding]:
    """Events that stand before the end of the chain, were there when it was last sealed, and are not in it."""
    end = EventSeal.objects.order_by("-sealed_at", "-seq").first()
    highest = EventSeal.objects.order_by("-event_id").first()
    if end is None or highest is None:
        return
    left_out = Event.objects.filter(
        seal__isnull=True, pk__lt=highest.event_id, recorded_at__lt=end.sealed_at - LATEST
    ).order_by("pk")
    for pk in left_out.values_list("pk", flat=True).iterator(CHUNK):
        yield Finding("event-unsealed", event_id=pk)


def clean_checks(most: int = 100) -> dict[int, str]:
    """Ends of the chain that earlier checks found sound, by number: it must still pass through them."""
    checks = SealCheck.objects.filter(findings=0, seq__gt=0).order_by("-pk")
    return dict(checks.values_list("seq", "digest")[:most])
