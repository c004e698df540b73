"""Rules of uploaded files (design: attestation file): what is refused, what is put aside. They raise, or compute."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.conf import settings

from smime.errors import files as errors
from smime.file_contents import Content
from smime.states import FileKind, ScanState

MOST_FILES = 20
"""Files of one kind for one order; the customer's mistakes fit in, a flood does not."""
RETRY_SECONDS = (15, 30, 60, 120, 300)
TAKEN = {
    FileKind.ATTESTATION: frozenset(Content),
    FileKind.OFFICER_EVIDENCE: frozenset(Content),
    FileKind.SIGNED_FORM: frozenset({Content.PDF, Content.SIGNED}),
    FileKind.DOCUMENT_FRONT: frozenset({Content.JPEG, Content.PNG}),
    FileKind.DOCUMENT_BACK: frozenset({Content.JPEG, Content.PNG}),
    FileKind.FACE: frozenset({Content.JPEG, Content.PNG}),
}
"""What each kind of evidence may consist of."""


def require_size(content: bytes) -> None:
    """Raise unless there is something, and not more than the setting allows."""
    if not content:
        raise errors.FileEmpty
    if len(content) > settings.SMIME.upload_most_bytes:
        raise errors.FileTooLarge


def require_readable(*, pages: int, pixels: int, is_encrypted: bool) -> None:
    """Raise for a document that an officer could not look through."""
    if is_encrypted:
        raise errors.FileEncrypted
    if pages > settings.SMIME.upload_most_pages:
        raise errors.FileTooLong
    if pixels > settings.SMIME.upload_most_pixels:
        raise errors.FileTooDetailed


def state_at_first(active: Collection[str]) -> ScanState:
    """A document that starts something or carries other files is put aside; any other waits for the scanner."""
    return ScanState.QUARANTINED if active else ScanState.PENDING


def retry_after(attempts: int) -> timedelta:
    """How long to leave the scanner alone after so many tries; it is never given up."""
    return timedelta(seconds=RETRY_SECONDS[min(max(attempts, 1), len(RETRY_SECONDS)) - 1])
