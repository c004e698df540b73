"""What becomes of a request that the CA did not carry out: asked again, dropped, or refused for a person to see."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings

from cms import events
from cms.actors import SYSTEM
from cms.models import CaRequest
from cms.states import Outcome, RequestKind, RequestState
from pki.errors import GatewayConflict, GatewayError, GatewayNotAllowed, GatewayRefused, LintFailed
from runtime import claims
from runtime.transactions import use_case

log = structlog.get_logger(__name__)
FINAL = (GatewayRefused, GatewayNotAllowed, GatewayConflict, LintFailed)


def note_failure(request: CaRequest, fence: int, failure: GatewayError | LintFailed, *, at: datetime) -> None:
    """Store what the failure means for the request; who has lost its claim stores nothing."""
    if isinstance(failure, GatewayConflict) and _is_overtaken(request):
        _drop(request, fence, at=at)
        return
    if isinstance(failure, FINAL):
        _refuse(request, fence, failure, at=at)
        return
    waits = settings.CMS.ca_retry_seconds
    wait = waits[min(request.attempts, len(waits)) - 1]
    CaRequest.objects.filter(pk=request.pk, fence=fence).update(last_error=failure.code)
    claims.release(CaRequest, request.pk, fence, next_attempt_at=at + timedelta(seconds=wait))


def record(request: CaRequest, verb: str, *, at: datetime, **more: Any) -> None:
    """Append an event of what the CA has done or refused; its `request` is the id that the CA knows."""
    pair = request.pair
    events.record(
        verb,
        actor=SYSTEM,
        at=at,
        centre_id=request.centre_id,
        service_id=request.service_id,
        case_code=request.case_code,
        holder_id=pair.holder_id,
        card_id=pair.card_id,
        facts={"type": request.type, "request": str(request.uid)},
        **more,
    )


def _is_overtaken(request: CaRequest) -> bool:
    """A hold or a release that the CA knows no more of, because a revocation went before it."""
    if request.certificate_id is None or request.kind == RequestKind.REVOKE:
        return False
    return CaRequest.objects.filter(certificate_id=request.certificate_id, kind=RequestKind.REVOKE).exists()


@use_case
def _drop(request: CaRequest, fence: int, *, at: datetime) -> None:
    if claims.settle(CaRequest, request.pk, fence):
        CaRequest.objects.filter(pk=request.pk).update(state=RequestState.CANCELLED, settled_at=at)


@use_case
def _refuse(request: CaRequest, fence: int, failure: GatewayError | LintFailed, *, at: datetime) -> None:
    """The CA said no for good: a person must look; the event says what and why."""
    if not claims.settle(CaRequest, request.pk, fence):
        return
    CaRequest.objects.filter(pk=request.pk).update(state=RequestState.REFUSED, settled_at=at, last_error=failure.code)
    log.warning("ca.request-refused", request=str(request.uid), code=failure.code, finding=str(failure)[:500])
    record(request, "ca.request-refused", at=at, outcome=Outcome.FAILED, reason=failure.code)
