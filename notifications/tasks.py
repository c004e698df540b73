"""Celery doors of the outbox."""

from __future__ import annotations

from celery import shared_task

from notifications import queries, services
from runtime import clock, nudge

MAILS_PER_DRAIN = 500


@shared_task(name="notifications.tasks.drain")
def drain() -> int:
    """Send what is due; poke the next drain when there is more. Returns how many were sent.

    Nothing sent, nothing poked: a server that is away is not asked again before the pause is over.
    """
    sent = services.deliver_due(at=clock.now(), limit=MAILS_PER_DRAIN)
    if sent and queries.is_due(at=clock.now()):
        nudge.send(services.DRAIN)
    return sent


@shared_task(name="notifications.tasks.forget_old_secrets")
def forget_old_secrets() -> int:
    """Wipe the secrets of messages that failed long ago. Returns how many."""
    return services.forget_old_secrets(at=clock.now())
