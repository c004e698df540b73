"""Wishes to the certification authority: stored first, carried out after the commit, settled with the answer (ADR 3).

`request_*` and `*_hold` run in the caller's transaction and only store; `cms.services.requests.carry_out` asks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from cms import policy
from cms.actors import Actor
from cms.errors import KeyKnown
from cms.models import CaRequest, CaRequestBody, Certificate, Hold, KnownKey, Pair
from cms.states import CertificateStatus, HoldCause, RequestKind, RequestState, RevocationCause
from notifications.catalog import Message
from notifications.services import Draft
from pki.csr import SigningRequest
from pki.gateway import Profile, Subject, Validity
from runtime import nudge

# Wishes that changed nothing, and never will.
WITHOUT_EFFECT = frozenset({RequestState.REFUSED, RequestState.CANCELLED})
# Wishes for a certificate that the CA has made or may have made.
POSSIBLY_ISSUED = (RequestState.SENT, RequestState.DONE)
PROFILE_OF = {"authentication": Profile.CNS_AUTHENTICATION, "signature": Profile.QUALIFIED_SIGNATURE}


@dataclasses.dataclass(frozen=True, slots=True)
class Announcement:
    """A message that leaves once the CA has done everything of the same `group`: told when true, not when wished."""

    key: str
    message: str
    to: str
    context: dict[str, Any]
    holder_id: int
    centre_id: int | None = None
    service_id: int | None = None
    language: str = "it"


def draft_of(said: dict[str, Any], case_code: str) -> Draft:
    """The mail of an `Announcement` as its request keeps it."""
    told = Announcement(**said)
    return Draft(
        key=told.key,
        message=Message(told.message),
        to=told.to,
        context=told.context,
        case_code=case_code,
        holder_id=told.holder_id,
        language=told.language,
        centre_id=told.centre_id,
        service_id=told.service_id,
    )


def request_issue(
    *,
    pair: Pair,
    type_: str,
    request: SigningRequest,
    subject: Subject,
    validity: Validity,
    case_code: str,
    at: datetime,
) -> CaRequest:
    """Store the wish for one certificate; raise `KeyKnown` for a public key that was ever seen before."""
    fingerprint = request.spki_sha256.hex()
    try:
        with transaction.atomic():
            KnownKey.objects.create(spki_sha256=fingerprint, origin=f"case:{case_code}", seen_at=at)
    except IntegrityError as clash:
        raise KeyKnown from clash
    row = CaRequest.objects.create(
        natural_key=f"issue:{case_code}:{type_}",
        kind=RequestKind.ISSUE,
        centre_id=pair.centre_id,
        service_id=pair.service_id,
        pair=pair,
        type=type_,
        profile=PROFILE_OF[type_],
        subject=dataclasses.asdict(subject),
        spki_sha256=fingerprint,
        not_before=validity.not_before,
        not_after=validity.not_after,
        case_code=case_code,
        asked_at=at,
        next_attempt_at=at,
    )
    CaRequestBody.objects.create(request=row, csr=request.der)
    return row


def place_hold(
    certificate: Certificate,
    cause: HoldCause,
    *,
    days: int,
    actor: Actor,
    at: datetime,
    case_code: str = "",
    announcement: Announcement | None = None,
) -> Hold:
    """Suspend for a cause; a second cause asks nothing more of the CA. The caller has locked the certificate."""
    policy.require_not_final(certificate)
    standing = list(standing_holds(certificate))
    for hold in standing:
        if hold.cause == cause:
            return hold
    hold = Hold(
        certificate=certificate,
        cause=cause,
        placed_at=at,
        placed_by=actor.id,
        lapses_at=policy.hold_lapses_at(at, days),
    )
    hold.notice_at = policy.next_warning(hold, settings.CMS.notice_days)
    hold.save()
    if not standing:
        wish = change_request(
            certificate,
            RequestKind.HOLD,
            key=f"hold:{hold.pk}",
            cause=cause,
            case_code=case_code,
            at=at,
            announcement=announcement,
        )
        _store(wish)
    return hold


def lift_hold(
    certificate: Certificate,
    cause: HoldCause,
    *,
    origin: str,
    actor: Actor,
    at: datetime,
    case_code: str = "",
    announcement: Announcement | None = None,
) -> bool:
    """Lift one cause; the CA is asked when none remains. Returns whether the cause was standing."""
    policy.require_may_lift(origin, cause)
    hold = standing_holds(certificate).filter(cause=cause).first()
    if hold is None:
        return False
    policy.require_not_final(certificate)
    hold.lifted_at, hold.lifted_by = at, actor.id
    hold.save(update_fields=["lifted_at", "lifted_by"])
    if not standing_holds(certificate).exists():
        wish = change_request(
            certificate,
            RequestKind.RELEASE,
            key=f"release:{hold.pk}",
            cause=cause,
            case_code=case_code,
            at=at,
            announcement=announcement,
        )
        _store(wish)
    return True


def request_revocation(
    certificate: Certificate,
    cause: RevocationCause,
    *,
    at: datetime,
    case_code: str = "",
    announcement: Announcement | None = None,
) -> CaRequest:
    """Ask for revocation, for good. Unsent holds and releases are cancelled: they would only delay it."""
    policy.require_not_final(certificate)
    certificate.ca_requests.filter(state=RequestState.PLANNED, kind__in=[RequestKind.HOLD, RequestKind.RELEASE]).update(
        state=RequestState.CANCELLED, settled_at=at, next_attempt_at=None
    )
    wish = change_request(
        certificate,
        RequestKind.REVOKE,
        key=f"revoke:{certificate.pk}",
        cause=cause,
        case_code=case_code,
        at=at,
        announcement=announcement,
    )
    return _store(wish)


def abandon_issues(pair: Pair, *, at: datetime) -> frozenset[str]:
    """The pair's case has ended: drop wishes never sent; what the CA may have made is revoked as soon as it is known.

    Returns the types that the CA has issued or may have issued: those are consumed (rules.md R13).
    """
    issues = CaRequest.objects.filter(pair=pair, kind=RequestKind.ISSUE)
    issues.filter(state=RequestState.PLANNED).update(state=RequestState.CANCELLED, settled_at=at, next_attempt_at=None)
    issues.filter(state=RequestState.SENT).update(cause=RevocationCause.NOT_INSTALLED)
    used = issues.filter(state__in=POSSIBLY_ISSUED).values_list("type", flat=True)
    for certificate in pair.certificates.select_for_update().order_by("pk"):
        if certificate.status != CertificateStatus.REVOKED:
            request_revocation(certificate, RevocationCause.NOT_INSTALLED, at=at)
    return frozenset(used)


def standing_holds(certificate: Certificate) -> QuerySet[Hold]:
    """Holds that count today."""
    return certificate.holds.filter(lifted_at__isnull=True, ended_at__isnull=True)


def revocations_standing(certificate_ids: Collection[int]) -> set[int]:
    """Certificates whose revocation is wished and neither refused nor cancelled: wishing it again changes nothing."""
    wishes = CaRequest.objects.filter(certificate_id__in=certificate_ids, kind=RequestKind.REVOKE)
    newest = dict(wishes.order_by("id").values_list("certificate_id", "state"))
    return {pk for pk, state in newest.items() if pk is not None and state not in WITHOUT_EFFECT}


def change_request(
    certificate: Certificate,
    kind: RequestKind,
    *,
    key: str,
    cause: str,
    case_code: str,
    at: datetime,
    announcement: Announcement | None = None,
) -> CaRequest:
    """Build, without storing, the wish to change a certificate's status; sweeps store many at once."""
    return CaRequest(
        natural_key=key,
        kind=kind,
        centre_id=certificate.pair.centre_id,
        service_id=certificate.pair.service_id,
        pair_id=certificate.pair_id,
        certificate=certificate,
        type=certificate.type,
        cause=cause,
        case_code=case_code,
        announcement=dataclasses.asdict(announcement) if announcement else None,
        asked_at=at,
        next_attempt_at=at,
    )


def _store(request: CaRequest) -> CaRequest:
    """Store a wish once: the natural key of a repeated one finds the first."""
    known = list(CaRequest.objects.filter(natural_key__startswith=f"{request.natural_key}/").order_by("id"))
    if known and known[-1].state not in WITHOUT_EFFECT:
        return known[-1]
    # What the CA refused may be wished again, for example after a person has mended its cause.
    request.natural_key = f"{request.natural_key}/{len(known) + 1}"
    request.save()
    nudge.after_commit("cms.tasks.carry_out", request.pk)
    return request
