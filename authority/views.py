"""What relying parties fetch: CA certificates, CRLs and OCSP answers, over plain HTTP as RFC 5280 and RFC 6960 want."""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import datetime, timedelta
from http import HTTPStatus

import structlog
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotFound
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from authority import policy, queries
from authority.errors import KeyUnusable, NoCeremony
from authority.services import ocsp
from runtime import clock

log = structlog.get_logger(__name__)

_DAY_SECONDS = 24 * 60 * 60
_MOST_ENCODED = ocsp.MOST_REQUEST_OCTETS * 4 // 3 + 4


@require_safe
def ca_certificate(request: HttpRequest, role: str) -> HttpResponseBase:
    """Give a CA's certificate (DER, RFC 2585 §4.1); it never changes."""
    try:
        row = queries.authority_by_role(role)
    except NoCeremony:
        return _nothing()
    except DatabaseError as failure:
        log.exception("ca.unanswered", error=type(failure).__name__)
        return _later()
    response = HttpResponse(bytes(row.certificate), content_type="application/pkix-cert")
    response["Content-Length"] = len(response.content)
    response["Cache-Control"] = f"public, max-age={_DAY_SECONDS}"
    return _conditional(request, bytes(row.key_identifier).hex(), row.created_at, response)


@require_safe
def crl(request: HttpRequest, role: str, year: int | None = None) -> HttpResponseBase:
    """Give the newest CRL (DER, RFC 2585 §4.2), complete or of one issuing year.

    Neither 304 nor HEAD reads its bytes. Without the ledger there is no list: 503, which nobody takes for an empty one.
    """
    try:
        return _crl(request, role, year)
    except DatabaseError as failure:
        log.exception("crl.unanswered", error=type(failure).__name__)
        return _later()


def _crl(request: HttpRequest, role: str, year: int | None) -> HttpResponseBase:
    at, version = clock.now(), queries.crl_version(role, year)
    if version is None:
        return _nothing()
    response = HttpResponse(content_type="application/pkix-crl")
    response["Content-Length"] = version.size
    _keep_until(response, at, version.next_update)
    answer = _conditional(request, version.sha256.hex(), version.this_update, response)
    if answer is response and request.method == "GET":
        return _whole(role, year, at)
    return answer


def _whole(role: str, year: int | None, at: datetime) -> HttpResponse:
    """Read once more, with the bytes: a list published in between brings its own tag and dates."""
    found = queries.crl_with_bytes(role, year)
    if found is None:
        return _nothing()
    version, der = found
    if hashlib.sha256(der).digest() != version.sha256:
        log.error("crl.damaged", crl=version.id, number=version.number)
        return _later()
    response = HttpResponse(der, content_type="application/pkix-crl")
    response["Content-Length"] = version.size
    response["ETag"] = f'"{version.sha256.hex()}"'
    response["Last-Modified"] = http_date(version.this_update.timestamp())
    return _keep_until(response, at, version.next_update)


def _keep_until(response: HttpResponse, at: datetime, end: datetime) -> HttpResponse:
    """Let caches keep an answer for a moment, and never beyond its own nextUpdate."""
    seconds = max(0, min(policy.CACHE_SECONDS, int((end - at).total_seconds())))
    response["Cache-Control"] = f"public, max-age={seconds}, must-revalidate, no-transform"
    response["Expires"] = http_date((at + timedelta(seconds=seconds)).timestamp())
    return response


@csrf_exempt  # no session, no cookie, nothing to forge
@require_http_methods(["POST"])
def ocsp_post(request: HttpRequest, role: str) -> HttpResponse:
    """Answer an OCSP request sent as body (RFC 6960 appendix A.1)."""
    if request.content_type != "application/ocsp-request":
        return HttpResponse(status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE, content_type="text/plain")
    der = request.read(ocsp.MOST_REQUEST_OCTETS + 1)
    return _ocsp_response(_answer(role, der))


@require_safe
def ocsp_get(request: HttpRequest, role: str, encoded: str) -> HttpResponseBase:
    """Answer an OCSP request sent in the address, base64 then URL-encoded; caches may keep it for a moment."""
    answer = _answer(role, _decoded(encoded))
    response = _ocsp_response(answer)
    if answer.kept is None:
        return response
    _keep_until(response, answer.kept.at, answer.kept.next_update)
    return _conditional(request, hashlib.sha256(answer.der).hexdigest(), answer.kept.this_update, response)


def _nothing() -> HttpResponse:
    """Say 404 to a program: no page, no template, no session."""
    return HttpResponseNotFound(b"", content_type="text/plain")


def _later() -> HttpResponse:
    """Say 503 in the same way: a relying party that cannot know must not go on as if nothing were revoked."""
    response = HttpResponse(status=HTTPStatus.SERVICE_UNAVAILABLE, content_type="text/plain")
    response["Retry-After"] = policy.CACHE_SECONDS
    response["Cache-Control"] = "no-store"
    return response


def _answer(role: str, der: bytes) -> ocsp.Answer:
    """Ask the responder; when ledger or key fail, the client reads *tryLater*, never a page of ours."""
    try:
        return ocsp.respond(role, der, at=clock.about_now())
    except (DatabaseError, KeyUnusable) as failure:
        log.exception("ocsp.unanswered", error=type(failure).__name__)
        return ocsp.nothing_for_now()


def _ocsp_response(answer: ocsp.Answer) -> HttpResponse:
    response = HttpResponse(answer.der, content_type="application/ocsp-response")
    response["Content-Length"] = len(answer.der)
    response["Cache-Control"] = "no-store"
    return response


def _decoded(encoded: str) -> bytes:
    """Undo base64; what is none stays empty, which is no request either.

    Some clients lose `+` to a space, some add a slash; no request starts with one, since DER's first octet is `M`.
    """
    if len(encoded) > _MOST_ENCODED:
        return b""
    try:
        return base64.b64decode(encoded.lstrip("/").replace(" ", "+"), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _conditional(request: HttpRequest, tag: str, modified: datetime, response: HttpResponse) -> HttpResponseBase:
    """Answer 304 where the asker has this already."""
    etag, seconds = f'"{tag}"', int(modified.timestamp())
    response["ETag"] = etag
    response["Last-Modified"] = http_date(seconds)
    answer = get_conditional_response(request, etag=etag, last_modified=seconds, response=response)
    return response if answer is None else answer
