"""The files of an import: kept in slices beside the job, read as a whole by whoever works on it."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings

from cms.bundle import Bundle, read_bundle
from cms.models import Job, JobFile
from cms.roster import Roster, read_roster

SLICE = 1024 * 1024
TABLE, CERTIFICATES = "table", "certificates"


def store(job: Job, name: str, pieces: Iterable[bytes]) -> int:
    """Store a file in slices, so that no statement carries all of it; returns its length."""
    length = 0
    for number, piece in enumerate(pieces):
        length += len(piece)
        if length > settings.CMS.import_most_bytes:
            break
        JobFile.objects.create(job=job, name=f"{name}/{number:05d}", content=piece)
    return length


def roster_of(job: Job) -> Roster:
    """Read the table; raises `FileRefused`."""
    return read_roster(_stored(job, TABLE), most=settings.CMS.import_most_rows)


def bundle_of(job: Job) -> Bundle:
    """Read the certificates; raises `FileRefused`."""
    most = 3 * settings.CMS.import_most_rows
    return read_bundle(_stored(job, CERTIFICATES), most=most, most_bytes=2 * settings.CMS.import_most_bytes)


def _stored(job: Job, name: str) -> bytes:
    slices = job.files.filter(name__startswith=f"{name}/").order_by("name")
    return b"".join(bytes(content) for content in slices.values_list("content", flat=True).iterator(chunk_size=4))
