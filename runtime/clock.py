"""The one clock: the database's, read once by a door and passed down as an instant."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from django.db import connection

_LONGEST_WATCH = timedelta(seconds=1)


class Clock(Protocol):
    """Whatever can say what time it is."""

    def now(self) -> datetime:
        """Say the present instant, aware, in UTC."""
        ...


class DatabaseClock:
    """The clock of the default database, so that all machines of an installation agree."""

    def now(self) -> datetime:
        """Ask PostgreSQL; `clock_timestamp()` moves on within a transaction, `now()` would not."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            (instant,) = cursor.fetchone()
        return as_utc(instant)


@dataclass
class FakeClock:
    """A clock that stands still until somebody sets it; for tests and the rehearsal."""

    instant: datetime

    def now(self) -> datetime:
        """Say the instant that was set."""
        return as_utc(self.instant)


class Watch:
    """The instant that a door gave, moving on by monotonic seconds: for work that takes longer than a moment."""

    def __init__(self, at: datetime) -> None:
        """Start at the door's instant."""
        self._at = at
        self._since = time.monotonic()

    def elapsed(self) -> timedelta:
        """Say how long the work has taken."""
        return timedelta(seconds=time.monotonic() - self._since)

    def now(self) -> datetime:
        """Say the door's instant plus the time that has passed."""
        return self._at + self.elapsed()


class _Holder:
    clock: Clock = DatabaseClock()
    watch: Watch | None = None


def now() -> datetime:
    """Say the present instant (aware UTC, microseconds). Only doors call this; all below take `at`."""
    return _Holder.clock.now()


def about_now() -> datetime:
    """Say the present instant as of the database's clock at most a second ago, carried on by this process's own.

    For doors that are asked thousands of times a second and would ask the database twice for each.
    """
    if not isinstance(_Holder.clock, DatabaseClock):
        return _Holder.clock.now()
    watch = _Holder.watch
    if watch is None or watch.elapsed() > _LONGEST_WATCH:
        watch = _Holder.watch = Watch(_Holder.clock.now())
    return watch.now()


@contextmanager
def installed(clock: Clock) -> Iterator[Clock]:
    """Let every door of this process read `clock` within the block."""
    before, _Holder.clock = _Holder.clock, clock
    try:
        yield clock
    finally:
        _Holder.clock = before


def as_utc(instant: datetime) -> datetime:
    """Bring an aware instant to UTC; raises ValueError for a naive one, whose meaning nobody knows."""
    if instant.tzinfo is None:
        msg = "an instant needs a time zone"
        raise ValueError(msg)
    return instant.astimezone(UTC)
