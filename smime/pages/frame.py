"""What all pages of S/MIME share: rendering in the frame, who is let in, refusals in plain words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from cms.errors import DomainError, Invalid, NotFound
from runtime import clock, limits
from runtime.callers import network_of

CALLS, CALLS_SECONDS = 60, 600
"""So often may one address send forms of these pages, in a window of so many seconds."""

View = Callable[..., HttpResponseBase]


def show(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """Render `templates/smime/<template>` in the frame. It is about one person: nobody stores it on the way."""
    return kept_nowhere(render(request, f"smime/{template}", context, status=status))


def kept_nowhere(response: HttpResponse) -> HttpResponse:
    """Mark an answer as one that no cache may keep, the browser's included."""
    response["Cache-Control"] = "no-store, private"
    patch_vary_headers(response, ("Cookie", "Accept-Language"))
    return response


def refusal(
    request: HttpRequest,
    title: str,
    sentences: Sequence[str],
    *,
    status: int,
    code: str = "",
    back: str = "",
    back_word: str = "",
    **context: Any,
) -> HttpResponse:
    """Say what was not done, why, and what to do now, with one way on (`back`, by default the dashboard)."""
    context |= {"title": title, "sentences": sentences, "code": code}
    context |= {"back": back or reverse("smime:dashboard"), "back_word": back_word or _("Vai alla Dashboard")}
    return show(request, "refusal.html", status=status, **context)


def refused(request: HttpRequest, error: DomainError, *, back: str = "", **context: Any) -> HttpResponse:
    """Show a refusal of a use case: nothing was done, why, its code small at the end."""
    title = _("Pagina non trovata") if isinstance(error, NotFound) else _("L'operazione non è stata eseguita")
    way = {"back": back, "back_word": _("Torna indietro") if back else ""}
    return refusal(request, title, [_(error.text)], status=status_of(error), code=error.reason_code, **way, **context)


def status_of(error: DomainError) -> int:
    """The HTTP status of a refusal, by its kind."""
    if isinstance(error, NotFound):
        return 404
    return 422 if isinstance(error, Invalid) else 409


def for_customers(view: View) -> View:
    """Let in who is logged in, with `buyer` and `now`; others log in first and come back to this page.

    Whose order it is decides the query: an operator finds his own purchases here and nothing else. A refusal of a use
    case that the view does not treat itself is shown in the frame.
    """

    @wraps(view)
    def guarded(request: HttpRequest, **named: Any) -> HttpResponseBase:
        if not (request.user.is_authenticated and request.user.is_active):
            return kept_nowhere(redirect_to_login(request.get_full_path()))
        try:
            return view(request, buyer=request.user, now=clock.now(), **named)
        except DomainError as error:
            return refused(request, error)

    return counted(guarded)


def counted(view: View) -> View:
    """Count forms sent from one network; beyond the limit say when to come back. Looking at pages is not counted."""

    @wraps(view)
    def bounded(request: HttpRequest, **named: Any) -> HttpResponseBase:
        caller = network_of(str(request.META.get("REMOTE_ADDR") or ""))
        if request.method == "POST" and not hit(f"address:{caller}", limit=CALLS, seconds=CALLS_SECONDS):
            return too_many(request)
        return view(request, **named)

    return bounded


def hit(key: str, *, limit: int, seconds: int) -> bool:
    """Count one use of `key`; whether there is room. Never put a name, a mailbox or a token in it, only a digest."""
    return limits.hit(f"smime:{key}", limit=limit, window_seconds=seconds)


def too_many(request: HttpRequest) -> HttpResponse:
    """Say that there were too many attempts (429)."""
    said = [_("La richiesta non è stata eseguita."), _("Attenda qualche minuto e riprovi.")]
    return refusal(request, _("Troppi tentativi"), said, status=429, code="rate-limited")


def address_of(request: HttpRequest) -> str | None:
    """The caller's network address, for the record of what he accepted or confirmed."""
    return request.META.get("REMOTE_ADDR") or None
