"""The audit chain: how a sealed event is written down, what its digest covers, and what a broken chain tells.

Plain values in, findings out: the same functions read the database and a file that lies elsewhere.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

GENESIS = "0" * 64
"""What stands before the first link."""

LATEST = timedelta(minutes=10)
"""No transaction stays open for longer, so none commits an event this long after later ones were sealed."""

# Everything an event says. A column that is added here changes every digest after it: give `VERSION` its next number
# and keep reading the old one.
COLUMNS = (
    "id",
    "verb",
    "at",
    "recorded_at",
    "actor_kind",
    "actor_id",
    "channel",
    "outcome",
    "centre_id",
    "service_id",
    "case_code",
    "holder_id",
    "card_id",
    "certificate_id",
    "reason",
    "new_not_after",
    "facts",
)
VERSION = 1
MOST_SWAPS = 100


@dataclass(frozen=True, slots=True)
class Link:
    """One link as it is found: number, the event that it seals (None: gone), when, and the digest that was stored."""

    seq: int
    event_id: int
    event: Mapping[str, Any] | None
    sealed_at: str
    digest: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that no use case of the product can have done."""

    kind: str
    seq: int | None = None
    event_id: int | None = None

    def __str__(self) -> str:
        """One line for the terminal and the log: numbers only."""
        places = {"seal": self.seq, "event": self.event_id}
        return " ".join([self.kind, *(f"{name}={number}" for name, number in places.items() if number is not None)])


def written(value: Any) -> Any:
    """Write an instant as text, in UTC and to the microsecond; other values stand as they are."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value


def digest_of(previous: str, seq: int, event: Mapping[str, Any], sealed_at: str) -> str:
    """SHA-256 over the digest before and the canonical JSON of number, instant and event, in hexadecimal."""
    content = {"version": VERSION, "seq": seq, "sealed_at": sealed_at, "event": dict(event)}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


def findings_in(links: Iterable[Link], anchors: Mapping[int, str]) -> Iterator[Finding]:
    """Walk the chain from its first link. `anchors` are digests that were noted elsewhere, by number.

    Edits, deletions, swaps and reorderings break digests; insertions come too late; what was cut off at the end, or
    replaced by a chain that holds in itself, is found by an anchor alone.
    """
    broken: list[tuple[str, Link]] = []
    latecomers = _Latecomers()
    previous: Link | None = None
    for link in links:
        before = previous.digest if previous else GENESIS
        expected = previous.seq + 1 if previous else 1
        if link.seq != expected:
            yield Finding("seals-missing", seq=expected)
        elif link.event is None:
            yield Finding("event-missing", link.seq, link.event_id)
        elif digest_of(before, link.seq, link.event, link.sealed_at) != link.digest:
            broken.append((before, link))
        if latecomers.include(link):
            yield Finding("event-inserted", link.seq, link.event_id)
        if anchors.get(link.seq, link.digest) != link.digest:
            yield Finding("anchor-differs", link.seq, link.event_id)
        previous = link
    yield from _named(broken)
    last = previous.seq if previous else 0
    yield from (Finding("chain-cut-off", seq) for seq in sorted(anchors) if seq > last)


class _Latecomers:
    """Remembers the highest event that had been sealed long before the present link."""

    def __init__(self) -> None:
        self._recent: deque[tuple[datetime, int]] = deque()
        self._settled = 0

    def include(self, link: Link) -> bool:
        """Whether events after this one had been sealed so long before it that it cannot have waited for its commit."""
        sealed_at = datetime.fromisoformat(link.sealed_at)
        while self._recent and self._recent[0][0] <= sealed_at - LATEST:
            self._settled = max(self._settled, self._recent.popleft()[1])
        if self._recent and self._recent[-1][0] == sealed_at:
            link_id = max(self._recent.pop()[1], link.event_id)
        else:
            link_id = link.event_id
        self._recent.append((sealed_at, link_id))
        return link.event_id < self._settled


def _named(broken: list[tuple[str, Link]]) -> Iterator[Finding]:
    """Tell two that changed places from those that say something else than they did."""
    swapped: set[int] = set()
    for (before, link), (_, other) in itertools.permutations(broken[:MOST_SWAPS], 2):
        # Either the seals point crosswise, or the rows have each other's content under their own numbers.
        told = [other.event or {}, {**(other.event or {}), "id": link.event_id}]
        if link.digest in {digest_of(before, link.seq, event, link.sealed_at) for event in told}:
            swapped.add(link.seq)
    for _, link in broken:
        yield Finding("events-swapped" if link.seq in swapped else "event-changed", link.seq, link.event_id)
