"""The HTTP face of refusals: mounts the routers and turns every failure into one problem document (RFC 9457)."""

from __future__ import annotations

import json
from typing import Any

import structlog
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja.errors import AuthenticationError, HttpError, ValidationError

from cms.errors import DomainError
from config.openapi import DESCRIPTION, TAGS, ContractAPI
from config.statuses import PROBLEM_JSON, TITLES, status_of
from renewals.api import router as enrollment
from renewals.errors import ClientOutdated, Unauthenticated

log = structlog.get_logger(__name__)


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
    body = problem(status, code, detail, action=action, message=message)
    answer = HttpResponse(json.dumps(body), status=status, content_type=PROBLEM_JSON)
    if status == 401:
        answer["WWW-Authenticate"] = 'Bearer realm="enrollment"'
    if status in {429, 503}:
        answer["Retry-After"] = "60" if status == 429 else "5"
    return answer


api = ContractAPI(
    title="Sigillo enrollment API",
    version="1.0.0",
    description=DESCRIPTION,
    openapi_extra={"tags": TAGS},
    servers=[{"url": "/"}],
    urls_namespace="enrollment",
    docs_url=None,
    openapi_url="/openapi.json",
)
api.add_router("", enrollment)


@api.exception_handler(DomainError)
def refuse(_request: HttpRequest, refusal: DomainError) -> HttpResponse:
    """A refusal of the product, by its kind; an unlisted kind stays opaque."""
    status = status_of(type(refusal))
    if status is None:
        return fail(_request, refusal)
    return respond(status, refusal.reason_code, refusal.text, action=refusal.next_action, message=refusal.label)


@api.exception_handler(ClientOutdated)
def refuse_outdated(_request: HttpRequest, refusal: ClientOutdated) -> HttpResponse:
    """The one refusal that names an address: where a newer client is."""
    body = problem(426, refusal.reason_code, refusal.text, action=refusal.next_action)
    return HttpResponse(json.dumps(body | {"download": refusal.download}), status=426, content_type=PROBLEM_JSON)


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
