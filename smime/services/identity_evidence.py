"""What an officer compares: the document's data and the photos of an attempt, sealed as they came.

The provider's addresses of photos are good for an hour, so they are fetched with the outcome; its own copy is erased
once an officer has decided (`attempts`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from cms.errors import DomainError
from runtime import sealing
from smime import policy_identity
from smime.models import EvidenceFile, IdentificationAttempt, Order
from smime.services import evidence, idp
from smime.services.evidence import Examined
from smime.states import FACES, FileKind

log = structlog.get_logger(__name__)

_KIND_OF = {
    idp.Picture.FRONT: FileKind.DOCUMENT_FRONT,
    idp.Picture.BACK: FileKind.DOCUMENT_BACK,
    idp.Picture.FACE: FileKind.FACE,
}
OTHER_NAME = "NAME_OF_ORDER"
"""Beside the provider's own tags: the names read from the document are not those of the order."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What a look at the provider has brought; document and photos only where an officer will compare them."""

    outcome: idp.Outcome
    document: Mapping[str, str] = field(default_factory=dict, repr=False)
    photos: Mapping[idp.Picture, Examined | None] = field(default_factory=dict, repr=False)


def collect(provider: idp.Provider, attempt: IdentificationAttempt, outcome: idp.Outcome) -> Collected:
    """Fetch data and photos and examine these as any upload (None: not acceptable). Outside of a transaction."""
    document, pictures = provider.document(attempt.scan_ref), provider.pictures(attempt.scan_ref)
    photos = {picture: _examined(attempt, picture, content) for picture, content in pictures.items()}
    return Collected(outcome, document, photos)


def keep(order: Order, attempt: IdentificationAttempt, collected: Collected, *, at: datetime) -> None:
    """Seal data and photos, and note what does not fit. The caller saves the attempt, in his transaction."""
    read = (collected.document.get("docFirstName", ""), collected.document.get("docLastName", ""))
    if not policy_identity.is_same_person((order.given_name, order.surname), read):
        attempt.mismatches.append(OTHER_NAME)
    said = {"document": dict(collected.document), "checks": dict(collected.outcome.details)}
    plain = json.dumps(said, ensure_ascii=False).encode()
    attempt.sealed_evidence = sealing.seal(plain, context=_context(attempt))
    for picture, photo in collected.photos.items():
        if photo is None:
            attempt.mismatches.append(f"PICTURE_{picture.value}")
        else:
            evidence.keep(order, _KIND_OF[picture], photo, by=None, at=at)


def evidence_of(attempt: IdentificationAttempt) -> dict[str, dict[str, Any]]:
    """What the provider read and checked, for the officer's page alone: `document` and `checks`, under its names."""
    if attempt.sealed_evidence is None:
        return {"document": {}, "checks": {}}
    found: dict[str, dict[str, Any]] = json.loads(sealing.unseal(attempt.sealed_evidence, context=_context(attempt)))
    return found


def photos_of(attempt: IdentificationAttempt) -> list[EvidenceFile]:
    """Photos of this very attempt: `keep` stores them in the moment at which it ends, and those of no other."""
    return [photo for photo in _photos(attempt) if photo.uploaded_at == attempt.finished_at]


def earlier_photos(attempt: IdentificationAttempt) -> list[EvidenceFile]:
    """Photos of the order's other attempts, which prove nothing for this one."""
    return [photo for photo in _photos(attempt) if photo.uploaded_at != attempt.finished_at]


def _photos(attempt: IdentificationAttempt) -> list[EvidenceFile]:
    kept = EvidenceFile.objects.filter(order=attempt.order_id, kind__in=FACES, erased_at__isnull=True)
    return list(kept.order_by("pk"))


def _examined(attempt: IdentificationAttempt, picture: idp.Picture, content: bytes) -> Examined | None:
    extension = "png" if content.startswith(b"\x89PNG") else "jpg"
    name = f"{picture.value.lower()}-{attempt.number}.{extension}"
    try:
        return evidence.examine(_KIND_OF[picture], name=name, content=content)
    except DomainError as refusal:
        what = {"attempt": attempt.pk, "picture": picture.value, "code": refusal.reason_code}
        log.warning("identification.picture-refused", **what)
        return None


def _context(attempt: IdentificationAttempt) -> str:
    return f"smime.attempt-evidence:{attempt.pk}"
