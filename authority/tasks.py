"""Celery's door to the CA."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task

from authority.services import publication
from runtime import clock

GAP = timedelta(seconds=2)  # between two lists of one distribution point: a burst of changes makes few of them


@shared_task
def publish_crls() -> int:
    """Publish the CRLs that are due; poked after every change and by the rescan."""
    return publication.publish_due(clock.now(), gap=GAP)
