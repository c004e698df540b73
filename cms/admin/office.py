"""The pages of administration: reached with or without a chosen service, about whole centres, never about cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import resolve
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cms.admin import choice
from cms.admin.desk import PROVIDER_ROLE, UNOWNED, Desk, desk_of, widen_fence
from cms.admin.site import PanelPage, PanelSite, View
from cms.errors import DomainError
from cms.models import Centre, Membership, User
from cms.states import Role
from runtime import clock, fence

_PLACES = {
    "campaign": gettext_lazy("Campagna"),
    "campaigns": gettext_lazy("Campagne"),
    "centre": gettext_lazy("CDRL"),
    "centres": gettext_lazy("CDRL e accordi"),
    "holder": gettext_lazy("Titolare"),
    "people": gettext_lazy("Operatori"),
    "person": gettext_lazy("Operatore"),
    "purchase": gettext_lazy("Richiesta di acquisto"),
    "purchases": gettext_lazy("Acquisti"),
    "revocation_stop": gettext_lazy("Fermo delle revoche"),
    "services": gettext_lazy("Servizi"),
    "slots": gettext_lazy("Attivazioni"),
    "smime_check": gettext_lazy("Verifica"),
    "smime_order": gettext_lazy("Pratica"),
    "stock": gettext_lazy("Movimenti"),
    "stocks": gettext_lazy("Contatori"),
    "support_request": gettext_lazy("Richiesta di supporto"),
}
READING_ROLES = frozenset({Role.MANAGER, Role.AUDITOR})


@dataclass(frozen=True, slots=True)
class Office:
    """Where somebody administers: the centres that he may look at, and those whose people he looks after."""

    operator: User
    now: datetime
    roles: dict[int, str] = field(default_factory=dict)

    @property
    def is_administrator(self) -> bool:
        """Whether he administers for the provider: every centre, and what is agreed with it."""
        return self.operator.is_administrator

    @property
    def may_read(self) -> bool:
        """Whether anything here is for him; an auditor reads and changes nothing."""
        return self.is_administrator or bool(self.roles)

    @property
    def may_staff(self) -> bool:
        """Whether he invites and looks after people anywhere; the use cases ask again."""
        return self.is_administrator or Role.MANAGER in self.roles.values()

    def staffs(self, centre_id: int) -> bool:
        """Whether he looks after the people of that centre."""
        return self.is_administrator or self.roles.get(centre_id) == Role.MANAGER

    @property
    def centres(self) -> QuerySet[Centre]:
        """Centres that he may look at."""
        return Centre.objects.all() if self.is_administrator else Centre.objects.filter(pk__in=self.roles)


def office_of(request: HttpRequest) -> Office:
    """The office that `in_office` has put on the request."""
    office = getattr(request, "office", None)
    if not isinstance(office, Office):
        message = "the view is not wrapped with in_office"
        raise TypeError(message)
    return office


def in_office(page: PanelPage, view: View) -> View:
    """Let a view be reached only by who administers something; the frame shows his desk where he has one."""
    site = page.admin_site
    if not isinstance(site, PanelSite):
        message = "panel pages belong to the panel's site"
        raise TypeError(message)

    def inner(request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponseBase:
        operator = request.user
        if not isinstance(operator, User):
            raise PermissionDenied
        desk = desk_of(request)
        if desk is None and not operator.is_administrator:
            return choice.send_to_choice(request)
        _open_fence(desk, operator)
        request.desk = desk  # type: ignore[attr-defined] # read by the frame
        office = _opened(operator, getattr(request, "now", None) or clock.now())
        if not office.may_read:
            raise PermissionDenied
        request.office = office  # type: ignore[attr-defined] # read by `office_of`
        return view(request, *arguments, **named)

    wrapped: View = site.admin_view(inner)
    return wrapped


def is_office_open_to(desk: Desk) -> bool:
    """Whether the sidebar shows pages of administration: to administrators, managers and auditors."""
    return desk.is_administrator or bool(READING_ROLES & set(desk.roles.values()))


@dataclass(frozen=True, slots=True)
class Question:
    """A page that asks before something is done: facts, consequence, perhaps a form, and where it leads back to."""

    title: str
    action: str
    back: str
    facts: Sequence[tuple[str, Any]] = ()
    consequence: Sequence[str] = ()
    is_risky: bool = False
    form: forms.BaseForm | None = None

    @property
    def back_to(self) -> str:
        """Name of the page where its link back leads."""
        return str(_PLACES.get(resolve(self.back).url_name or "", gettext_lazy("Indietro")))


def ask_or_do(
    request: HttpRequest, page: PanelPage, question: Question, deed: Callable[[], Any], done: str
) -> HttpResponse:
    """GET asks; POST does it through the use case and leads back. A refusal says why, and leaves the form as typed."""
    form = question.form
    if request.method == "POST" and (form is None or form.is_valid()):
        try:
            deed()
        except DomainError as refusal:
            said = told(refusal)
            if form is None:
                messages.error(request, said)
                return redirect(question.back)
            form.add_error(None, said)
        else:
            messages.success(request, done)
            return redirect(question.back)
    context = {**page.admin_site.each_context(request), "question": question, "form": form, "title": question.title}
    return render(request, "admin/cms/people_question.html", context)


def told(refusal: DomainError) -> str:
    """Say what was not done and why, the code small at the end."""
    return format_html('{} <span class="code">{}</span>', _(refusal.text), refusal.reason_code)


def _open_fence(desk: Desk | None, operator: User) -> None:
    """Widen the second fence; an administrator without a desk yet stands before an empty provider."""
    if desk is not None:
        widen_fence(desk)
        return
    nobody = frozenset({UNOWNED})
    fence.stand_behind(fence.Fence(PROVIDER_ROLE, nobody, nobody, operator.pk))


def _opened(operator: User, now: datetime) -> Office:
    rows = Membership.objects.filter(user=operator, role__in=READING_ROLES, centre__active=True)
    return Office(operator, now, dict(rows.values_list("centre_id", "role")))
