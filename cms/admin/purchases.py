"""Acquisti: what managers ask for, and what the provider's administrators make of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from cms.admin.desk import Desk, at
from cms.admin.office import Question, ask_or_do
from cms.admin.paging import page_of
from cms.admin.site import OFFICE, PanelPage
from cms.admin.supplies import agreements_of, supplies_of
from cms.admin.words import Badge, instant
from cms.models import PurchaseRequest, Service, User
from cms.services import purchases
from cms.states import CertificateType, PurchaseState, Role

_LOOKS = {
    PurchaseState.REQUESTED: ("wait", "clock"),
    PurchaseState.CONFIRMED: ("wait", "clock"),
    PurchaseState.CREDITED: ("ok", "check-circle"),
    PurchaseState.REFUSED: ("danger", "close-circle"),
    PurchaseState.WITHDRAWN: ("neutral", "ban"),
}


class PurchaseForm(forms.Form):
    """How many pairs, under which order."""

    quantity = forms.IntegerField(
        label=gettext_lazy("Quantità"),
        help_text=gettext_lazy("Coppie di certificati, o certificati singoli se il servizio ne prevede uno solo."),
        min_value=1,
        max_value=purchases.MOST_UNITS,
    )
    order_reference = forms.CharField(
        label=gettext_lazy("Riferimento dell'ordine"),
        help_text=gettext_lazy("Numero d'ordine o di fattura: uno stesso ordine si richiede una volta sola."),
        max_length=48,
    )
    note = forms.CharField(label=gettext_lazy("Nota (facoltativa)"), max_length=200, required=False)


class SinglePurchaseForm(PurchaseForm):
    """The same for a service whose certificates are sold one by one (S/MIME): of which type."""

    type_ = forms.ChoiceField(label=gettext_lazy("Tipo di certificato"))
    field_order = ("type_",)

    def __init__(self, service: Service, *arguments: Any, **named: Any) -> None:
        """Offer the types of the service."""
        super().__init__(*arguments, **named)
        field = self.fields["type_"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above; tells the type checker
        field.choices = [(type_, _(CertificateType(type_).label)) for type_ in service.types]
        self.fields["quantity"].help_text = _("Certificati di questo tipo.")


class RefusalForm(forms.Form):
    """Why a request is turned down."""

    reason = forms.CharField(
        label=gettext_lazy("Motivo"),
        help_text=gettext_lazy("Il responsabile del CDRL lo legge accanto alla richiesta."),
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Indichi il motivo: senza, la richiesta non può essere respinta.")},
    )


class PurchasePage(PanelPage):
    """Acquisti."""

    slug = "acquisti"
    title = gettext_lazy("Acquisti")
    icon = "exchange-circle"
    group = OFFICE
    url_name = "purchases"

    def pages(self) -> Sequence[URLPattern]:
        """The list, a new request, one request, and what becomes of it."""
        return [
            path("", self.at_desk(require_safe(self.show_list)), name="purchases"),
            path("nuovo/<int:agreement>/", self.at_desk(self.ask), name="ask_purchase"),
            path("<slug:number>/", self.at_desk(require_safe(self.show_request)), name="purchase"),
            path("<slug:number>/accredita/", self.at_desk(self.credit), name="credit_purchase"),
            path("<slug:number>/respingi/", self.at_desk(self.refuse), name="refuse_purchase"),
            path("<slug:number>/ritira/", self.at_desk(self.withdraw), name="withdraw_purchase"),
        ]

    def is_open_to(self, desk: Desk) -> bool:
        """For those who ask, decide, or look after both."""
        return desk.is_administrator or bool({Role.MANAGER, Role.AUDITOR} & set(desk.roles.values()))

    def waiting(self, desk: Desk) -> QuerySet[PurchaseRequest] | None:
        """Requests that wait for an administrator."""
        return _in_scope(desk).filter(state__in=purchases.WAITING) if desk.is_administrator else None

    def show_list(self, request: HttpRequest) -> HttpResponse:
        """Show the requests of the scope, newest first, and where a new one can be made."""
        desk = at(request)
        page = page_of(_in_scope(desk), request.GET)
        managed = [each for each in agreements_of(desk) if desk.manages(each.centre_id)] if desk.roles else []
        context = {
            **self.admin_site.each_context(request),
            "page": page,
            "rows": [(row, quantity_of(row), badge_of(row)) for row in page.rows],
            "supplies": [supply for supply in supplies_of(managed) if supply.is_used],
            "title": self.title,
        }
        return render(request, "admin/cms/purchases.html", context)

    def show_request(self, request: HttpRequest, number: str) -> HttpResponse:
        """Show one request: what is asked, who did what, what can be done now."""
        desk = at(request)
        row = _chosen(desk, number)
        context = {
            **self.admin_site.each_context(request),
            "purchase": row,
            "badge": badge_of(row),
            "facts": _facts(row),
            "steps": _steps(row),
            "is_waiting": row.state in purchases.WAITING,
            "may_decide": desk.is_administrator and desk.operator.pk != row.confirmed_by,
            "is_mine_confirmed": desk.operator.pk == row.confirmed_by,
            "may_withdraw": desk.manages(row.centre_id),
            "title": row.number,
        }
        return render(request, "admin/cms/purchase.html", context)

    def ask(self, request: HttpRequest, agreement: int) -> HttpResponse:
        """GET asks what is wanted, POST makes the request."""
        desk = at(request)
        row = agreements_of(desk).filter(pk=agreement).first()
        if row is None:
            raise Http404
        posted = request.POST if request.method == "POST" else None
        (supply,) = supplies_of([row])
        form = PurchaseForm(posted) if supply.are_pairs else SinglePurchaseForm(row.service, posted)
        question = Question(
            title=_("Richiedi un acquisto"),
            action=_("Invia la richiesta"),
            back=reverse("admin:purchases"),
            facts=[
                (_("CDRL"), row.centre),
                (_("Servizio"), row.service),
                (_("Certificati"), _types(row.service.types)),
                (_("Giacenza attuale"), f"{supply.pairs} {supply.unit}"),
            ],
            consequence=[_("La giacenza aumenta quando il fornitore accredita la richiesta, non prima.")],
            form=form,
        )

        def deed() -> PurchaseRequest:
            return purchases.request_purchase(row.pk, operator=desk.operator, now=desk.now, **form.cleaned_data)

        return ask_or_do(request, self, question, deed, _("Richiesta di acquisto inviata."))

    def credit(self, request: HttpRequest, number: str) -> HttpResponse:
        """GET asks, POST confirms or credits."""
        desk = at(request)
        row = _chosen(desk, number)
        first = row.state == PurchaseState.REQUESTED and purchases.needs_two_persons()
        again = _("Serve poi la conferma di un secondo amministratore: le unità si aggiungono solo allora.")
        added = _("Si aggiungono %(count)d unità di ciascun certificato: %(types)s.")
        question = Question(
            title=_("Conferma l'acquisto") if first else _("Accredita l'acquisto"),
            action=_("Conferma l'acquisto") if first else _("Accredita l'acquisto"),
            back=reverse("admin:purchase", args=[number]),
            facts=_facts(row),
            consequence=[again] if first else [added % {"count": row.quantity, "types": _types(row.types)}],
        )
        done = _("Acquisto confermato: ora tocca a un secondo amministratore.") if first else _("Acquisto accreditato.")
        return ask_or_do(request, self, question, self._deed(purchases.credit_purchase, row, desk), done)

    def refuse(self, request: HttpRequest, number: str) -> HttpResponse:
        """GET asks for the reason, POST turns the request down."""
        desk = at(request)
        row = _chosen(desk, number)
        form = RefusalForm(request.POST if request.method == "POST" else None)
        question = Question(
            title=_("Respingi l'acquisto"),
            action=_("Respingi l'acquisto"),
            back=reverse("admin:purchase", args=[number]),
            facts=_facts(row),
            consequence=[_("La giacenza non cambia. Il CDRL può fare una nuova richiesta per lo stesso ordine.")],
            is_risky=True,
            form=form,
        )

        def deed() -> PurchaseRequest:
            reason = form.cleaned_data["reason"]
            return purchases.refuse_purchase(row.uid, reason=reason, operator=desk.operator, now=desk.now)

        return ask_or_do(request, self, question, deed, _("Acquisto respinto."))

    def withdraw(self, request: HttpRequest, number: str) -> HttpResponse:
        """GET asks, POST takes the request back."""
        desk = at(request)
        row = _chosen(desk, number)
        question = Question(
            title=_("Ritira la richiesta"),
            action=_("Ritira la richiesta"),
            back=reverse("admin:purchase", args=[number]),
            facts=_facts(row),
            consequence=[_("La giacenza non cambia. Per lo stesso ordine si può fare una nuova richiesta.")],
            is_risky=True,
        )
        deed = self._deed(purchases.withdraw_purchase, row, desk)
        return ask_or_do(request, self, question, deed, _("Richiesta ritirata."))

    @staticmethod
    def _deed(use_case: Callable[..., PurchaseRequest], row: PurchaseRequest, desk: Desk) -> Callable[[], Any]:
        return lambda: use_case(row.uid, operator=desk.operator, now=desk.now)


def badge_of(row: PurchaseRequest) -> Badge:
    """How a request stands."""
    state = PurchaseState(row.state)
    return Badge(*_LOOKS[state], str(state.label))


def _in_scope(desk: Desk) -> QuerySet[PurchaseRequest]:
    mine = PurchaseRequest.objects.filter(centre_id__in=desk.scope.centre_ids, service_id__in=desk.scope.service_ids)
    return mine.select_related("centre", "service")


def _chosen(desk: Desk, number: str) -> PurchaseRequest:
    row = _in_scope(desk).filter(number=number).first()
    if row is None:
        raise Http404
    return row


def _facts(row: PurchaseRequest) -> list[tuple[str, Any]]:
    facts = [
        (_("Numero"), row.number),
        (_("CDRL"), row.centre),
        (_("Servizio"), row.service),
        (_("Quantità"), quantity_of(row)),
        (_("Certificati"), _types(row.types)),
        (_("Riferimento dell'ordine"), row.order_reference),
    ]
    return [*facts, *([(_("Nota"), row.note)] if row.note else [])]


def quantity_of(row: PurchaseRequest) -> str:
    """Say how much, with its unit: pairs, or certificates where the service has one type."""
    if len(row.types) > 1:
        return ngettext("%d coppia", "%d coppie", row.quantity) % row.quantity
    return ngettext("%d certificato", "%d certificati", row.quantity) % row.quantity


def _types(types: Sequence[str]) -> str:
    return ", ".join(_(CertificateType(type_).label) for type_ in types)


def _steps(row: PurchaseRequest) -> list[tuple[str, str, str]]:
    """What was done, by whom and when, in order."""
    done = [(_("Richiesta"), row.requested_by, row.requested_at), (_("Confermata"), row.confirmed_by, row.confirmed_at)]
    if row.decided_at:
        done.append((_(PurchaseState(row.state).label), row.decided_by, row.decided_at))
    people = User.objects.in_bulk({who for _what, who, _when in done if who})
    return [
        (what, str(people.get(who or 0) or _("Amministratore del fornitore")), instant(when))
        for what, who, when in done
        if when
    ]
