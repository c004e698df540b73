"""Celery's door to the project's own chore."""

from __future__ import annotations

from celery import shared_task

from config.conditions import SCHEDULE
from config.watch import note_life
from runtime import clock


@shared_task(name="config.tasks.sing")
def sing() -> None:
    """Write down that beat, broker, worker and database work."""
    note_life(SCHEDULE, now=clock.now())
