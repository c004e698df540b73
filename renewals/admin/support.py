"""Richieste di supporto: holders who could not go on; who has which request, what they were told, what was answered."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from cms.admin.counting import bounded_counts
from cms.admin.desk import Desk, at
from cms.admin.office import Question, ask_or_do
from cms.admin.paging import page_of
from cms.admin.site import OFFICE, PanelAdmin, View
from renewals.admin import support_views as shown
from renewals.admin.support_forms import AnswerForm, AssignForm
from renewals.models import SupportRequest
from renewals.services import support_desk
from renewals.services.support import mailbox_of
from renewals.support_policy import caretakers, may_care


class SupportAdmin(PanelAdmin):
    """Ufficio › Richieste di supporto."""

    slug = "supporto"
    title = gettext_lazy("Richieste di supporto")
    icon = "telephone"
    group = OFFICE
    url_name = "support"
    waiting_words = gettext_lazy("da prendere in carico")

    def pages(self) -> Sequence[URLPattern]:
        """The queue, one request, and what is done with it."""
        return [
            path("", self._view(require_safe(self.show_list)), name="support"),
            path("<slug:number>/", self._view(require_safe(self.show_request)), name="support_request"),
            path("<slug:number>/log.txt", self._view(require_safe(self.download_log)), name="support_log"),
            path("<slug:number>/prendi/", self._view(self.take), name="take_support"),
            path("<slug:number>/affida/", self._view(self.assign), name="assign_support"),
            path("<slug:number>/rispondi/", self._view(self.answer), name="answer_support"),
            path("<slug:number>/chiudi/", self._view(self.close), name="close_support"),
            path("<slug:number>/riapri/", self._view(self.reopen), name="reopen_support"),
        ]

    def _view(self, view: View) -> View:
        """At the desk; administrators also see what belongs to no centre."""

        def inner(request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponseBase:
            with shown.beyond_centres(at(request)):
                return view(request, *arguments, **named)

        return self.at_desk(inner)

    def waiting(self, desk: Desk) -> QuerySet[SupportRequest] | None:
        """Requests that nobody has taken; administrators see more than the fence of other pages lets through."""
        return None if desk.is_administrator else shown.untaken(desk)

    def count_waiting(self, desk: Desk) -> int | None:
        """The same for administrators, with those of no centre."""
        with shown.beyond_centres(desk):
            return bounded_counts({"open": shown.untaken(desk)})["open"]

    def show_list(self, request: HttpRequest) -> HttpResponse:
        """Show the queue, newest first."""
        desk = at(request)
        filters = shown.Filters.read(request.GET)
        page = page_of(filters.narrowed(desk), request.GET)
        context = {
            **self.admin_site.each_context(request),
            "chips": shown.chips(desk, filters),
            "filters": filters,
            "page": page,
            "rows": shown.rows_of(page.rows, desk),
            "title": self.title,
        }
        return render(request, "admin/renewals/support.html", context)

    def show_request(self, request: HttpRequest, number: str) -> HttpResponse:
        """Show one request: facts, the holder's words, the log, what was answered."""
        desk = at(request)
        row = _chosen(desk, number)
        context = {
            **self.admin_site.each_context(request),
            **shown.page_of_request(row, desk),
            "may_act": may_care(row, desk.operator),
            "is_mine": row.assigned_to == desk.operator.pk,
            "title": row.number,
        }
        return render(request, "admin/renewals/support_request.html", context)

    def download_log(self, request: HttpRequest, number: str) -> HttpResponse:
        """Hand out the log as a file."""
        row = _chosen(at(request), number)
        text = shown.log_of(row)
        if not text:
            raise Http404
        answer = HttpResponse(text, content_type="text/plain; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{row.number}.log.txt"'
        return answer

    def take(self, request: HttpRequest, number: str) -> HttpResponse:
        """GET asks, POST makes it one's own."""
        desk = at(request)
        row = _chosen(desk, number)
        question = _question(
            row,
            _("Prendi in carico la richiesta"),
            [_("La richiesta resta nell'elenco a Suo nome finché non la chiude o la affida ad altri.")],
        )

        def deed() -> SupportRequest:
            return support_desk.assign_request(number, desk.operator.pk, **_by(desk))

        return ask_or_do(request, self, question, deed, _("Richiesta presa in carico."))

    def assign(self, request: HttpRequest, number: str) -> HttpResponse:
        """GET asks to whom, POST hands it over."""
        desk = at(request)
        row = _chosen(desk, number)
        form = AssignForm(caretakers(row), request.POST if request.method == "POST" else None)
        question = _question(row, _("Affida la richiesta"), [_("La richiesta passa nell'elenco della persona.")], form)

        def deed() -> SupportRequest:
            return support_desk.assign_request(number, form.chosen, **_by(desk))

        return ask_or_do(request, self, question, deed, _("Richiesta affidata."))

    def answer(self, request: HttpRequest, number: str) -> HttpResponse:
        """GET asks what to say and shows to whom it goes, POST mails it."""
        desk = at(request)
        row = _chosen(desk, number)
        address, _is_registered = mailbox_of(row)
        form = AnswerForm(
            request.POST if request.method == "POST" else None, initial={"uid": uuid.uuid4(), "to": address}
        )
        title = _("Rispondi alla richiesta")
        question = _question(row, title, shown.consequences_of_answer(row), form, action=_("Invia la risposta"))

        def deed() -> Any:
            said = form.cleaned_data
            return support_desk.answer_request(number, said["uid"], said["text"], to=said["to"], **_by(desk))

        return ask_or_do(request, self, question, deed, _("Risposta inviata."))

    def close(self, request: HttpRequest, number: str) -> HttpResponse:
        """GET asks, POST closes it."""
        desk = at(request)
        row = _chosen(desk, number)
        question = _question(row, _("Chiudi la richiesta"), shown.consequences_of_closing(row))

        def deed() -> SupportRequest:
            return support_desk.close_request(number, **_by(desk))

        return ask_or_do(request, self, question, deed, _("Richiesta chiusa."))

    def reopen(self, request: HttpRequest, number: str) -> HttpResponse:
        """GET asks, POST opens it again."""
        desk = at(request)
        row = _chosen(desk, number)
        question = _question(row, _("Riapri la richiesta"), [_("La richiesta torna nell'elenco, a Suo nome.")])

        def deed() -> SupportRequest:
            return support_desk.reopen_request(number, **_by(desk))

        return ask_or_do(request, self, question, deed, _("Richiesta riaperta."))


def _by(desk: Desk) -> dict[str, Any]:
    return {"operator": desk.operator, "now": desk.now}


def _chosen(desk: Desk, number: str) -> SupportRequest:
    row = shown.in_sight(desk).filter(number=number).first()
    if row is None:
        raise Http404
    return row


def _question(
    row: SupportRequest, title: str, consequence: Sequence[str], form: Any = None, *, action: str = ""
) -> Question:
    return Question(
        title=title,
        action=action or title,
        back=reverse("admin:support_request", args=[row.number]),
        facts=shown.facts_in_short(row),
        consequence=consequence,
        form=form,
    )
