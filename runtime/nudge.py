"""Poke a task by its name after the commit, best effort: the row is the fact, the rescan the guarantee."""

from __future__ import annotations

import threading
import time

import structlog
from celery import current_app
from django.db import transaction

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 10.0
CONNECT_SECONDS = 0.5
ANSWER_SECONDS = 1.0

# No retry at any layer: kombu would otherwise try to connect for as long as the broker is away.
TRANSPORT_OPTIONS = {"max_retries": 0, "socket_connect_timeout": CONNECT_SECONDS, "socket_timeout": ANSWER_SECONDS}


class Breaker:
    """Remembers for a while that the broker was away, so that one dead broker costs one wait and not one a request."""

    def __init__(self, pause_seconds: float = PAUSE_SECONDS) -> None:
        """Start closed."""
        self._pause = pause_seconds
        self._open_until = 0.0
        self._lock = threading.Lock()

    def is_open(self) -> bool:
        """Say whether to leave the broker alone. Monotonic seconds: this is about waiting, not about dates."""
        with self._lock:
            return time.monotonic() < self._open_until

    def trip(self) -> None:
        """Leave the broker alone for the pause."""
        with self._lock:
            self._open_until = time.monotonic() + self._pause

    def reset(self) -> None:
        """Trust the broker again."""
        with self._lock:
            self._open_until = 0.0


breaker = Breaker()


def after_commit(task_name: str, *args: object) -> None:
    """Send `task_name` with these ids once the present transaction is committed. Never raises, never waits long."""
    transaction.on_commit(lambda: send(task_name, *args), robust=True)


def send(task_name: str, *args: object) -> bool:
    """Send now; False when the broker did not take it, which only means that the rescan will."""
    if breaker.is_open():
        return False
    try:
        with current_app.connection_for_write(transport_options=_transport_options()) as connection:
            current_app.send_task(task_name, args=args, connection=connection, retry=False, ignore_result=True)
    except Exception as error:  # noqa: BLE001 - transports raise many kinds, and none may reach a committed use case
        breaker.trip()
        log.warning("nudge.lost", task=task_name, error=type(error).__name__)
        return False
    return True


def _transport_options() -> dict[str, object]:
    return {**(current_app.conf.broker_transport_options or {}), **TRANSPORT_OPTIONS}
