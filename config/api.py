"""The HTTP face of refusals: mounts the routers and turns every failure into one problem document (RFC 9457)."""

from __future__ import annotations

from typing import Any

import structlog
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.renderers import JSONRenderer

from cms.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from renewals.api import router as enrollment
from renewals.api.doors import RateLimited
from renewals.errors import Unauthenticated

log = structlog.get_logger(__name__)

# First match wins: the two special kinds stand before the general ones.
STATUS_BY_KIND: dict[type[DomainError], int] = {
    Unauthenticated: 401,
    RateLimited: 429,
    NotFound: 404,
    Forbidden: 403,
    Invalid: 422,
    Conflict: 409,
}
TITLES = {
    400: "Richiesta non valida",
    401: "Accesso richiesto",
    403: "Operazione non consentita",
    404: "Non trovato",
    405: "Metodo non consentito",
    409: "Operazione non possibile ora",
    413: "Richiesta troppo grande",
    422: "Dati non validi",
    429: "Troppe richieste",
    500: "Errore interno",
    503: "Servizio non disponibile",
}
PROBLEM_JSON = "application/problem+json"


def problem(status: int, code: str, detail: str, *, action: str = "none", message: str | None = None) -> dict[str, Any]:
    """Build the body of a refusal."""
    return {
        "type": "about:blank",
        "title": TITLES.get(status, "Errore"),
        "status": status,
        "code": code,
        "detail": detail,
        "action": action,
        "message": message,
    }


def respond(status: int, code: str, detail: str, *, action: str = "none", message: str | None = None) -> HttpResponse:
    """Build the answer of a refusal."""
    body = JSONRenderer().render(
        None, problem(status, code, detail, action=action, message=message), response_status=status
    )
    answer = HttpResponse(body, status=status, content_type=PROBLEM_JSON)
    if status == 401:
        answer["WWW-Authenticate"] = 'Bearer realm="enrollment"'
    if status in {429, 503}:
        answer["Retry-After"] = "60" if status == 429 else "5"
    return answer


api = NinjaAPI(
    title="Sigillo enrollment API",
    version="1.0.0",
    description="Renewal of smart-card certificates by the card client. Errors are problem documents (RFC 9457).",
    urls_namespace="enrollment",
    docs_url=None,
    openapi_url="/openapi.json",
)
api.add_router("", enrollment)


@api.exception_handler(DomainError)
def refuse(_request: HttpRequest, refusal: DomainError) -> HttpResponse:
    """A refusal of the product, by its kind; an unlisted kind stays opaque."""
    status = next((status for kind, status in STATUS_BY_KIND.items() if isinstance(refusal, kind)), None)
    if status is None:
        return fail(_request, refusal)
    return respond(status, refusal.reason_code, refusal.text, action=refusal.next_action, message=refusal.label)


@api.exception_handler(ValidationError)
def refuse_input(_request: HttpRequest, invalid: ValidationError) -> HttpResponse:
    """Say which fields are wrong, never what stood in them."""
    places = sorted({".".join(str(part) for part in error["loc"][2:]) or "body" for error in invalid.errors})
    return respond(422, "input-invalid", f"Campi non validi: {', '.join(places)[:300]}.", action="correct-data")


@api.exception_handler(AuthenticationError)
def refuse_stranger(_request: HttpRequest, _missing: AuthenticationError) -> HttpResponse:
    """No bearer token at all."""
    return respond(401, Unauthenticated.code, Unauthenticated.detail, action=Unauthenticated.action)


@api.exception_handler(Http404)
def refuse_unknown(_request: HttpRequest, _missing: Http404) -> HttpResponse:
    """No such resource."""
    return respond(404, "not-found", "Risorsa non trovata.")


@api.exception_handler(HttpError)
def refuse_request(_request: HttpRequest, error: HttpError) -> HttpResponse:
    """A body that cannot be parsed."""
    return respond(error.status_code, "input-invalid", "La richiesta non è leggibile.", action="correct-data")


@api.exception_handler(OperationalError)
def refuse_for_now(_request: HttpRequest, error: OperationalError) -> HttpResponse:
    """The database is away or a lock was not free in time: nothing was changed, try again."""
    log.warning("api.database-unavailable", error=type(error).__name__)
    return respond(503, "service-unavailable", "Il servizio è momentaneamente occupato: riprovi.", action="retry-later")


@api.exception_handler(Exception)
def fail(request: HttpRequest, error: Exception) -> HttpResponse:
    """The last resort: opaque to the caller, with the trace in the log."""
    log.error("api.unhandled", path=request.path, error=type(error).__name__, exc_info=error)
    return respond(500, "internal-error", "Errore interno: la richiesta non è stata eseguita.", action="retry-later")
