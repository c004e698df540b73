"""The thread that watches, one in each process of the product: whichever of them dies, the others tell (ADR 26).

Nothing starts at import. Workers start it when they are ready, beat with its loop, web processes with a first request.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import structlog
from celery.signals import beat_init, worker_ready
from django.db import Error, connection

from config import watch
from config.conditions import BEAT
from notifications import queries as outbox
from notifications import services as mails
from notifications.catalog import Message
from runtime import clock

log = structlog.get_logger(__name__)

FIRST_REST_SECONDS = 5.0
LONGEST_TICK = timedelta(seconds=20)
WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Watchman:
    """Looks every 30 seconds until the process ends. Starting it twice starts one; a forked child starts its own."""

    def __init__(self, rest_seconds: float = watch.LOOK.total_seconds()) -> None:
        """Stand ready, without a thread."""
        self._rest = rest_seconds
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._last_tick: float | None = None

    def start(self) -> None:
        """Begin to look, if this process has not yet begun."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._watch, name="watchman", daemon=True)
                self._thread.start()

    def note_tick(self) -> None:
        """Hear from beat's own loop; costs no look at the database, which may be away."""
        self._last_tick = time.monotonic()

    def stand_watch(self) -> None:
        """Look once; whatever happens, the next look comes. The connection is not kept open between two looks."""
        try:
            now = clock.now()
            if self._beat_ticks():
                watch.note_life(BEAT, now=now)
            watch.look(now=now)
            deliver_alarms()
        except Error as away:
            log.error("watch.database-away", error=type(away).__name__)  # noqa: TRY400 - a trace a minute would hide the rest
        except Exception:  # a watchman who falls silent is the one thing that nobody would see
            log.exception("watch.failed")
        finally:
            connection.close()

    def _watch(self) -> None:
        time.sleep(FIRST_REST_SECONDS)
        while True:
            self.stand_watch()
            time.sleep(self._rest)

    def _beat_ticks(self) -> bool:
        """Whether beat's loop turns; a living thread beside a loop that hangs proves nothing."""
        return self._last_tick is not None and time.monotonic() - self._last_tick < LONGEST_TICK.total_seconds()


def deliver_alarms() -> int:
    """Send waiting mails of alarms from here: where workers are what has died, nobody else would. Returns how many."""
    now = clock.now()
    waiting = outbox.urgent_waiting(Message.ALARM, at=now)
    return mails.deliver_due(at=now, limit=waiting) if waiting else 0


WATCHMAN = Watchman()


@worker_ready.connect
@beat_init.connect
def start_watching(**_: Any) -> None:
    """Let a worker's main process, and beat, watch."""
    WATCHMAN.start()


def watched(application: WsgiApplication) -> WsgiApplication:
    """Wrap the web application so that its process watches from the first request on."""

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        WATCHMAN.start()
        return application(environ, start_response)

    return serve
