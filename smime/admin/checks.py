"""Verifiche: what waits for an officer, evidence beside the data it proves, and what is decided about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from cms.admin.desk import Desk, at
from cms.admin.office import Question, ask_or_do, told
from cms.admin.site import PanelPage
from cms.errors import DomainError
from cms.states import Flow
from smime import policy_desk
from smime.admin import check_page, queue, signed_form
from smime.admin.check_forms import DocumentForm, ReasonForm, RoundForm, WhyForm, form_for
from smime.admin.slots import SMIME
from smime.admin.words import check_badge
from smime.models import Check, Finding
from smime.services import desk as office
from smime.states import CheckKind, CheckState, FindingOutcome, OrderState


class ChecksPage(PanelPage):
    """S/MIME › Verifiche."""

    slug = "verifiche"
    title = gettext_lazy("Verifiche")
    icon = "search"
    group = SMIME
    url_name = "smime_checks"
    is_home = True
    waiting_words = gettext_lazy("da esaminare")

    def pages(self) -> Sequence[URLPattern]:
        """The queue, one check, and what is done with it."""
        return [
            path("", self.at_desk(require_safe(self.show_queue)), name="smime_checks"),
            path(
                "<int:check>/", self.at_desk(sensitive_post_parameters("number")(self.show_check)), name="smime_check"
            ),
            path("<int:check>/prendi/", self.at_desk(require_POST(self.take)), name="take_smime_check"),
            path("<int:check>/lascia/", self.at_desk(require_POST(self.leave)), name="leave_smime_check"),
            path("<int:check>/documenti/", self.at_desk(self.ask_papers), name="ask_smime_papers"),
            path("<int:check>/respingi/", self.at_desk(self.refuse), name="refuse_smime_check"),
            path("<int:check>/riapri/", self.at_desk(self.reopen), name="reopen_smime_check"),
            path("<int:check>/biometrico/", self.at_desk(self.reopen_biometric), name="reopen_smime_biometric"),
        ]

    def is_open_to(self, desk: Desk) -> bool:
        """Where S/MIME is sold."""
        return desk.service.flow == Flow.SMIME

    def waiting(self, desk: Desk) -> QuerySet[Check] | None:
        """Checks that wait for an officer."""
        return queue.in_review(desk) if self.is_open_to(desk) else None

    def show_queue(self, request: HttpRequest) -> HttpResponse:
        """Show what waits, the longest waiting first."""
        desk = at(request)
        filters = queue.Filters.read(request.GET)
        found = list(filters.narrowed(desk)[: queue.MOST_SHOWN + 1])
        kinds, others = queue.chips(desk, filters)
        context = {
            **self.admin_site.each_context(request),
            "kinds": kinds,
            "others": others,
            "filters": filters,
            "rows": queue.rows_of(found[: queue.MOST_SHOWN], desk),
            "is_cut": len(found) > queue.MOST_SHOWN,
            "most": queue.MOST_SHOWN,
            "to_approve": queue.to_approve(desk).count(),
            "title": self.title,
        }
        return render(request, "admin/smime/checks.html", context)

    def show_check(self, request: HttpRequest, check: int) -> HttpResponse:
        """GET shows evidence and data side by side; POST accepts, or puts on record without deciding."""
        desk = at(request)
        row = chosen(desk, check)
        if request.method == "POST":
            form = form_for(row, row.order, request.POST)
            if form.is_valid() and self._decided(request, desk, row, form):
                return redirect("admin:smime_checks" if "accept" in request.POST else request.path)
            return self._page(request, desk, row, form, status=422)
        return self._page(request, desk, row, form_for(row, row.order, **check_page.known_for(row)))

    def take(self, request: HttpRequest, check: int) -> HttpResponse:
        """Put it on one's own desk."""
        return self._do(request, check, office.take_check, _("Verifica presa in carico."))

    def leave(self, request: HttpRequest, check: int) -> HttpResponse:
        """Leave it to others."""
        return self._do(request, check, office.leave_check, _("Verifica lasciata ad altri."))

    def ask_papers(self, request: HttpRequest, check: int) -> HttpResponse:
        """GET asks for the message, POST sends it."""
        desk = at(request)
        row = _at_desk(desk, check)
        form = ReasonForm(request.POST if request.method == "POST" else None)
        lines = [
            _("Il cliente legge il messaggio nella pratica e per e-mail."),
            _("La verifica resta aperta: torna in esame quando arriva ciò che manca."),
        ]
        question = _question(row, _("Chiedi documenti"), lines, form)

        def deed() -> Finding:
            return _answer(row, FindingOutcome.PAPERS, form.cleaned_data["reason"], desk)

        return ask_or_do(request, self, question, deed, _("Richiesta inviata."))

    def refuse(self, request: HttpRequest, check: int) -> HttpResponse:
        """GET asks why, POST refuses."""
        desk = at(request)
        row = chosen(desk, check)
        by_provider = check_page.attempt_of(row)
        form = None if by_provider else ReasonForm(request.POST if request.method == "POST" else None)
        question = _question(row, _("Respingi la verifica"), _consequence(row), form, is_risky=True)

        def deed() -> Finding:
            return _answer(row, FindingOutcome.REFUSED, form.cleaned_data["reason"] if form else "", desk)

        return ask_or_do(request, self, question, deed, _("Verifica respinta."))

    def reopen(self, request: HttpRequest, check: int) -> HttpResponse:
        """GET asks, POST has it proven anew."""
        desk = at(request)
        row = chosen(desk, check)
        if row.state not in {CheckState.PASSED, CheckState.FAILED} or row.kind not in policy_desk.AT_DESK:
            raise Http404
        lines = [_("L'esito registrato non vale più e la verifica ricomincia; i riscontri restano nella pratica.")]
        question = _question(row, _("Riapri la verifica"), lines)

        def deed() -> Check:
            return office.restart_check(row.pk, operator=desk.operator, now=desk.now)

        return ask_or_do(request, self, question, deed, _("Verifica riaperta."))

    def reopen_biometric(self, request: HttpRequest, check: int) -> HttpResponse:
        """GET asks why, POST leads back from the alternative."""
        desk = at(request)
        row = chosen(desk, check)
        if not policy_desk.is_biometric_closed(row):
            raise Http404
        form = WhyForm(request.POST if request.method == "POST" else None)
        lines = [
            _("Il destinatario riceve un nuovo collegamento e ha due tentativi al massimo."),
            _("Se aveva rifiutato o ritirato il consenso, gli viene chiesto di nuovo."),
            _("Modulo e file firmato del processo alternativo non valgono più; i tentativi restano nella pratica."),
        ]
        question = _question(row, _("Riapri il riconoscimento biometrico"), lines, form)

        def deed() -> Check:
            reason = form.cleaned_data["reason"]
            return office.reopen_biometric(row.pk, reason=reason, operator=desk.operator, now=desk.now)

        return ask_or_do(request, self, question, deed, _("Riconoscimento biometrico riaperto."))

    def _decided(self, request: HttpRequest, desk: Desk, row: Check, form: RoundForm) -> bool:
        is_accepted = "accept" in request.POST
        try:
            if isinstance(form, DocumentForm):
                _accept_person(row, form, desk)
            else:
                outcome = FindingOutcome.ACCEPTED if is_accepted else FindingOutcome.NOTE
                office.record_finding(
                    row.pk,
                    outcome=outcome,
                    seen_round=form.cleaned_data["seen_round"],
                    found=form.found,
                    operator=desk.operator,
                    now=desk.now,
                )
        except DomainError as refusal:
            form.add_error(None, told(refusal))
            return False
        messages.success(request, _("Verifica accettata.") if is_accepted else _("Riscontro registrato."))
        return True

    def _do(self, request: HttpRequest, check: int, deed: Callable[..., Check], done: str) -> HttpResponse:
        desk = at(request)
        row = chosen(desk, check)
        try:
            deed(row.pk, operator=desk.operator, now=desk.now)
        except DomainError as refusal:
            messages.error(request, told(refusal))
        else:
            messages.success(request, done)
        return redirect("admin:smime_check", row.pk)

    def _page(
        self, request: HttpRequest, desk: Desk, row: Check, form: RoundForm, *, status: int = 200
    ) -> HttpResponse:
        may_act = policy_desk.may_decide(row.order, desk.operator)
        attempt = check_page.attempt_of(row) if row.state == CheckState.IN_REVIEW else None
        what = queue.what_of(row, attempt.state if attempt else None)
        context = {
            **self.admin_site.each_context(request),
            **check_page.context_of(row, desk),
            "badge": check_badge(row, desk.now),
            "what": what,
            "form": form if may_act and check_page.is_open(row) else None,
            "ticked": form["ticks"].value() or [] if "ticks" in form.fields else [],
            "is_person": isinstance(form, DocumentForm),
            "may_act": may_act,
            "may_ask": row.kind in policy_desk.AT_DESK,
            "may_reopen": may_act
            and row.kind in policy_desk.AT_DESK
            and row.state in {CheckState.PASSED, CheckState.FAILED},
            "may_reopen_biometric": may_act
            and row.order.state == OrderState.CHECKING
            and policy_desk.is_biometric_closed(row),
            "title": what,
        }
        return render(request, "admin/smime/check.html", context, status=status)


def chosen(desk: Desk, check: int) -> Check:
    """A check of an order in scope, of whichever state; 404 otherwise, as for one that is not there."""
    where = {"order__centre_id__in": desk.scope.centre_ids, "order__service_id__in": desk.scope.service_ids}
    row = Check.objects.select_related("order__buyer", "order__centre").filter(pk=check, **where).first()
    if row is None:
        raise Http404
    return row


def _at_desk(desk: Desk, check: int) -> Check:
    row = chosen(desk, check)
    if row.kind not in policy_desk.AT_DESK:
        raise Http404
    return row


def _accept_person(row: Check, form: DocumentForm, desk: Desk) -> None:
    said: dict[str, Any] = {
        "outcome": FindingOutcome.ACCEPTED,
        "document": form.document,
        "ticked": form.ticked,
        "note": form.cleaned_data["note"],
        "operator": desk.operator,
        "now": desk.now,
    }
    attempt, signed = check_page.attempt_of(row), signed_form.signed_of(row)
    if attempt is not None:
        office.decide_identification(attempt.pk, **said)
    elif signed is not None:
        office.decide_signature(signed.report.pk, **said)
    else:
        raise Http404


def _answer(row: Check, outcome: FindingOutcome, reason: str, desk: Desk) -> Finding:
    """Refuse or ask for papers, by the use case that the check belongs to."""
    by: dict[str, Any] = {"operator": desk.operator, "now": desk.now}
    attempt, signed = check_page.attempt_of(row), signed_form.signed_of(row)
    nothing: dict[str, Any] = {"document": policy_desk.Document(), "ticked": ()}
    if attempt is not None:
        return office.decide_identification(attempt.pk, outcome=outcome, **nothing, **by)
    if signed is not None:
        return office.decide_signature(signed.report.pk, outcome=outcome, reason=reason, **nothing, **by)
    found = policy_desk.Found()
    return office.record_finding(row.pk, outcome=outcome, seen_round=row.round, found=found, reason=reason, **by)


def _consequence(row: Check) -> list[str]:
    if check_page.attempt_of(row) is not None:
        return [
            _("Il tentativo conta come fallito: il destinatario riceve un nuovo invito."),
            _("Dopo due tentativi falliti gli viene proposto il processo alternativo con firma qualificata."),
        ]
    if row.kind == CheckKind.IDENTITY:
        return [_("Il destinatario legge il motivo e può caricare un altro modulo firmato.")]
    return [
        _("Il cliente legge il motivo nella pratica e per e-mail; può correggere i dati o inviare altri documenti."),
        _("La pratica resta aperta: per chiuderla la respinga dalla sua pagina."),
    ]


def _question(row: Check, title: str, lines: Sequence[str], form: Any = None, *, is_risky: bool = False) -> Question:
    facts = [
        (_("Pratica"), row.order.code),
        (_("Verifica"), queue.what_of(row)),
        (_("Casella e-mail"), row.order.mailbox),
    ]
    back = reverse("admin:smime_check", args=[row.pk])
    return Question(title, title, back, facts, lines, is_risky=is_risky, form=form)
