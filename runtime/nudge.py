"""Poke a task by its name after the commit, best effort: the row is the fact, the rescan the guarantee."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import Any

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

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
        _publish(task_name, args)
    except Exception as error:  # noqa: BLE001 - transports raise many kinds, and none may reach a committed use case
        breaker.trip()
        log.warning("nudge.lost", task=task_name, error=type(error).__name__)
        return False
    return True


class _Line(threading.local):
    """This thread's open connection to the broker, with the process and the address that it was opened for."""

    connection: Any = None
    opened_for: tuple[int, str | None] | None = None

    def kept(self) -> Any:
        """Return the connection that the last nudge left open, or None; a forked child leaves its parent's alone."""
        return self.connection if self.opened_for == _here() else None

    def opened(self) -> Any:
        """Open a new one and keep it."""
        self.connection = current_app.connection_for_write(transport_options=_transport_options())
        self.opened_for = _here()
        return self.connection

    def hang_up(self) -> None:
        """Close it, whatever the broker, which may be gone, makes of that."""
        connection, self.connection = self.connection, None
        self.opened_for = None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.release()


_line = _Line()


def _publish(task_name: str, args: tuple[object, ...]) -> None:
    """Send over the connection that is open: to open one costs more than the message.

    A broker that was restarted has hung up on us, which says nothing about its present state: so one more try.
    """
    kept = _line.kept()
    if kept is not None:
        try:
            return _send(kept, task_name, args)
        except OperationalError:
            _line.hang_up()
    try:
        return _send(_line.opened(), task_name, args)
    except BaseException:
        _line.hang_up()
        raise


def _send(connection: Any, task_name: str, args: tuple[object, ...]) -> None:
    current_app.send_task(task_name, args=args, connection=connection, retry=False, ignore_result=True)


def _here() -> tuple[int, str | None]:
    return os.getpid(), current_app.conf.broker_write_url or current_app.conf.broker_url


def _transport_options() -> dict[str, object]:
    return {**(current_app.conf.broker_transport_options or {}), **TRANSPORT_OPTIONS}
