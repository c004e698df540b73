"""What relying parties fetch: CA certificates, CRLs and OCSP answers, over plain HTTP as RFC 5280 and RFC 6960 want."""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import UTC, datetime, timedelta

import structlog
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotFound
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from authority import policy, queries
from authority.errors import KeyUnusable, NoCeremony
from authority.models import Crl
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
    response = HttpResponse(bytes(row.certificate), content_type="application/pkix-cert")
    response["Cache-Control"] = f"public, max-age={_DAY_SECONDS}"
    return _conditional(request, bytes(row.key_identifier).hex(), row.created_at, response)


@require_safe
def crl(request: HttpRequest, role: str, year: int | None = None) -> HttpResponseBase:
    """Give the newest CRL (DER, RFC 2585 §4.2), complete or of one issuing year; 304 costs no reading of its bytes."""
    row = queries.crl(role, year)
    if row is None:
        return _nothing()
    unchanged = _conditional(request, *_version(row), HttpResponse())
    response = unchanged if unchanged.status_code != HttpResponse.status_code else _whole(role, year)
    response["Cache-Control"] = _short_lived()
    return response


def _whole(role: str, year: int | None) -> HttpResponse:
    """Read once more, with the bytes: a list published in between brings its own tag and dates."""
    row = queries.crl_with_bytes(role, year)
    tag, modified = _version(row)
    response = HttpResponse(bytes(row.der), content_type="application/pkix-crl")
    response["ETag"] = f'"{tag}"'
    response["Last-Modified"] = http_date(modified.timestamp())
    response["Expires"] = http_date((clock.now() + timedelta(seconds=policy.CACHE_SECONDS)).timestamp())
    return response


def _version(row: Crl) -> tuple[str, datetime]:
    """Tag and date of a published CRL."""
    return bytes(row.sha256).hex(), row.this_update or datetime.min.replace(tzinfo=UTC)


@csrf_exempt  # no session, no cookie, nothing to forge
@require_http_methods(["POST"])
def ocsp_post(request: HttpRequest, role: str) -> HttpResponse:
    """Answer an OCSP request sent as body (RFC 6960 appendix A.1)."""
    der = request.read(ocsp.MOST_REQUEST_OCTETS + 1)
    return _ocsp_response(_answer(role, der))


@require_safe
def ocsp_get(request: HttpRequest, role: str, encoded: str) -> HttpResponseBase:
    """Answer an OCSP request sent in the address, base64 then URL-encoded; caches may keep it for a moment."""
    answer = _answer(role, _decoded(encoded))
    response = _ocsp_response(answer)
    if answer.fresh_from is None:
        return response
    response["Cache-Control"] = _short_lived()
    response["Expires"] = http_date((answer.fresh_from + timedelta(seconds=policy.CACHE_SECONDS)).timestamp())
    return _conditional(request, hashlib.sha256(answer.der).hexdigest(), answer.fresh_from, response)


def _nothing() -> HttpResponse:
    """Say 404 to a program: no page, no template, no session."""
    return HttpResponseNotFound(b"", content_type="text/plain")


def _answer(role: str, der: bytes) -> ocsp.Answer:
    """Ask the responder; when ledger or key fail, the client reads *tryLater*, never a page of ours."""
    try:
        return ocsp.respond(role, der, at=clock.now())
    except (DatabaseError, KeyUnusable) as failure:
        log.exception("ocsp.unanswered", error=type(failure).__name__)
        return ocsp.nothing_for_now()


def _ocsp_response(answer: ocsp.Answer) -> HttpResponse:
    response = HttpResponse(answer.der, content_type="application/ocsp-response")
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


def _short_lived() -> str:
    return f"public, max-age={policy.CACHE_SECONDS}, must-revalidate, no-transform"
