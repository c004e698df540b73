"""What all holder's pages share: rendering in the frame, the visit in its cookie, refusals in plain words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from cms.errors import DomainError
from cms.models import HolderVisit
from cms.services import visits
from cms.states import VisitKind
from runtime import clock, limits
from runtime.callers import network_of

# The prefix makes browsers refuse the cookie from a neighbour host or over plain http.
COOKIE = "__Host-titolare" if settings.BASE_URL.startswith("https://") else "titolare"
CALLS, CALLS_SECONDS = 60, 600
"""So often may one address send forms of these pages, in a window of so many seconds."""

View = Callable[..., HttpResponseBase]


def show(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """Render a page in the frame. It is about one person, or asks who he is: nobody stores it on the way."""
    return kept_nowhere(render(request, f"titolare/{template}", context, status=status))


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
    """Say what was not done, why, and what to do now, with one way on (`back`, by default the entrance)."""
    context |= {"title": title, "sentences": sentences, "code": code}
    context |= {"back": back or reverse("holder:home"), "back_word": back_word or _("Torna all'inizio")}
    return show(request, "refusal.html", status=status, **context)


def refused(request: HttpRequest, error: DomainError, *, back: str, status: int = 409, **context: Any) -> HttpResponse:
    """Show a refusal of a use case: nothing was done, why, its code small at the end."""
    title = _("L'operazione non è stata eseguita")
    way = {"back": back, "back_word": _("Torna indietro")}
    return refusal(request, title, [_(error.text)], status=status, code=error.reason_code, **way, **context)


def kept_nowhere(response: HttpResponse) -> HttpResponse:
    """Mark an answer as one that no cache may keep, the browser's included."""
    response["Cache-Control"] = "no-store, private"
    patch_vary_headers(response, ("Cookie", "Accept-Language"))
    return response


def welcome(address: str, token: str) -> HttpResponse:
    """Send a recognised holder on, with his visit in a cookie that scripts and other sites never get.

    The register ends the visit, not the cookie: a late click is told that it came late.
    """
    response = redirect(address)
    response.set_cookie(
        COOKIE,
        token,
        secure=settings.BASE_URL.startswith("https://"),
        httponly=True,
        samesite="Strict",
    )
    return kept_nowhere(response)


def token_of(request: HttpRequest) -> str:
    """The token of the visit that the browser carries; empty without one."""
    return request.COOKIES.get(COOKIE, "")


def visit_in(request: HttpRequest, now: datetime) -> HolderVisit | None:
    """The visit that the browser carries, if it is open."""
    token = token_of(request)
    return visits.visit_of(token, now) if token else None


def farewell(response: HttpResponse) -> HttpResponse:
    """Take the cookie away."""
    response.delete_cookie(COOKIE, samesite="Strict")
    return kept_nowhere(response)


def visited(*kinds: VisitKind, entrance: str) -> Callable[[View], View]:
    """Let in who carries an open visit of one of these kinds: the view gets `visit` and `now`.

    Anybody else is told that the visit is over, or led to the entrance (name of an address) if he never had one.
    """

    def around(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, **named: Any) -> HttpResponseBase:
            now = clock.now()
            visit = visit_in(request, now)
            if visit is not None and visit.kind in kinds:
                return view(request, visit=visit, now=now, **named)
            if visit is None and token_of(request):
                return _over(request, entrance)
            return kept_nowhere(redirect(entrance))

        return guarded

    return around


def _over(request: HttpRequest, entrance: str) -> HttpResponse:
    said = [_("Per proteggere i Suoi dati la pagina si chiude dopo qualche minuto. Può rientrare quando vuole.")]
    if request.method == "POST":
        said.insert(0, _("L'ultima operazione non è stata eseguita."))
    title, word = _("La visita è terminata"), _("Rientri")
    return farewell(refusal(request, title, said, status=403, back=reverse(entrance), back_word=word))


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
    """Count one use of `key`; whether there is room. Never put a codice fiscale or a code in it, only a digest."""
    return limits.hit(f"holder:{key}", limit=limit, window_seconds=seconds)


def too_many(request: HttpRequest) -> HttpResponse:
    """Say that there were too many attempts (429), without saying whose."""
    said = [
        _("La richiesta non è stata eseguita, per proteggere i dati dei titolari."),
        _("Attenda qualche minuto e riprovi. Se ha urgenza, si rivolga al Suo CDRL."),
    ]
    return refusal(request, _("Troppi tentativi"), said, status=429, code="rate-limited")
