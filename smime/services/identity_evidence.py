"""What an officer compares: the document's data and the photos of an attempt, sealed as they came.

The provider's addresses of photos are good for an hour, so they are fetched with the outcome; its own copy is erased
once an officer has decided (`attempts`). Ours stays while somebody may have to compare it, and as the record of what a
certificate rests on (SBR 5.5.2: two years after its end). What has identified nobody by the end of its round proves
nothing, and is erased: face and document are special data, kept for this purpose alone (GDPR art. 5(1)(e), 9).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from django.db.models import Exists, OuterRef, Q, QuerySet

from cms import events
from cms.actors import SYSTEM
from cms.errors import DomainError
from runtime import sealing
from runtime.transactions import use_case
from smime import policy_identity
from smime.models import CaOrder, Check, EvidenceFile, IdentificationAttempt, Order, SmimeCertificate
from smime.services import checks, evidence, idp
from smime.services.evidence import Examined
from smime.states import FACES, CaOrderKind, CaOrderState, CheckKind, CheckState, FileKind, OrderState

log = structlog.get_logger(__name__)

_KIND_OF = {
    idp.Picture.FRONT: FileKind.DOCUMENT_FRONT,
    idp.Picture.BACK: FileKind.DOCUMENT_BACK,
    idp.Picture.FACE: FileKind.FACE,
}
MOST_AT_ONCE = 200
_ASKED = (CaOrderState.PLANNED, CaOrderState.SENT)
CLOSED = (OrderState.REJECTED, OrderState.CANCELLED, OrderState.LAPSED)
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


def end_round(
    order: Order, round_: int, *, because: str, at: datetime, kept: IdentificationAttempt | None = None
) -> None:
    """Erase what the attempts of a round have left here, but for the one that identified the recipient (`kept`).

    Rows, digests and the officers' findings stay; an event says how much was erased, `because` of what. Nothing left:
    nothing said. Runs in the caller's transaction, the order locked.
    """
    photos = EvidenceFile.objects.filter(order=order, round=round_, kind__in=FACES, erased_at__isnull=True)
    read = order.attempts_made.filter(round=round_, sealed_evidence__isnull=False)
    if kept is not None:
        photos, read = photos.exclude(uploaded_at=kept.finished_at or at), read.exclude(pk=kept.pk)
    kinds = [photo.kind for photo in photos]
    for photo in photos:
        evidence.erase(photo, at=at)
    documents = read.update(sealed_evidence=None)
    if kinds or documents:
        told = {"round": str(round_), "photos": str(len(kinds)), "documents": str(documents)}
        facts = {**told, "kinds": ",".join(sorted(set(kinds)))}
        events.record("smime.identity-erased", actor=SYSTEM, at=at, reason=because, facts=facts, **checks.scope(order))


def erase_ended(*, at: datetime) -> int:
    """Erase, some orders at a time, what rounds have left that ended with their order; return how many rounds."""
    return sum(_end_late(order_id, round_, at) for order_id, round_ in _ended())


@use_case
def _end_late(order_id: int, round_: int, at: datetime) -> bool:
    """Look again under the order's lock: it may have gone on since, and this round be the one that proves it."""
    order = Order.objects.select_for_update(no_key=True).get(pk=order_id)
    if (order_id, round_) not in _ended(order=order):
        return False
    end_round(order, round_, because="order-ended", at=at)
    return True


def _ended(**of: Order) -> list[tuple[int, int]]:
    """Orders and rounds that have left something which proves nothing any more; `of`: of this order."""
    faces = EvidenceFile.objects.filter(kind__in=FACES, erased_at__isnull=True, **of)
    documents = IdentificationAttempt.objects.filter(sealed_evidence__isnull=False, **of)
    return sorted({*_without_purpose(faces), *_without_purpose(documents)})


def _without_purpose(rows: QuerySet[Any]) -> list[tuple[int, int]]:
    """Orders and rounds of rows that prove nothing: no certificate rests on the order, or none on this round.

    An order that ended has no certificate, or keeps the one from before a reissue that was given up; then the check
    that the reissue had begun anew has not passed.
    """
    identity = Check.objects.filter(order=OuterRef("order"), kind=CheckKind.IDENTITY)
    begun_anew = identity.filter(round=OuterRef("round")).exclude(state=CheckState.PASSED)
    certified = Exists(SmimeCertificate.objects.filter(order=OuterRef("order")))
    # A rejected order's certificate may still be on its way: what it rests on is kept until the CA's word is known.
    asked = Exists(CaOrder.objects.filter(order=OuterRef("order"), kind=CaOrderKind.ISSUE, state__in=_ASKED))
    in_vain = Q(order__state__in=CLOSED) & ~certified & ~asked
    given_up = Q(order__state=OrderState.ISSUED) & Exists(begun_anew)
    found = rows.filter(in_vain | given_up).values_list("order_id", "round").distinct()
    return list(found[:MOST_AT_ONCE])


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
