"""Contatori: how many renewals each centre can still issue under the chosen service, and where the units went."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django import forms
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from cms import events
from cms.actors import operator as operator_actor
from cms.admin.desk import Desk, at
from cms.admin.entrance import confirmed_recently
from cms.admin.exports import csv_answer, walked
from cms.admin.office import Question, ask_or_do
from cms.admin.paging import page_of
from cms.admin.site import OFFICE, PanelAdmin
from cms.admin.supplies import Supply, agreements_of, supplies_of
from cms.admin.words import instant
from cms.models import Agreement, PurchaseRequest, Stock, StockMovement
from cms.services import purchases, stock

MOST_WAITING = 20


class CorrectionForm(forms.Form):
    """How many units more or less, and why. `token` makes sending the form twice one correction."""

    change = forms.IntegerField(
        label=gettext_lazy("Variazione"),
        help_text=gettext_lazy(
            "Unità da aggiungere; con il segno meno, da togliere. Le unità prenotate non si toccano."
        ),
        min_value=-purchases.MOST_UNITS,
        max_value=purchases.MOST_UNITS,
    )
    reason = forms.CharField(
        label=gettext_lazy("Motivo"), help_text=gettext_lazy("Resta nel registro dei movimenti."), max_length=200
    )
    token = forms.UUIDField(widget=forms.HiddenInput)


class ThresholdForm(forms.Form):
    """From which balance on the centre is warned."""

    threshold = forms.IntegerField(
        label=gettext_lazy("Soglia"),
        help_text=gettext_lazy("Quando una giacenza scende a questo numero di unità, il CDRL riceve un avviso."),
        min_value=0,
        max_value=purchases.MOST_UNITS,
    )


class StockAdmin(PanelAdmin):
    """Contatori."""

    slug = "contatori"
    title = gettext_lazy("Contatori")
    icon = "chart-line"
    group = OFFICE
    url_name = "stocks"

    def pages(self) -> Sequence[URLPattern]:
        """What is left, one counter's ledger, and what managers and administrators change."""
        correct = confirmed_recently(self.correct)
        return [
            path("", self.at_desk(require_safe(self.show_list)), name="stocks"),
            path("<int:pk>/", self.at_desk(require_safe(self.show_ledger)), name="stock"),
            path("<int:pk>/movimenti.csv", self.at_desk(require_safe(self.download_ledger)), name="stock_ledger"),
            path("<int:pk>/rettifica/", self.at_desk(correct), name="correct_stock"),
            path("soglia/<int:agreement>/", self.at_desk(self.change_threshold), name="stock_threshold"),
        ]

    def show_list(self, request: HttpRequest) -> HttpResponse:
        """Show what each centre can still issue: pairs first, then the counters behind them."""
        desk = at(request)
        page = page_of(agreements_of(desk), request.GET)
        supplies = supplies_of(page.rows)
        waiting = PurchaseRequest.objects.filter(
            centre_id__in=desk.scope.centre_ids, service_id__in=desk.scope.service_ids, state__in=purchases.WAITING
        )
        context = {
            **self.admin_site.each_context(request),
            "supplies": [(supply, _buttons(desk, supply)) for supply in supplies],
            "waiting": waiting.select_related("centre", "service").order_by("pk")[:MOST_WAITING],
            "page": page,
            "title": self.title,
        }
        return render(request, "admin/cms/stocks.html", context)

    def show_ledger(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show a counter's movements with the running balance, newest first."""
        desk = at(request)
        counter = _in_scope(desk, pk)
        context = {
            **self.admin_site.each_context(request),
            "counter": counter,
            "page": page_of(_movements(counter), request.GET),
            "may_correct": desk.is_administrator,
            "title": _(counter.get_type_display()),
        }
        return render(request, "admin/cms/stock.html", context)

    def download_ledger(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Hand out all movements of a counter; who did it is recorded."""
        desk = at(request)
        counter = _in_scope(desk, pk)
        events.record(
            "stock.exported",
            actor=operator_actor(desk.operator),
            at=desk.now,
            centre_id=counter.centre_id,
            service_id=counter.service_id,
            facts={"type": counter.type},
        )
        head = [_("data"), _("movimento"), _("disponibili"), _("prenotati"), _("saldo"), _("pratica"), _("riferimento")]
        return csv_answer(f"movimenti-{counter.type}", [*head, _("motivo")], _lines(counter))

    def correct(self, request: HttpRequest, pk: int) -> HttpResponse:
        """GET asks by how much and why, POST corrects."""
        desk = at(request)
        counter = _in_scope(desk, pk)
        form = CorrectionForm(request.POST if request.method == "POST" else None, initial={"token": uuid.uuid4()})
        question = Question(
            title=_("Rettifica la giacenza"),
            action=_("Registra la rettifica"),
            back=reverse("admin:stock", args=[pk]),
            facts=[
                (_("CDRL"), counter.centre),
                (_("Servizio"), counter.service),
                (_("Certificato"), _(counter.get_type_display())),
                (_("Disponibili"), counter.free),
                (_("Prenotati"), counter.reserved),
            ],
            consequence=[_("La rettifica resta nel registro dei movimenti con il suo nome e il motivo.")],
            form=form,
        )

        def deed() -> StockMovement:
            return stock.correct_stock(
                counter.pk,
                change=form.cleaned_data["change"],
                reason=form.cleaned_data["reason"],
                reference=f"rettifica-{form.cleaned_data['token']}",
                operator=desk.operator,
                now=desk.now,
            )

        return ask_or_do(request, self, question, deed, _("Rettifica registrata."))

    def change_threshold(self, request: HttpRequest, agreement: int) -> HttpResponse:
        """GET asks for the threshold, POST stores it."""
        desk = at(request)
        row = agreements_of(desk).filter(pk=agreement).first()
        if row is None:
            raise Http404
        posted = request.POST if request.method == "POST" else None
        form = ThresholdForm(posted, initial={"threshold": row.low_stock_threshold})
        question = Question(
            title=_("Modifica la soglia"),
            action=_("Salva la soglia"),
            back=reverse("admin:stocks"),
            facts=[(_("CDRL"), row.centre), (_("Servizio"), row.service)],
            consequence=[
                _("L'avviso arriva a %(mailbox)s, una volta per ogni discesa.") % {"mailbox": row.centre.email}
            ],
            form=form,
        )

        def deed() -> Agreement:
            threshold = form.cleaned_data["threshold"]
            return purchases.change_threshold(row.pk, threshold=threshold, operator=desk.operator, now=desk.now)

        return ask_or_do(request, self, question, deed, _("Soglia salvata."))


@dataclass(frozen=True, slots=True)
class Buttons:
    """What this operator may do about a supply; the use cases ask again."""

    buys: bool
    sets_threshold: bool


def _buttons(desk: Desk, supply: Supply) -> Buttons:
    manages = desk.manages(supply.agreement.centre_id)
    return Buttons(manages, manages or desk.is_administrator)


def _in_scope(desk: Desk, pk: int) -> Stock:
    mine = Stock.objects.filter(centre_id__in=desk.scope.centre_ids, service_id__in=desk.scope.service_ids)
    counter = mine.select_related("centre", "service").filter(pk=pk).first()
    if counter is None:
        raise Http404
    return counter


def _movements(counter: Stock) -> QuerySet[StockMovement]:
    return StockMovement.objects.filter(stock=counter)


def _lines(counter: Stock) -> Iterator[Sequence[str | int | None]]:
    for chunk in walked(_movements(counter)):
        for row in chunk:
            what = _(row.get_kind_display())
            numbers = (row.free_change, row.reserved_change, row.free_after)
            yield instant(row.at), what, *numbers, row.case_code, row.reference, row.reason
