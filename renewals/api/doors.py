"""What every operation shares: who calls, how often, and how a case is shown."""

from __future__ import annotations

import base64
from typing import Any

from django.http import HttpRequest
from ninja.security import HttpBearer

from cms.errors import DomainError
from renewals import texts
from renewals.errors import Unauthenticated
from renewals.services import login
from runtime import clock, limits
from runtime.callers import network_of


class RateLimited(DomainError):
    """Too many requests from one address or card (HTTP 429)."""

    code = "rate-limited"
    detail = "Troppe richieste: attenda un minuto e riprovi."
    action = "retry-later"


def bounded(key: str, *, limit: int, seconds: int = 60) -> None:
    """Count this request; raise `RateLimited` beyond the limit. Failed attempts count as much as good ones."""
    if not limits.hit(f"enrollment:{key}", limit=limit, window_seconds=seconds):
        raise RateLimited


def address(request: HttpRequest) -> str:
    """The caller's network address, as the trusted proxy left it; of IPv6 the network that one caller has."""
    return network_of(str(request.META.get("REMOTE_ADDR") or ""))


class CaseSession(HttpBearer):
    """Bearer token of one case. Wrong ones count against the address; the right one works from there all the same."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """Return the session, which names the case; raise `Unauthenticated` for anything else."""
        bounded(f"bearer:{address(request)}", limit=600)
        try:
            return login.session_of(token, now=clock.now())
        except Unauthenticated:
            bounded(f"wrong-token:{address(request)}", limit=60)
            raise


def decoded(text: str) -> bytes:
    """Bytes of a field that its schema has already checked."""
    return base64.b64decode(text)


def encoded(data: bytes) -> str:
    """Standard base64."""
    return base64.b64encode(data).decode("ascii")


def case_of(request: HttpRequest) -> int:
    """The id of the case that the caller's token is bound to."""
    return int(request.auth.case_id)  # type: ignore[attr-defined]


def texts_shown(flow: str) -> dict[str, Any]:
    """Texts in force for a flow, as clients show them."""
    fields = ("kind", "version", "sha256", "title")
    shown = [{**{name: getattr(text, name) for name in fields}, "text": text.body} for text in texts.in_force(flow)]
    return {"texts": shown}
