"""Celery's door to the CA."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task

from authority.services import files, publication
from runtime import clock

GAP = timedelta(seconds=2)  # between two lists of one distribution point: a burst of changes makes few of them


@shared_task
def publish_crls() -> int:
    """Publish the CRLs that are due; poked after every change and by the rescan.

    Where the installation names a folder, all that is published goes there as well, also what an earlier run left out.
    """
    folder = files.public_folder()
    if folder is None:
        return publication.publish_due(clock.now(), gap=GAP)
    try:
        return publication.publish_due(clock.now(), gap=GAP, seen=folder.number_of)
    finally:
        folder.export()
