"""Gestione rinnovi: list, case, decision. GET shows, POST acts, through the same use cases as API and sweeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from django import forms
from django.contrib import messages
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from cms.admin.counting import bounded_counts
from cms.admin.desk import Desk, at
from cms.admin.site import SERVICES, PanelAdmin
from cms.errors import DomainError
from renewals import queries
from renewals.admin import badges, clockwork, decision, finding, listing
from renewals.admin.decision import APPROVE, REFUSE, Question
from renewals.admin.dossier import cases_with_relations, dossier_of
from renewals.codes import parse_code
from renewals.models import RenewalCase, RenewalForm
from renewals.services import decisions
from renewals.states import Authorisation

log = structlog.get_logger(__name__)


class ReasonForm(forms.Form):
    """Why a renewal is not approved."""

    reason = forms.CharField(
        label=gettext_lazy("Motivo"),
        help_text=gettext_lazy("Il titolare lo legge nell'e-mail e resta agli atti. Al massimo 300 caratteri."),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Indichi il motivo: senza, il rinnovo non può essere respinto.")},
    )


class RenewalCaseAdmin(PanelAdmin):
    """Gestione Servizi › Gestione rinnovi."""

    slug = "rinnovi"
    title = gettext_lazy("Gestione rinnovi")
    icon = "card"
    group = SERVICES
    url_name = "cases"

    def pages(self) -> Sequence[URLPattern]:
        """List, search, case, its two decisions, its signed form."""
        return [
            path("", self.at_desk(require_safe(self.show_list)), name="cases"),
            path("cerca/", self.at_desk(require_POST(self.search)), name="find_case"),
            path("<str:code>/", self.at_desk(require_safe(self.show_case)), name="case"),
            path("<str:code>/approva/", self.at_desk(self.approve), name="approve_case"),
            path("<str:code>/non-approva/", self.at_desk(self.refuse), name="refuse_case"),
            path("<str:code>/modulo.pdf", self.at_desk(require_safe(self.download_form)), name="case_form"),
        ]

    def count_waiting(self, desk: Desk) -> int | None:
        """Cases to authorise, for the sidebar."""
        return bounded_counts({"waiting": queries.waiting_for_decision(desk.scope)})["waiting"]

    def show_list(self, request: HttpRequest) -> HttpResponse:
        """Show the cases of the scope."""
        return self._list(request)

    def search(self, request: HttpRequest) -> HttpResponse:
        """Lead to what was typed. By POST: a codice fiscale does not belong into an address."""
        typed = " ".join(request.POST.get("q", "").split())[: finding.LONGEST]
        found = finding.find(typed, at(request).scope) if typed else None
        if found is None:
            return self._list(request, missed=typed)
        if found.case_code:
            return redirect("admin:case", found.case_code)
        subject = listing.Filters(holder_id=found.holder_id, card_id=found.card_id)
        return redirect(f"{reverse('admin:cases')}{subject.address()}")

    def show_case(self, request: HttpRequest, code: str) -> HttpResponse:
        """Show one case."""
        desk = at(request)
        case = _in_scope(desk, code)
        return self._page(request, "case", {"dossier": dossier_of(case, desk), "case": case, "title": case.code})

    def approve(self, request: HttpRequest, code: str) -> HttpResponse:
        """GET asks, POST approves."""
        desk = at(request)
        case = _in_scope(desk, code)
        if request.method != "POST":
            return self._question(request, case, APPROVE)
        try:
            done = decisions.approve_renewal(case.pk, operator=desk.operator, now=desk.now)
        except (DomainError, OperationalError) as refusal:
            return _refused(request, case, refusal)
        news = done.decided_at == desk.now
        _told(request, _("Rinnovo approvato."), _("Il rinnovo era già stato approvato."), news=news)
        return redirect("admin:case", case.code)

    def refuse(self, request: HttpRequest, code: str) -> HttpResponse:
        """GET asks for the reason, POST refuses."""
        desk = at(request)
        case = _in_scope(desk, code)
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if request.method != "POST" or not form.is_valid():
            return self._question(request, case, REFUSE, form)
        reason = form.cleaned_data["reason"]
        try:
            done = decisions.refuse_renewal(case.pk, operator=desk.operator, reason=reason, now=desk.now)
        except (DomainError, OperationalError) as refusal:
            return _refused(request, case, refusal)
        news = done.decided_at == desk.now
        _told(request, _("Rinnovo non approvato."), _("Il rinnovo era già stato respinto."), news=news)
        return redirect("admin:case", case.code)

    def download_form(self, request: HttpRequest, code: str) -> HttpResponse:
        """Hand out the signed form of a case in scope."""
        case = _in_scope(at(request), code)
        form = get_object_or_404(RenewalForm.objects.only("signed_pdf"), case=case, signed_pdf__isnull=False)
        answer = HttpResponse(bytes(form.signed_pdf or b""), content_type="application/pdf")
        answer["Content-Disposition"] = f'attachment; filename="modulo-{case.code}.pdf"'
        return answer

    def _list(self, request: HttpRequest, missed: str | None = None) -> HttpResponse:
        desk = at(request)
        page = listing.page_of(desk, request.GET)
        rows = [
            {
                "case": case,
                "state": badges.progress(case),
                "authorisation": badges.authorisation(case),
                "due": clockwork.short(case),
                "choices": decision.choices(case, desk),
                "is_waiting": badges.is_waiting(case),
            }
            for case in page.cases
        ]
        return self._page(request, "cases", {"page": page, "rows": rows, "missed": missed, "title": self.title})

    def _question(
        self, request: HttpRequest, case: RenewalCase, question: Question, form: ReasonForm | None = None
    ) -> HttpResponse:
        desk = at(request)
        choices = decision.choices(case, desk)
        if not question.is_open(choices):
            messages.warning(request, choices.obstacle or _why_closed(case))
            return redirect("admin:case", case.code)
        context = {
            "case": case,
            "question": question,
            "badges": badges.all_of(case),
            "consequence": question.consequence(case, desk.now),
            "form": form or (ReasonForm() if question.is_refusal else None),
            "title": question.title,
        }
        return self._page(request, "decide", context, status=422 if form is not None and form.is_bound else 200)

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
        context = {**self.admin_site.each_context(request), **context}
        return render(request, f"admin/renewals/{name}.html", context, status=status)


def _in_scope(desk: Desk, code: str) -> RenewalCase:
    """The case, if the operator's centres and chosen service hold it; 404 otherwise, as for one that does not exist."""
    parsed = parse_code(code)
    case = cases_with_relations(desk).filter(code=parsed).first() if parsed == code else None
    if case is None:
        raise Http404
    return case


def _refused(request: HttpRequest, case: RenewalCase, refusal: Exception) -> HttpResponse:
    """Say what was not done, why, and the code in small."""
    if isinstance(refusal, DomainError):
        text, code = refusal.text, refusal.reason_code
    else:
        log.warning("panel.database-busy", error=type(refusal).__name__)
        text, code = _("Il sistema è occupato con questa pratica: riprovi tra qualche secondo."), "service-unavailable"
    said = _("Operazione non eseguita. %(why)s") % {"why": text}
    messages.error(request, format_html("{} <span class='code'>{}</span>", said, code))
    return redirect("admin:case", case.code)


def _told(request: HttpRequest, done: str, before: str, *, news: bool) -> None:
    if news:
        messages.success(request, done)
    else:
        messages.info(request, before)


def _why_closed(case: RenewalCase) -> str:
    if case.authorisation == Authorisation.APPROVED:
        return _("Il rinnovo è già stato approvato.")
    if case.authorisation == Authorisation.REFUSED:
        return _("Il rinnovo è già stato respinto.")
    return _("Su questa pratica non c'è nulla da decidere.")
