"""How a holder comes in: with his *codice utente*, or by a link to his registered mailbox."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cms.errors import CodeRefused, DomainError, TriesTooMany
from cms.models import HolderVisit
from cms.services import links
from cms.services.codes import enter_with_code
from cms.states import LinkPurpose, VisitKind
from renewals.pages import frame
from renewals.pages.forms import AskLinkForm, CardNumberForm, EnterForm
from runtime import clock
from runtime.callers import network_of

# Between the mail and the button: the token leaves the address, and waits here for the POST. "Lax", because the first
# step comes from a mail program, and a stricter cookie would not survive the redirect that follows it.
LINK_COOKIE = "__Host-collegamento" if frame.COOKIE.startswith("__Host-") else "collegamento"
LINK_COOKIE_SECONDS = 1800
_GUESTS = (VisitKind.USER_CODE, VisitKind.LINK)


@sensitive_post_parameters("user_code", "tax_code")
@require_http_methods(["GET", "HEAD", "POST"])
@frame.counted
def enter(request: HttpRequest) -> HttpResponseBase:
    """GET asks for codice fiscale and *codice utente*; POST lets in, or refuses in words that are always the same."""
    now = clock.now()
    visit = frame.visit_in(request, now)
    if request.method != "POST" and visit is not None and visit.kind in _GUESTS:
        return frame.kept_nowhere(redirect("holder:certificates"))
    form = EnterForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, "enter.html", form)
    try:
        token = enter_with_code(form.cleaned_data["tax_code"], form.cleaned_data["user_code"], now=now)
    except CodeRefused as refusal:
        return frame.show(request, "enter.html", status=403, form=form, refusal=refusal)
    return frame.welcome(reverse("holder:certificates"), token)


@sensitive_post_parameters("tax_code")
@require_http_methods(["GET", "HEAD", "POST"])
@frame.counted
def ask_link(request: HttpRequest) -> HttpResponseBase:
    """GET asks who needs a link and what for; POST leads to a page that says the same for everybody."""
    form = AskLinkForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, "ask_link.html", form)
    origin = network_of(str(request.META.get("REMOTE_ADDR") or ""))
    purpose = LinkPurpose(form.cleaned_data["purpose"])
    try:
        links.ask_link(form.cleaned_data["tax_code"], purpose, origin=origin, now=clock.now())
    except TriesTooMany as refusal:
        return frame.refused(request, refusal, back=reverse("holder:home"), status=429)
    return frame.kept_nowhere(redirect("holder:link_asked"))


@require_GET
def link_asked(request: HttpRequest) -> HttpResponse:
    """Say where to look, and what to do if nothing comes: whether something was sent is not said."""
    return frame.show(request, "link_asked.html", hours=settings.CMS.holder_link_hours)


@require_GET
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Come from the mail: the token goes from the address into a cookie. Nothing is used up, whoever looked first."""
    del request
    response = redirect("holder:link")
    response.set_cookie(
        LINK_COOKIE,
        token,
        max_age=LINK_COOKIE_SECONDS,
        secure=frame.COOKIE.startswith("__Host-"),
        httponly=True,
        samesite="Lax",
    )
    return frame.kept_nowhere(response)


@require_http_methods(["GET", "HEAD", "POST"])
@frame.counted
def link(request: HttpRequest) -> HttpResponseBase:
    """GET says what the link is good for; POST uses it up and lets in."""
    token, now = request.COOKIES.get(LINK_COOKIE, ""), clock.now()
    try:
        if request.method != "POST":
            return frame.show(request, "link.html", link=links.link_behind(token, now=now))
        visit = links.use_link(token, now=now)
    except DomainError as refusal:
        return _without_link(_link_refused(request, refusal))
    return _without_link(frame.welcome(reverse("holder:certificates"), visit))


@require_POST
@frame.counted
@frame.visited(VisitKind.LINK, entrance="holder:ask_link")
def reopen(request: HttpRequest, visit: HolderVisit, now: datetime) -> HttpResponseBase:
    """POST opens the code path again. Twice is once."""
    try:
        links.reopen_code(visit, now=now)
    except DomainError as refusal:
        return frame.refused(request, refusal, back=reverse("holder:certificates"), status=403, visit=visit)
    return frame.show(request, "reopened.html", visit=visit)


@sensitive_post_parameters("card_number")
@require_http_methods(["GET", "HEAD", "POST"])
@frame.counted
@frame.visited(VisitKind.LINK, entrance="holder:ask_link")
def reissue(request: HttpRequest, visit: HolderVisit, now: datetime) -> HttpResponseBase:
    """GET asks for the number on the card; POST mails a new code."""
    form = CardNumberForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, "reissue.html", form, visit=visit)
    try:
        links.reissue_code(visit, form.cleaned_data["card_number"], now=now)
    except DomainError as refusal:
        return frame.show(request, "reissue.html", status=403, form=form, refusal=refusal, visit=visit)
    return frame.show(request, "reissued.html", visit=visit)


def _page(request: HttpRequest, template: str, form: object, **context: object) -> HttpResponse:
    return frame.show(request, template, status=422 if request.method == "POST" else 200, form=form, **context)


def _link_refused(request: HttpRequest, refusal: DomainError) -> HttpResponse:
    title = _("Il collegamento non si può usare")
    sentences = [_(refusal.text), _("Può chiederne un altro: arriva all'e-mail registrata in pochi minuti.")]
    code, again = refusal.reason_code, reverse("holder:ask_link")
    word = _("Chieda un altro collegamento")
    return frame.refusal(request, title, sentences, status=409, code=code, back=again, back_word=word)


def _without_link(response: HttpResponse) -> HttpResponse:
    response.delete_cookie(LINK_COOKIE, samesite="Lax")
    return response
