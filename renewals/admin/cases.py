"""Gestione rinnovi: list, case, decision. GET shows, POST acts, through the same use cases as API and sweeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import OperationalError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from cms.admin import subjects
from cms.admin.desk import Desk, at
from cms.admin.site import SERVICES
from cms.errors import DomainError
from cms.states import Flow
from renewals import queries
from renewals.admin import badges, clockwork, decision, finding, listing, resending
from renewals.admin.answers import case_in_scope, decided, refused, told
from renewals.admin.decision import APPROVE, CANCEL, REFUSE, REOPEN, Question
from renewals.admin.dossier import dossier_of
from renewals.admin.filters import MOST_HOLDERS, Filters
from renewals.admin.reasons import ReasonForm
from renewals.admin.several import SeveralDecisions
from renewals.models import RenewalCase, RenewalForm
from renewals.services import decisions
from renewals.states import Authorisation, CaseState

Act = Callable[[RenewalCase, Desk, str], RenewalCase]


class RenewalCaseAdmin(SeveralDecisions):
    """Gestione Servizi › Gestione rinnovi."""

    slug = "rinnovi"
    title = gettext_lazy("Gestione rinnovi")
    icon = "card"
    group = SERVICES
    url_name = "cases"
    waiting_words = gettext_lazy("da autorizzare")

    def pages(self) -> Sequence[URLPattern]:
        """List, search, several at once, case, its decisions, its signed form, its mails."""
        return [
            path("", self.at_desk(require_safe(self.show_list)), name="cases"),
            path("cerca/", self.at_desk(require_POST(self.search)), name="find_case"),
            *self.pages_of_several(),
            path("<str:code>/", self.at_desk(require_safe(self.show_case)), name="case"),
            path("<str:code>/approva/", self.at_desk(self.approve), name="approve_case"),
            path("<str:code>/non-approva/", self.at_desk(self.refuse), name="refuse_case"),
            path("<str:code>/cancella/", self.at_desk(self.cancel), name="cancel_case"),
            path("<str:code>/riapri/", self.at_desk(self.reopen), name="reopen_case"),
            path("<str:code>/modulo.pdf", self.at_desk(require_safe(self.download_form)), name="case_form"),
            path("<str:code>/messaggi/<uuid:message_id>/", self.at_desk(self.resend), name="resend_letter"),
        ]

    def is_open_to(self, desk: Desk) -> bool:
        """Where cards are renewed: S/MIME has orders of its own."""
        return desk.service.flow != Flow.SMIME

    def waiting(self, desk: Desk) -> QuerySet[Any] | None:
        """Cases to authorise, for the sidebar."""
        return queries.waiting_for_decision(desk.scope)

    def show_list(self, request: HttpRequest) -> HttpResponse:
        """Show the cases of the scope."""
        return self._list(request)

    def search(self, request: HttpRequest) -> HttpResponse:
        """Lead to what was typed. By POST: names and codici fiscali do not belong into an address."""
        typed = subjects.typed(request)[: finding.LONGEST]
        found = finding.find(typed, at(request).scope) if typed else None
        if found is None:
            return self._list(request, missed=typed)
        if found.case_code:
            return redirect("admin:case", found.case_code)
        if found.is_cut:
            many = _(
                "I titolari trovati sono molti: qui ne compaiono %(most)d. Scriva di più per restringere la ricerca."
            )
            messages.info(request, many % {"most": MOST_HOLDERS})
        subject = Filters(titolare=found.holder_ids, carta=found.card_id)
        return redirect(f"{reverse('admin:cases')}{subject.address()}")

    def show_case(self, request: HttpRequest, code: str) -> HttpResponse:
        """Show one case."""
        desk = at(request)
        case = case_in_scope(desk, code)
        return self._page(request, "case", {"dossier": dossier_of(case, desk), "case": case, "title": case.code})

    def approve(self, request: HttpRequest, code: str) -> HttpResponse:
        """GET asks, POST approves."""

        def act(case: RenewalCase, desk: Desk, _reason: str) -> RenewalCase:
            done = decisions.approve_renewal(case.pk, operator=desk.operator, now=desk.now)
            news = done.decided_at == desk.now
            decided(request, case, _("Rinnovo approvato."), _("Il rinnovo era già stato approvato."), news=news)
            return case

        return self._decide(request, code, APPROVE, act)

    def refuse(self, request: HttpRequest, code: str) -> HttpResponse:
        """GET asks for the reason, POST refuses."""

        def act(case: RenewalCase, desk: Desk, reason: str) -> RenewalCase:
            done = decisions.refuse_renewal(case.pk, operator=desk.operator, reason=reason, now=desk.now)
            news = done.decided_at == desk.now
            decided(request, case, _("Rinnovo non approvato."), _("Il rinnovo era già stato respinto."), news=news)
            return case

        return self._decide(request, code, REFUSE, act)

    def cancel(self, request: HttpRequest, code: str) -> HttpResponse:
        """GET asks for the reason, POST cancels before installation."""

        def act(case: RenewalCase, desk: Desk, reason: str) -> RenewalCase:
            done = decisions.cancel_renewal(case.pk, operator=desk.operator, reason=reason, now=desk.now)
            news = done.closed_at == desk.now
            told(request, _("Pratica cancellata."), _("La pratica era già stata cancellata."), news=news)
            return case

        return self._decide(request, code, CANCEL, act)

    def reopen(self, request: HttpRequest, code: str) -> HttpResponse:
        """GET asks, POST opens a new case for the same card and leads to it."""

        def act(case: RenewalCase, desk: Desk, _reason: str) -> RenewalCase:
            new = decisions.reopen_renewal(case.pk, operator=desk.operator, now=desk.now)
            news = new.opened_at == desk.now
            done = _("Pratica riaperta: questa è la nuova pratica della carta.")
            told(request, done, _("La pratica era già stata riaperta: questa è la nuova."), news=news)
            return new

        return self._decide(request, code, REOPEN, act)

    def resend(self, request: HttpRequest, code: str, message_id: Any) -> HttpResponse:
        """GET asks, POST sends a mail of the case again, or a new code in its stead."""
        case = case_in_scope(at(request), code)
        if request.method == "POST":
            return resending.send_again(request, case, message_id)
        context = resending.question_of(case, message_id)
        return self._page(request, "resend", {**context, "case": case})

    def download_form(self, request: HttpRequest, code: str) -> HttpResponse:
        """Hand out the signed form of a case in scope."""
        case = case_in_scope(at(request), code)
        form = get_object_or_404(RenewalForm.objects.only("signed_pdf"), case=case, signed_pdf__isnull=False)
        answer = HttpResponse(bytes(form.signed_pdf or b""), content_type="application/pdf")
        answer["Content-Disposition"] = f'attachment; filename="modulo-{case.code}.pdf"'
        return answer

    def _list(self, request: HttpRequest, missed: str | None = None) -> HttpResponse:
        desk = at(request)
        page = listing.page_of(desk, request.GET)
        rows = [_row(case, desk, page) for case in page.cases]
        context = {
            "page": page,
            "rows": rows,
            "missed": missed,
            "title": self.title,
            "bulk_most": settings.RENEWALS.bulk_most,
            "may_decide": any(row["choices"].may_approve for row in rows),
        }
        return self._page(request, "cases", context)

    def _decide(self, request: HttpRequest, code: str, question: Question, act: Act) -> HttpResponse:
        desk = at(request)
        case = case_in_scope(desk, code)
        is_post = request.method == "POST"
        form = ReasonForm(question.reasons, request.POST if is_post else None) if question.reasons else None
        if not is_post or (form is not None and not form.is_valid()):
            return self._question(request, case, question, form)
        try:
            shown = act(case, desk, form.cleaned_data["whole"] if form else "")
        except (DomainError, OperationalError) as refusal:
            return refused(request, case, refusal)
        return redirect("admin:case", shown.code)

    def _question(
        self, request: HttpRequest, case: RenewalCase, question: Question, form: ReasonForm | None
    ) -> HttpResponse:
        desk = at(request)
        choices = decision.choices(case, desk)
        if not question.is_open(choices):
            messages.warning(request, choices.obstacle or _why_closed(case, question))
            return redirect("admin:case", case.code)
        context = {
            "case": case,
            "question": question,
            "badges": badges.all_of(case),
            "consequence": question.consequence(case, desk.now),
            "form": form,
            "title": question.title,
        }
        return self._page(request, "decide", context, status=422 if form is not None and form.is_bound else 200)

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
        stop = queries.stop_in_force(at(request).now)
        context = {**self.admin_site.each_context(request), "stop": stop, **context}
        return render(request, f"admin/renewals/{name}.html", context, status=status)


def _row(case: RenewalCase, desk: Desk, page: listing.Page) -> dict[str, Any]:
    is_waiting = badges.is_waiting(case)
    urged = is_waiting and case.urged_at is not None
    return {
        "case": case,
        "state": badges.progress(case),
        "authorisation": badges.authorisation(case),
        "due": clockwork.short(case),
        "choices": decision.choices(case, desk),
        "is_waiting": is_waiting,
        "is_urged": urged,
        "group": "d" if page.is_by_deadline else "u" if urged else "a" if is_waiting else "b",
    }


def _why_closed(case: RenewalCase, question: Question) -> str:
    if question is CANCEL:
        return _("La pratica non può più essere cancellata.")
    if question is REOPEN:
        return _("Si riapre solo una pratica cancellata.")
    if case.authorisation == Authorisation.APPROVED:
        return _("Il rinnovo è già stato approvato.")
    if case.authorisation == Authorisation.REFUSED and case.state != CaseState.CANCELLED:
        return _("Il rinnovo è già stato respinto.")
    return _("Su questa pratica non c'è nulla da decidere.")
