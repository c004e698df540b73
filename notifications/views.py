"""The webhook of the mail provider: what came back, what arrived. See docs/mail.md for its contract."""

from __future__ import annotations

import json

import structlog
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from notifications import bounces
from notifications.errors import ReportUnreadable, ReportUnsigned
from runtime import clock, limits
from runtime.callers import network_of

log = structlog.get_logger(__name__)

LARGEST_REPORT = 64 * 1024
REPORTS_A_MINUTE = 3000
STRANGERS_A_MINUTE = 60

_REFUSALS = {
    400: ("Richiesta non valida", "La segnalazione non ha la forma prevista."),
    401: ("Accesso richiesto", "La firma della segnalazione manca, non è valida o è scaduta."),
    413: ("Richiesta troppo grande", "La segnalazione supera la dimensione consentita."),
    429: ("Troppe richieste", "Troppe segnalazioni: riprovare fra un minuto."),
}


@csrf_exempt
@require_POST
def receive_report(request: HttpRequest) -> HttpResponse:
    """Take one signed report: 204, told again 204 too; 400, 401, 413 and 429 as problem documents, nothing kept."""
    body = request.read(LARGEST_REPORT + 1)
    caller = network_of(request.META.get("REMOTE_ADDR", ""))
    if len(body) > LARGEST_REPORT:
        return _refused(413, "body-too-large")
    if not limits.hit(f"bounces:{caller}", limit=REPORTS_A_MINUTE, window_seconds=60):
        return _refused(429, "rate-limited")
    try:
        _take(request, body)
    except ReportUnsigned as refusal:
        may_try_on = limits.hit(f"bounces-unsigned:{caller}", limit=STRANGERS_A_MINUTE, window_seconds=60)
        return _refused(401, refusal.code) if may_try_on else _refused(429, "rate-limited")
    except ReportUnreadable as refusal:
        log.warning("bounces.unreadable", field=str(refusal))
        return _refused(400, refusal.code)
    return HttpResponse(status=204)


def _take(request: HttpRequest, body: bytes) -> None:
    at = clock.now()
    bounces.require_signed(
        body,
        timestamp=request.headers.get("X-Sigillo-Timestamp", ""),
        signature=request.headers.get("X-Sigillo-Signature", ""),
        at=at,
    )
    bounces.store_report(bounces.parsed(body, at=at), at=at)


def _refused(status: int, code: str) -> HttpResponse:
    title, detail = _REFUSALS[status]
    problem = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail}
    answer = HttpResponse(json.dumps(problem), status=status, content_type="application/problem+json")
    if status == 429:
        answer["Retry-After"] = "60"
    return answer
