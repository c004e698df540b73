"""A holder's case: found by code and codice fiscale, shown in plain words, urged or stopped."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from cms.errors import DomainError
from cms.models import HolderVisit
from cms.services import visits
from cms.states import VisitKind
from renewals.models import RenewalCase
from renewals.pages import frame
from renewals.pages.case_words import page_of
from renewals.pages.forms import DeclineForm, FindCaseForm
from renewals.releases import download_page
from renewals.services import standing, urging
from runtime import clock
from runtime.callers import network_of

ENTRANCE = "holder:find_case"
PER_CODE, PER_CODE_SECONDS = 20, 3600
"""So often in an hour may one network try one code: nobody guesses the codice fiscale that belongs to it."""
FROM_ANYWHERE = 300
"""So often in an hour may one code be tried at all: many networks guess no better, and one alone locks nobody out."""

_of_case = frame.visited(VisitKind.CASE, entrance=ENTRANCE)


@frame.counted
@require_http_methods(["GET", "HEAD", "POST"])
def find_case(request: HttpRequest) -> HttpResponse:
    """Ask for code and codice fiscale; open a visit where they fit, and say the same of all that do not."""
    if request.method != "POST":
        return frame.show(request, "find_case.html", form=FindCaseForm())
    form = FindCaseForm(request.POST)
    if not form.is_valid():
        return frame.show(request, "find_case.html", form=form, status=422)
    code = form.cleaned_data["code"]
    if not _has_room(request, _digest(code)):
        return frame.too_many(request)
    case = standing.case_known_by(code, form.cleaned_data["tax_code"])
    if case is None:
        return frame.show(request, "find_case.html", form=form, is_unknown=True, status=422)
    token = visits.open_visit(holder_id=case.holder_id, kind=VisitKind.CASE, now=clock.now(), case_code=case.code)
    return frame.welcome(reverse("holder:case"), token)


def _has_room(request: HttpRequest, code: str) -> bool:
    """Count one try of a code, by its digest, against both limits; beyond the network's own the other is not spent."""
    caller = network_of(str(request.META.get("REMOTE_ADDR") or ""))
    return frame.hit(f"case:{code}:{caller}", limit=PER_CODE, seconds=PER_CODE_SECONDS) and frame.hit(
        f"case:{code}", limit=FROM_ANYWHERE, seconds=PER_CODE_SECONDS
    )


@_of_case
def show_case(request: HttpRequest, *, visit: HolderVisit, now: datetime) -> HttpResponse:
    """Where the case stands, what is missing, who must act until when, what comes by itself."""
    return _shown(request, visit, now)


@frame.counted
@_of_case
def urge(request: HttpRequest, *, visit: HolderVisit, now: datetime) -> HttpResponseBase:
    """Urge the centre. Twice within a day changes nothing and says when it is possible again."""
    if request.method != "POST":
        return frame.kept_nowhere(redirect("holder:case"))
    case = _case_of(visit)
    try:
        urging.urge_decision(case.pk, holder_id=visit.holder_id, now=now)
    except DomainError as refusal:
        return _shown(request, visit, now, refusal=refusal, status=409)
    return frame.kept_nowhere(redirect("holder:case"))


@frame.counted
@_of_case
def decline(request: HttpRequest, *, visit: HolderVisit, now: datetime) -> HttpResponseBase:
    """GET says what stopping means, POST with the typed word stops."""
    case = _case_of(visit)
    stands = standing.standing_of(case, now)
    if not stands.may_decline:
        return frame.kept_nowhere(redirect("holder:case"))
    form = DeclineForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        status = 422 if form.is_bound else 200
        context = {"form": form, "case": case, "visit": visit, "now": now, "centre": case.centre}
        return frame.show(request, "decline.html", status=status, **context)
    try:
        urging.decline_renewal(case.pk, holder_id=visit.holder_id, now=now)
    except DomainError as refusal:
        return _shown(request, visit, now, refusal=refusal, status=409)
    return frame.kept_nowhere(redirect("holder:case"))


def _shown(request: HttpRequest, visit: HolderVisit, now: datetime, *, status: int = 200, **more: Any) -> HttpResponse:
    case = _case_of(visit)
    refusal: DomainError | None = more.pop("refusal", None)
    context = page_of(standing.standing_of(case, now), now) | {
        "visit": visit,
        "now": now,
        "client_url": download_page(),
        "refusal": _(refusal.text) if refusal else "",
        "refusal_code": refusal.reason_code if refusal else "",
    }
    return frame.show(request, "case.html", status=status, **context)


def _case_of(visit: HolderVisit) -> RenewalCase:
    case = standing.case_of_visit(visit.case_code, visit.holder_id)
    if case is None:
        raise Http404
    return case


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()[:32]
