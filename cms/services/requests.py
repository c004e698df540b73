"""Asking the certification authority and storing its answer: the only path by which a wish becomes a fact.

Any number of web threads and workers may carry out the same request: a claim with a fence lets one of them settle it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db import transaction

from cms import ca
from cms.models import CaRequest, Certificate, Pair
from cms.policy import REASON_OF
from cms.services import certificates, changes, registration
from cms.services.failures import note_failure, record
from cms.services.registration import store_certificate
from cms.states import CertificateStatus, Outcome, RequestKind, RequestState, RevocationCause
from notifications import services as notifications
from pki import x509
from pki.errors import GatewayError, LintFailed
from pki.gateway import CertificateRef, IssuedCertificate, IssueRequest, Profile, Subject, Validity
from runtime import claims, nudge
from runtime.stint import Stint
from runtime.transactions import use_case

_T = TypeVar("_T")
_OPEN = [RequestState.PLANNED, RequestState.SENT]
MOST_ISSUES = 200
RESCAN = "cms.tasks.rescan_requests"


def carry_out(request_id: int, *, at: datetime) -> CaRequest:
    """Ask the CA for what the request wants and store the answer; settled or claimed by another, nothing happens.

    Raises RuntimeError inside a transaction. Returns the request as it stands afterwards.
    """
    fence = claims.claim(CaRequest, request_id, at=at, lease=settings.CMS.ca_lease)
    request = CaRequest.objects.select_related("certificate", "pair", "body").get(pk=request_id)
    if fence is None:
        return request
    if _waits_for_earlier(request):
        claims.release(CaRequest, request.pk, fence, next_attempt_at=at + timedelta(seconds=2))
        return request
    if not _mark_sent(request, fence):
        return request
    try:
        answer = _ask(request, at=at)
    except (GatewayError, LintFailed) as failure:
        note_failure(request, fence, failure, at=at)
    else:
        _settle(request, fence, answer, at=at)
    request.refresh_from_db()
    return request


def carry_out_due(*, at: datetime) -> int:
    """Carry out what is due and claimed by nobody; the rescan behind every nudge. Returns how many were tried.

    Issues go one by one, a holder waits for each; changes of status go in batches until none is left. What one stint
    does not finish, the next one does, at once.
    """
    stint = Stint()
    tried = _issue_due(at, stint)
    while not stint.is_over:
        changed = changes.carry_out_batch(at=at)
        tried += changed
        if not changed:
            return tried
    nudge.send(RESCAN)
    return tried


def _issue_due(at: datetime, stint: Stint) -> int:
    due = CaRequest.objects.filter(state__in=_OPEN, next_attempt_at__lte=at, kind=RequestKind.ISSUE).order_by("id")
    rows = due.values_list("pk", "claimed_until")[:MOST_ISSUES]
    tried = 0
    for pk, until in list(rows):
        if stint.is_over:
            break
        if until is None or until <= at:
            carry_out(pk, at=at)
            tried += 1
    return tried


def _waits_for_earlier(request: CaRequest) -> bool:
    """Requests of one certificate go in stored order (ADR 3)."""
    if request.certificate_id is None or request.kind == RequestKind.REVOKE:
        # Revocation is final whatever came before it; only an unknown issue could hold it up, and then no row exists.
        return False
    earlier = CaRequest.objects.filter(certificate_id=request.certificate_id, id__lt=request.pk, state__in=_OPEN)
    return earlier.exists()


def _mark_sent(request: CaRequest, fence: int) -> bool:
    """Commit that the CA may know of this from now on; False if it was cancelled meanwhile."""
    mine = CaRequest.objects.filter(pk=request.pk, fence=fence, state__in=_OPEN)
    return bool(mine.update(state=RequestState.SENT))


def _ask(request: CaRequest, *, at: datetime) -> IssuedCertificate | None:
    with transaction.atomic(durable=True):
        pass  # inside somebody's open transaction Django refuses this; the gateway may open one of its own
    return _ISSUE_OR_CHANGE[request.kind](request, at)


def _issue(request: CaRequest, at: datetime) -> IssuedCertificate:
    gateway = ca.gateway()
    if request.attempts > 1:
        found = gateway.find_issued(request_id=request.uid)
        if found is not None:
            return found
    wanted = IssueRequest(
        id=request.uid,
        csr=bytes(request.body.csr),
        profile=Profile(request.profile),
        subject=Subject(**request.subject),
        validity=Validity(_known(request.not_before), _known(request.not_after)),
    )
    return gateway.issue(wanted, at=at)


def _hold(request: CaRequest, at: datetime) -> None:
    ca.gateway().hold(_ref(request), request_id=request.uid, at=at)


def _release(request: CaRequest, at: datetime) -> None:
    ca.gateway().release(_ref(request), request_id=request.uid, at=at)


def _revoke(request: CaRequest, at: datetime) -> None:
    reason = REASON_OF[RevocationCause(request.cause)]
    ca.gateway().revoke(_ref(request), reason=reason, request_id=request.uid, at=at)


_ISSUE_OR_CHANGE: dict[str, Callable[[CaRequest, datetime], IssuedCertificate | None]] = {
    RequestKind.ISSUE: _issue,
    RequestKind.HOLD: _hold,
    RequestKind.RELEASE: _release,
    RequestKind.REVOKE: _revoke,
}


def _ref(request: CaRequest) -> CertificateRef:
    certificate = _known(request.certificate)
    return CertificateRef(bytes.fromhex(certificate.issuer_key_id), int(certificate.serial, 16))


def _known(value: _T | None) -> _T:
    if value is None:
        message = "the database constrains this column for this kind of request"
        raise TypeError(message)
    return value


@use_case
def _settle(request: CaRequest, fence: int, answer: IssuedCertificate | None, *, at: datetime) -> None:
    # Certificate before request: the order in which use cases lock them.
    certificate = _locked(request.certificate_id)
    if not claims.settle(CaRequest, request.pk, fence):
        return
    result = certificate
    if answer is not None:
        result = _settle_issue(request, answer, at=at)
    elif certificate is not None:
        _settle_change(request, certificate, at=at)
    as_asked = answer is None or result is not None
    CaRequest.objects.filter(pk=request.pk).update(
        certificate=result,
        state=RequestState.DONE if as_asked else RequestState.REFUSED,
        settled_at=at,
        last_error="" if as_asked else "ca-answer-differs",
    )
    if certificate is not None:
        _announce(request, at=at)
        nudge.after_commit("authority.tasks.publish_crls")


def _locked(certificate_id: int | None) -> Certificate | None:
    if certificate_id is None:
        return None
    return Certificate.objects.select_for_update(no_key=True).get(pk=certificate_id)


def _settle_issue(request: CaRequest, answer: IssuedCertificate, *, at: datetime) -> Certificate | None:
    """Store the certificate and return it, or None when it is not the one that was asked for."""
    facts = x509.read_certificate(answer.certificate)
    if not _as_planned(request, facts):
        record(request, "ca.request-refused", at=at, outcome=Outcome.FAILED, reason="ca-answer-differs")
        certificate = store_certificate(
            request.pair, request.type, facts, status=CertificateStatus.ISSUED, proven_at=None
        )
        certificates.request_revocation(certificate, RevocationCause.NOT_INSTALLED, at=at)
        return None
    certificate = store_certificate(request.pair, request.type, facts, status=CertificateStatus.ISSUED, proven_at=None)
    record(request, "certificate.issued", at=at, certificate_id=certificate.pk, new_not_after=certificate.not_after)
    cause = CaRequest.objects.values_list("cause", flat=True).get(pk=request.pk)
    if cause:
        # The case ended while the CA was working: nobody will install this one.
        certificates.request_revocation(certificate, RevocationCause(cause), at=at)
    return certificate


def _as_planned(request: CaRequest, facts: x509.CertificateFacts) -> bool:
    return (
        facts.spki_sha256.hex() == request.spki_sha256
        and facts.not_after == request.not_after
        and facts.subject_cn == request.subject["common_name"]
    )


def _settle_change(request: CaRequest, certificate: Certificate, *, at: datetime) -> None:
    if request.kind == RequestKind.HOLD and certificate.status == CertificateStatus.ACTIVE:
        certificate.hold(at=at)
        record(request, "certificate.held", at=at, certificate_id=certificate.pk, reason=request.cause)
    elif request.kind == RequestKind.RELEASE and certificate.status == CertificateStatus.HELD:
        certificate.release()
        registration.expect_windows([certificate.pair_id])
        record(request, "certificate.released", at=at, certificate_id=certificate.pk)
    elif request.kind == RequestKind.REVOKE and certificate.status != CertificateStatus.REVOKED:
        certificate.revoke(at=at, cause=RevocationCause(request.cause))
        certificates.standing_holds(certificate).update(ended_at=at)
        record(request, "certificate.revoked", at=at, certificate_id=certificate.pk, reason=request.cause)
    certificate.save(update_fields=["status", "held_at", "revoked_at", "revocation_cause"])


def _announce(request: CaRequest, *, at: datetime) -> None:
    """Tell the holder once both halves are done."""
    said = request.announcement
    if not said:
        return
    # Both halves may settle at once; the second waits here and sees the first one done.
    Pair.objects.select_for_update(no_key=True).only("pk").get(pk=request.pair_id)
    # The pair is named too: what is asked outside a renewal has no case, and would wait for everybody else's.
    others = CaRequest.objects.filter(
        pair_id=request.pair_id, case_code=request.case_code, kind=request.kind, state__in=_OPEN
    )
    if others.exclude(pk=request.pk).exists():
        return
    notifications.post_each([certificates.draft_of(said, request.case_code)], at=at)
