"""Where worker and beat give their signs of life: the worker through Celery's own heartbeat, beat at each tick."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from celery.beat import Scheduler
from celery.signals import heartbeat_sent, worker_ready
from django.conf import settings

from config.heartbeat import touch
from config.watchman import WATCHMAN

LONG_AGO = timedelta(days=1)


@worker_ready.connect
@heartbeat_sent.connect
def worker_is_alive(**_: Any) -> None:
    """Show that the worker's loop turns and that it hears the broker."""
    _touch("worker")


class TickingScheduler(Scheduler):
    """Celery's scheduler without a file of its own, which shows at each tick that beat is alive.

    After a start everything is due at once: what fell due while beat was down waits no longer.
    """

    def setup_schedule(self) -> None:
        """Fill the schedule, each entry as if it had last run long ago."""
        super().setup_schedule()
        for entry in self.data.values():
            entry.last_run_at = entry.default_now() - LONG_AGO

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due; return the seconds until the next tick, few enough to be seen alive."""
        _touch("beat")
        WATCHMAN.note_tick()
        return min(float(super().tick(*args, **kwargs)), 5.0)


def _touch(name: str) -> None:
    if settings.HEARTBEAT_FOLDER:
        touch(Path(settings.HEARTBEAT_FOLDER, name))
