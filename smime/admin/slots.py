"""Attivazioni: what customers have bought, credited from the centre's stock, taken back while it is unused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from cms.admin.desk import Desk, at
from cms.admin.entrance import confirmed_recently
from cms.admin.office import Question, ask_or_do
from cms.admin.paging import page_of
from cms.admin.site import PanelPage
from cms.admin.supplies import Supply, supplies_of
from cms.admin.words import Badge
from cms.models import Agreement
from cms.states import CertificateType, Flow
from smime import policy_slots
from smime.models import Slot
from smime.services import slots
from smime.states import SlotState, Validation

SMIME = gettext_lazy("S/MIME")
_LOOKS = {
    SlotState.FREE: ("wait", "clock"),
    SlotState.USED: ("ok", "check-circle"),
    SlotState.WITHDRAWN: ("neutral", "ban"),
}


class CreditForm(forms.Form):
    """Who has bought what, under which order."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail del cliente"),
        help_text=gettext_lazy("A questo indirizzo arriva l'avviso, con l'accesso all'Area clienti."),
        max_length=254,
    )
    full_name = forms.CharField(
        label=gettext_lazy("Nome e cognome del cliente"),
        help_text=gettext_lazy("Serve solo se l'indirizzo non ha ancora un account."),
        max_length=120,
        required=False,
    )
    validation = forms.ChoiceField(label=gettext_lazy("Tipo di certificato"))
    term_days = forms.TypedChoiceField(
        label=gettext_lazy("Durata"),
        coerce=int,
        choices=[(365, gettext_lazy("365 giorni")), (730, gettext_lazy("730 giorni"))],
    )
    quantity = forms.IntegerField(
        label=gettext_lazy("Quantità"), min_value=1, max_value=policy_slots.MOST_AT_ONCE, initial=1
    )
    reference = forms.CharField(
        label=gettext_lazy("Riferimento dell'ordine"),
        help_text=gettext_lazy("Per lo stesso cliente e tipo, un ordine si accredita una volta sola."),
        max_length=48,
    )

    def __init__(self, supply: Supply, *arguments: Any, **named: Any) -> None:
        """Offer the types that the service sells, each with what is left of it."""
        super().__init__(*arguments, **named)
        left = {counter.type: counter.free for counter in supply.counters}
        offered = [each for each in Validation if policy_slots.stock_type(each) in left]
        field = self.fields["validation"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above; tells the type checker
        field.choices = [(each.value, _offer(each, left[policy_slots.stock_type(each)])) for each in offered]


class SlotsPage(PanelPage):
    """Attivazioni."""

    slug = "attivazioni"
    title = gettext_lazy("Attivazioni")
    icon = "exchange-circle"
    group = SMIME
    url_name = "slots"

    def pages(self) -> Sequence[URLPattern]:
        """The list, crediting, taking back."""
        credit, withdraw = confirmed_recently(self.credit), confirmed_recently(self.withdraw)
        return [
            path("", self.at_desk(require_safe(self.show_list)), name="slots"),
            path("accredita/<int:agreement>/", self.at_desk(credit), name="credit_slots"),
            path("<str:code>/ritira/", self.at_desk(withdraw), name="withdraw_slot"),
        ]

    def is_open_to(self, desk: Desk) -> bool:
        """Where S/MIME is sold."""
        return desk.service.flow == Flow.SMIME

    def show_list(self, request: HttpRequest) -> HttpResponse:
        """Show the activations of the scope, newest first, and where more can be credited."""
        desk = at(request)
        page = page_of(_in_scope(desk), request.GET)
        context = {
            **self.admin_site.each_context(request),
            "page": page,
            "rows": [(slot, badge_of(slot), _may_withdraw(desk, slot)) for slot in page.rows],
            "supplies": supplies_of(list(_creditable(desk))),
            "title": self.title,
        }
        return render(request, "admin/smime/slots.html", context)

    def credit(self, request: HttpRequest, agreement: int) -> HttpResponse:
        """GET asks who has bought what, POST credits it."""
        desk = at(request)
        row = _creditable(desk).filter(pk=agreement).first()
        if row is None:
            raise Http404
        (supply,) = supplies_of([row])
        form = CreditForm(supply, request.POST if request.method == "POST" else None)
        question = Question(
            title=_("Accredita attivazioni"),
            action=_("Accredita le attivazioni"),
            back=reverse("admin:slots"),
            facts=[(_("CDRL"), row.centre), (_("Servizio"), row.service)],
            consequence=[
                _("Ogni attivazione prenota un certificato della giacenza, che si scarica all'emissione."),
                _("Il cliente riceve un'e-mail con l'accesso all'Area clienti; se non ha un account, viene creato."),
            ],
            form=form,
        )

        def deed() -> list[Slot]:
            who = {"centre_id": row.centre_id, "service_id": row.service_id, "operator": desk.operator, "now": desk.now}
            return slots.credit_slots(**form.cleaned_data | who)

        return ask_or_do(request, self, question, deed, _("Attivazioni accreditate: il cliente viene avvisato."))

    def withdraw(self, request: HttpRequest, code: str) -> HttpResponse:
        """GET asks, POST takes the activation back."""
        desk = at(request)
        slot = _in_scope(desk).filter(code=code).first()
        if slot is None or not _may_credit(desk, slot.centre_id):
            raise Http404
        question = Question(
            title=_("Ritira l'attivazione"),
            action=_("Ritira l'attivazione"),
            back=reverse("admin:slots"),
            facts=_facts(slot),
            consequence=[
                _("Il cliente non la può più usare. Il certificato prenotato torna disponibile nella giacenza."),
            ],
            is_risky=True,
        )

        def deed() -> Slot:
            return slots.withdraw_slot(slot.code, operator=desk.operator, now=desk.now)

        return ask_or_do(request, self, question, deed, _("Attivazione ritirata."))


def badge_of(slot: Slot) -> Badge:
    """How an activation stands."""
    state = SlotState(slot.state)
    return Badge(*_LOOKS[state], _(state.label))


def _offer(validation: Validation, free: int) -> str:
    return _("%(type)s (%(free)d disponibili)") % {"type": _(validation.label), "free": free}


def _in_scope(desk: Desk) -> QuerySet[Slot]:
    mine = Slot.objects.filter(centre_id__in=desk.scope.centre_ids, service_id__in=desk.scope.service_ids)
    return mine.select_related("owner", "centre", "service")


def _creditable(desk: Desk) -> QuerySet[Agreement]:
    """Agreements under which this operator credits; the use case asks again."""
    inside = Agreement.objects.filter(centre_id__in=desk.scope.centre_ids, service_id__in=desk.scope.service_ids)
    sold = inside.filter(service__flow=Flow.SMIME).select_related("centre", "service__successor")
    if desk.is_administrator:
        return sold
    return sold.filter(centre_id__in=[centre for centre in desk.roles if desk.manages(centre)])


def _may_credit(desk: Desk, centre_id: int) -> bool:
    return desk.is_administrator or desk.manages(centre_id)


def _may_withdraw(desk: Desk, slot: Slot) -> bool:
    return slot.state == SlotState.FREE and _may_credit(desk, slot.centre_id)


def _facts(slot: Slot) -> list[tuple[str, Any]]:
    return [
        (_("Codice"), slot.code),
        (_("Cliente"), slot.owner.full_name or slot.owner.email),
        (_("Tipo di certificato"), _(Validation(slot.validation).label)),
        (_("CDRL"), slot.centre),
        (_("Riferimento dell'ordine"), slot.reference),
        (_("Giacenza"), _(CertificateType(policy_slots.stock_type(slot.validation)).label)),
    ]
