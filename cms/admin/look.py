"""Light or dark: a page follows the system unless somebody chose in the menu; the choice lives in a cookie."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy

COOKIE = "aspetto"
LOOKS = {"chiaro": "light", "scuro": "dark"}
LOOK_WORDS = {"chiaro": gettext_lazy("Chiaro"), "scuro": gettext_lazy("Scuro")}
A_YEAR = 365 * 24 * 3600


def look_of(request: HttpRequest | None) -> str:
    """`light`, `dark`, or nothing for the system's own."""
    return LOOKS.get(request.COOKIES.get(COOKIE, ""), "") if request is not None else ""


def choose_look(request: HttpRequest) -> HttpResponse:
    """Remember the choice and go back to the page; anything but a known look means the system's own."""
    target = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    answer = redirect(target if is_ours else reverse("admin:index"))
    chosen = request.POST.get("aspetto", "")
    if chosen in LOOKS:
        answer.set_cookie(COOKIE, chosen, A_YEAR, secure=request.is_secure(), httponly=True, samesite="Lax")
    else:
        answer.delete_cookie(COOKIE, samesite="Lax")
    return answer
