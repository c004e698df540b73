"""Celery's door to the project's own chore."""

from __future__ import annotations

from celery import shared_task

from config.models import Canary
from runtime import clock

CANARY = "schedule"


@shared_task(name="config.tasks.sing")
def sing() -> None:
    """Write down that beat, broker, worker and database work."""
    Canary.objects.update_or_create(name=CANARY, defaults={"sang_at": clock.now()})
