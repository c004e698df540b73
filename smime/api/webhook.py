"""The webhook of the identification provider: signed bytes in, an acknowledgement out, the rest is a task's work."""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from runtime import clock, limits
from runtime.callers import network_of
from smime.errors.identification import DeliveryUnsigned
from smime.services import deliveries
from smime.services.idenfy import SIGNATURE_HEADER

LARGEST_BODY = 64 * 1024
STRANGERS_A_MINUTE = 60


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Take one message: 200 as soon as it is stored, again 200 for the same bytes, 403 without a valid signature.

    The raw body is what is signed; nothing parses it here. The provider sends again what is not answered in 10 s.
    """
    body = request.read(LARGEST_BODY + 1)
    if len(body) > LARGEST_BODY:
        return _refused(413, "body-too-large", "Il messaggio supera la dimensione consentita.")
    try:
        deliveries.receive(body, request.headers.get(SIGNATURE_HEADER, ""), at=clock.now())
    except DeliveryUnsigned as refusal:
        caller = network_of(request.META.get("REMOTE_ADDR", ""))
        if limits.hit(f"smime-unsigned:{caller}", limit=STRANGERS_A_MINUTE, window_seconds=60):
            return _refused(403, refusal.reason_code, refusal.text)
        return _refused(429, "rate-limited", "Troppi messaggi senza firma valida: riprovare fra un minuto.")
    return HttpResponse(status=200)


def _refused(status: int, code: str, detail: str) -> HttpResponse:
    problem = {"type": "about:blank", "status": status, "code": code, "detail": detail}
    answer = HttpResponse(json.dumps(problem), status=status, content_type="application/problem+json")
    if status == 429:
        answer["Retry-After"] = "60"
    return answer
