"""Approva and Non approva for several cases: what is selected, what will happen to each, then a job."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from cms.admin.desk import Desk, at
from cms.admin.entrance import confirmed_recently
from cms.admin.paging import number
from cms.admin.site import PanelAdmin
from cms.errors import DomainError
from cms.models import Job, Service
from renewals import queries
from renewals.admin import badges, decision
from renewals.admin.clockwork import moment
from renewals.admin.filters import TO_AUTHORISE, Filters
from renewals.admin.listing import shown
from renewals.admin.reasons import OF_REFUSAL, ReasonForm
from renewals.models import RenewalCase
from renewals.services import bulk
from renewals.states import CaseState


@dataclass(frozen=True, slots=True)
class Selection:
    """The cases that were picked, and those among them that this operator cannot decide this way."""

    cases: list[RenewalCase]
    left_out: list[tuple[RenewalCase, str]]
    most: int

    @property
    def is_too_large(self) -> bool:
        """Whether one job would be too long."""
        return len(self.cases) > self.most


class SeveralDecisions(PanelAdmin):
    """The part of *Gestione rinnovi* that decides on several cases at once. GET asks, POST starts a job."""

    def pages_of_several(self) -> Sequence[URLPattern]:
        """Addresses; both decisions want a recent confirmation of who it is."""
        return [
            path("insieme/approva/", self._confirmed(self.approve_several), name="approve_cases"),
            path("insieme/non-approva/", self._confirmed(self.refuse_several), name="refuse_cases"),
        ]

    def approve_several(self, request: HttpRequest) -> HttpResponse:
        """Ask for, or start, the approval of the cases in the address."""
        return self._several(request, is_refusal=False)

    def refuse_several(self, request: HttpRequest) -> HttpResponse:
        """Ask for, or start, the refusal of the cases in the address."""
        return self._several(request, is_refusal=True)

    def _confirmed(self, view: Any) -> Any:
        return self.at_desk(confirmed_recently(view))

    def _several(self, request: HttpRequest, *, is_refusal: bool) -> HttpResponse:
        desk = at(request)
        if "tutte" in request.GET:
            return redirect(f"{request.path}?{_address_of_all(desk, request.GET)}")
        form = ReasonForm(OF_REFUSAL, request.POST if request.method == "POST" else None) if is_refusal else None
        token = _token(request.POST.get("token"))
        if request.method == "POST" and token is not None and (form is None or form.is_valid()):
            return _started(request, desk, form, token)
        picked = _picked(desk, _named(request), is_refusal=is_refusal)
        if not picked.cases or picked.is_too_large:
            messages.warning(request, _why_not(picked))
            return redirect("admin:cases")
        context = {
            **self.admin_site.each_context(request),
            "picked": picked,
            "rows": [{"case": case, "badges": badges.all_of(case)} for case in picked.cases],
            "consequence": consequences(picked.cases, is_refusal=is_refusal),
            "is_refusal": is_refusal,
            "question": _question(len(picked.cases), is_refusal=is_refusal),
            "form": form,
            "token": token or uuid.uuid4(),
            "title": _("Non approva più rinnovi") if is_refusal else _("Approva più rinnovi"),
        }
        return render(request, "admin/renewals/several.html", context, status=422 if form and form.is_bound else 200)


def consequences(cases: Sequence[RenewalCase], *, is_refusal: bool) -> list[str]:
    """What will happen, kind by kind, with how many and the first date of each."""
    waiting = [case for case in cases if case.state == CaseState.AWAITING_INSTALLATION]
    held = [case for case in cases if badges.is_suspended(case)]
    working = [case for case in cases if case not in waiting and case not in held]
    words = _OF_REFUSAL if is_refusal else _OF_APPROVAL
    lines = [_line(text, rows) for text, rows in zip(words, (working, held, waiting), strict=True) if rows]
    told = _("Ogni titolare riceve un'e-mail con il motivo.") if is_refusal else _("Ogni titolare riceve un'e-mail.")
    return [
        *lines,
        told,
        _("Ogni pratica viene ricontrollata al momento: se una non è più decidibile, le altre proseguono."),
    ]


_OF_APPROVAL = (
    gettext_lazy("%(many)s: i nuovi certificati restano attivi e la sospensione non avverrà (la prima era %(first)s)."),
    gettext_lazy(
        "%(many)s: i nuovi certificati vengono riattivati subito e non saranno revocati (il primo %(first)s)."
    ),
    gettext_lazy("%(many)s, da installare: il rinnovo è autorizzato in anticipo."),
)
_OF_REFUSAL = (
    gettext_lazy("%(many)s: i nuovi certificati saranno sospesi alla scadenza dei precedenti (il primo %(first)s)."),
    gettext_lazy("%(many)s: i nuovi certificati restano sospesi e saranno revocati (il primo %(first)s)."),
    gettext_lazy("%(many)s, da installare: la pratica viene cancellata subito e il titolare non può più proseguire."),
)


def _line(text: Any, cases: Sequence[RenewalCase]) -> str:
    many = ngettext("%d rinnovo", "%d rinnovi", len(cases)) % len(cases)
    first = min((case.due_at for case in cases if case.due_at), default=None)
    return str(text) % {"many": many, "first": moment(first) if first else "–"}


def _question(many: int, *, is_refusal: bool) -> str:
    if is_refusal:
        return ngettext("Non approvare %d rinnovo", "Non approvare %d rinnovi", many) % many
    return ngettext("Approva %d rinnovo", "Approva %d rinnovi", many) % many


def _named(request: HttpRequest) -> set[int]:
    """Ids of the chosen cases: those that the question listed, once it is answered; one more than allowed shows so."""
    query = request.POST if "pratica" in request.POST else request.GET
    texts = query.getlist("pratica")[: settings.RENEWALS.bulk_most * 2]
    return {pk for text in texts if (pk := number(text)) is not None}


def _picked(desk: Desk, ids: set[int], *, is_refusal: bool) -> Selection:
    """Split the cases that lie in scope, the most urgent first, by whether this operator can decide them this way."""
    cases = queries.in_scope(desk.scope).filter(pk__in=ids).select_related("holder", "card", "centre")
    selection = Selection([], [], settings.RENEWALS.bulk_most)
    for case in cases.order_by("old_not_after", "pk"):
        choices = decision.choices(case, desk)
        if choices.may_refuse if is_refusal else choices.may_approve:
            selection.cases.append(case)
        else:
            selection.left_out.append((case, choices.obstacle or _("Su questa pratica non c'è nulla da decidere.")))
    return selection


def _address_of_all(desk: Desk, query: QueryDict) -> str:
    """Name, once and for all, the cases to authorise that the list shows: what is asked for is what will be done."""
    filters = Filters.read(query)
    services = list(Service.objects.filter(pk__in=desk.scope.service_ids).select_related("successor"))
    cases = shown(filters.narrowed(queries.in_scope(desk.scope), services, desk.now), filters).filter(TO_AUTHORISE)
    ids = cases.order_by("old_not_after", "pk").values_list("pk", flat=True)[: settings.RENEWALS.bulk_most]
    picked = QueryDict(mutable=True)
    picked.setlist("pratica", [str(pk) for pk in ids])
    return picked.urlencode()


def _why_not(picked: Selection) -> str:
    if picked.is_too_large:
        text = _("Le pratiche selezionate sono %(many)d: in una sola operazione se ne decidono al massimo %(most)d.")
        return text % {"many": len(picked.cases), "most": picked.most}
    if picked.left_out:
        return _("Nessuna delle pratiche selezionate può essere decisa: %(why)s") % {"why": picked.left_out[0][1]}
    return _("Non ha selezionato nessuna pratica: metta la spunta accanto a quelle su cui vuole decidere.")


def _token(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None


def _started(request: HttpRequest, desk: Desk, form: ReasonForm | None, token: uuid.UUID) -> HttpResponse:
    """Hand all that was asked about to the job: a case that became undecidable meanwhile is a row that says why."""
    ids = list(queries.in_scope(desk.scope).filter(pk__in=_named(request)).values_list("pk", flat=True))
    try:
        jobs = _start(ids, desk, form, token)
    except DomainError as refusal:
        messages.error(request, _("Operazione non eseguita. %(why)s") % {"why": _(refusal.text)})
        return redirect("admin:cases")
    return redirect(reverse("admin:job", args=[jobs[0].uid]) if len(jobs) == 1 else reverse("admin:jobs"))


def _start(ids: Sequence[int], desk: Desk, form: ReasonForm | None, token: uuid.UUID) -> list[Job]:
    if form is None:
        return bulk.approve_renewals(ids, operator=desk.operator, token=token, now=desk.now)
    reason = form.cleaned_data["whole"]
    return bulk.refuse_renewals(ids, operator=desk.operator, reason=reason, token=token, now=desk.now)
