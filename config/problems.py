"""Under `/api/`, answers that never reach the API library speak its language too: sizes, unknown paths, methods."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from config.api import respond
from config.statuses import PROBLEM_JSON

LARGEST_BODY = 64 * 1024
LARGEST_REPORT = 512 * 1024
REPORTS = "/api/enrollment/v1/support-requests"
"""Where a client's log comes along."""
_IN_KIND = {
    400: ("input-invalid", "La richiesta non è leggibile."),
    404: ("not-found", "Risorsa non trovata."),
    405: ("method-not-allowed", "Metodo non consentito."),
    500: ("internal-error", "Errore interno: la richiesta non è stata eseguita."),
}


class Problems:
    """Refuses large bodies unread, and turns Django's own error pages into problem documents (RFC 9457)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Stand around the rest of the stack."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer requests outside `/api/` untouched."""
        if not request.path.startswith("/api/"):
            return self.get_response(request)
        if _is_large(request):
            return respond(413, "body-too-large", "La richiesta supera la dimensione consentita.", action="none")
        answer = self.get_response(request)
        if answer.status_code in _IN_KIND and answer.headers.get("Content-Type") != PROBLEM_JSON:
            problem = respond(answer.status_code, *_IN_KIND[answer.status_code])
            if "Allow" in answer.headers:
                problem["Allow"] = answer.headers["Allow"]
            return problem
        return answer


def _is_large(request: HttpRequest) -> bool:
    """A body without a length is as unwelcome as one that is too long: the length is what is bounded."""
    if request.META.get("HTTP_TRANSFER_ENCODING"):
        return True
    length = request.META.get("CONTENT_LENGTH") or "0"
    is_number = length.isascii() and length.isdigit() and len(length) < 10
    return not is_number or int(length) > (LARGEST_REPORT if request.path == REPORTS else LARGEST_BODY)
