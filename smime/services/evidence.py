"""Files that prove something: examined, sealed untouched, scanned, shown only as pictures painted anew.

Examining starts a process and takes up to a second: do it before the transaction (`examine`), then `keep`. No file is
seen by a person before the scanner has called it clean, and of none is the name, the content or the sender logged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import structlog
from django.db.models import Q

from runtime import claims, nudge, sealing
from runtime.transactions import use_case
from smime import file_contents, policy_files
from smime.errors import files as errors
from smime.file_contents import Content
from smime.models import EvidenceContent, EvidenceFile, Order
from smime.services import inspection, letter_signature
from smime.services.scanner import Scanner, ScannerAway, configured
from smime.states import FACES, CheckKind, FileKind, ScanState

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=90)
MOST_AT_ONCE = 20
_SCAN = "smime.tasks.scan_file"
_CHECK_OF = {
    FileKind.ATTESTATION: CheckKind.ATTESTATION,
    FileKind.SIGNED_FORM: CheckKind.IDENTITY,
    **dict.fromkeys(FACES, CheckKind.IDENTITY),
}
# Who goes on with an order once the scanner has spoken; named, because it calls back here.
_AFTERWARDS = {
    FileKind.ATTESTATION: "smime.services.attestation",
    FileKind.SIGNED_FORM: "smime.services.signature",
}


@dataclass(frozen=True, slots=True)
class Examined:
    """A file that may be stored: what it is, how long, and by kind what in it starts something (quarantine)."""

    name: str
    media_type: str
    content: bytes = field(repr=False)
    pages: int
    active: tuple[str, ...] = ()


def examine(kind: FileKind, *, name: str, content: bytes, sent_as: str = "") -> Examined:
    """Look at the bytes, never trusting what they are called; raises the refusal that says what to do instead.

    `sent_as` is the browser's media type. Stores nothing; call it outside of a transaction.
    """
    policy_files.require_size(content)
    outer, inner, document = _told(content)
    if outer not in policy_files.TAKEN[kind]:
        raise errors.FileTypeRefused
    if not file_contents.agrees(outer, inner, name=file_contents.safe_name(name), sent_as=sent_as):
        raise errors.FileTypeMismatch
    try:
        found = inspection.inspect(inner, document)
    except inspection.Unreadable as broken:
        raise errors.FileUnreadable from broken
    policy_files.require_readable(pages=found.pages, pixels=found.pixels, is_encrypted=found.is_encrypted)
    return Examined(file_contents.safe_name(name, outer), outer.value, content, found.pages, found.active)


@use_case
def keep(order: Order, kind: FileKind, examined: Examined, *, by: int | None, at: datetime) -> EvidenceFile:
    """Seal an examined file and have it scanned; `by`: the account that sent it, None for a link or a provider."""
    Order.objects.select_for_update(no_key=True).get(pk=order.pk)
    if EvidenceFile.objects.filter(order=order, kind=kind, erased_at__isnull=True).count() >= policy_files.MOST_FILES:
        raise errors.FilesTooMany
    state = policy_files.state_at_first(examined.active)
    file = EvidenceFile.objects.create(
        order=order,
        kind=kind,
        round=_round_of(order, kind),
        name=examined.name,
        media_type=examined.media_type,
        size=len(examined.content),
        sha256=hashlib.sha256(examined.content).hexdigest(),
        pages=examined.pages,
        scan=state,
        scan_note=",".join(examined.active),
        uploaded_by=by,
        uploaded_at=at,
        next_attempt_at=at if state == ScanState.PENDING else None,
    )
    sealed = sealing.seal(examined.content, context=file.sealing_context)
    EvidenceContent.objects.create(file=file, sealed=sealed)
    if state == ScanState.PENDING:
        nudge.after_commit(_SCAN, file.pk)
    return file


def store_file(
    order: Order, kind: FileKind, *, name: str, content: bytes, by: int | None, at: datetime, sent_as: str = ""
) -> EvidenceFile:
    """Examine and keep in one go, for callers that hold no lock."""
    return keep(order, kind, examine(kind, name=name, content=content, sent_as=sent_as), by=by, at=at)


def read_file(file: EvidenceFile) -> bytes:
    """The bytes as they came, for programs that judge them; raises `FileErased`. People get `read_clean` alone."""
    content = EvidenceContent.objects.filter(file=file).first()
    if content is None:
        raise errors.FileErased
    return sealing.unseal(content.sealed, context=file.sealing_context)


def read_clean(file: EvidenceFile) -> bytes:
    """The bytes for a person who downloads them; raises `FileNotClean` unless the scanner has passed them."""
    if file.scan != ScanState.CLEAN:
        raise errors.FileNotClean
    return read_file(file)


def preview(file: EvidenceFile, page: int) -> bytes:
    """One page (from 0) as a PNG painted anew; raises `FileNotClean`, `FileErased`, `FileUnreadable`."""
    content = read_clean(file)
    if not 0 <= page < (file.pages or 1):
        raise errors.FileUnreadable
    try:
        return inspection.draw(*file_contents.unwrapped(content), page)
    except (inspection.Unreadable, file_contents.NotTaken, file_contents.TwoInOne) as broken:
        raise errors.FileUnreadable from broken


@use_case
def erase(file: EvidenceFile, *, at: datetime) -> None:
    """Delete the bytes; the row stays, with the digest, as the record that there was a file. Twice is once.

    The signer's name goes with them.
    """
    EvidenceContent.objects.filter(file=file).delete()
    EvidenceFile.objects.filter(pk=file.pk, erased_at__isnull=True).update(
        erased_at=at, next_attempt_at=None, signature_hint=""
    )


def scan(file_pk: int, *, at: datetime, scanner: Scanner | None = None) -> ScanState | None:
    """Have one file scanned and store the verdict; None where nobody answered (tried again) or another is at it."""
    fence = claims.claim(EvidenceFile, file_pk, at=at, lease=LEASE)
    if fence is None:
        return None
    file = EvidenceFile.objects.get(pk=file_pk)
    try:
        content = read_file(file)
        found = (scanner or configured()).find(content)
    except ScannerAway as away:
        log.warning("file.not-scanned", file=file_pk, code=str(away), attempts=file.attempts)
        again = at + policy_files.retry_after(file.attempts)
        claims.release(EvidenceFile, file_pk, fence, next_attempt_at=again)
        return None
    except errors.FileErased:
        claims.settle(EvidenceFile, file_pk, fence)
        return None
    if found is None and file.kind == FileKind.ATTESTATION:
        file.signature_hint = letter_signature.hint_of(content, at=at)
    return _settle(file, fence, found, at)


def scan_due(*, at: datetime, scanner: Scanner | None = None) -> int:
    """Scan what no nudge reached or what found no scanner; how many got their verdict."""
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=at)
    due = EvidenceFile.objects.filter(free, next_attempt_at__lte=at).order_by("next_attempt_at")
    picked = list(due.values_list("pk", flat=True)[:MOST_AT_ONCE])
    return sum(scan(pk, at=at, scanner=scanner) is not None for pk in picked)


@use_case
def _settle(file: EvidenceFile, fence: int, found: str | None, at: datetime) -> ScanState | None:
    order = Order.objects.select_for_update(no_key=True).get(pk=file.order_id)
    if not claims.still_mine(EvidenceFile, file.pk, fence):
        return None
    state = ScanState.CLEAN if found is None else ScanState.INFECTED
    file.order, file.scan, file.scan_note = order, state, (found or "")[:120]
    file.next_attempt_at = file.claimed_until = None
    file.save(update_fields=["scan", "scan_note", "signature_hint", "next_attempt_at", "claimed_until"])
    if found is not None:
        log.warning("file.infected", file=file.pk)
    _tell(file, at)
    return state


def _tell(file: EvidenceFile, at: datetime) -> None:
    module = _AFTERWARDS.get(FileKind(file.kind))
    if module is not None:
        go_on: Callable[..., Any] = import_module(module).go_on_with
        go_on(file, at=at)


def _told(content: bytes) -> tuple[Content, Content, bytes]:
    """What the file is outside and within, and the document itself."""
    try:
        outer = file_contents.told_by(content)
        inner, document = file_contents.unwrapped(content)
    except file_contents.TwoInOne as double:
        raise errors.FileAmbiguous from double
    except file_contents.NotTaken as foreign:
        raise errors.FileTypeRefused from foreign
    return outer, inner, document


def _round_of(order: Order, kind: FileKind) -> int:
    check = _CHECK_OF.get(kind)
    found = order.checks.filter(kind=check).values_list("round", flat=True).first() if check else None
    return found or 1
