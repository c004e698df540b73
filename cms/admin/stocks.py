"""Contatori: how many certificates each centre can still issue under the chosen service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from cms.admin.desk import Desk, at
from cms.admin.site import PanelAdmin
from cms.admin.words import Badge
from cms.models import Agreement, Stock, StockMovement

NEWEST_MOVEMENTS = 20


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter and how it stands against its threshold."""

    stock: Stock
    threshold: int
    badge: Badge


class StockAdmin(PanelAdmin):
    """Contatori."""

    slug = "contatori"
    title = gettext_lazy("Contatori")
    icon = "chart-line"
    url_name = "stocks"

    def pages(self) -> Sequence[URLPattern]:
        """The list."""
        return [path("", self.at_desk(require_safe(self.show_list)), name="stocks")]

    def show_list(self, request: HttpRequest) -> HttpResponse:
        """Show counters of the scope, and their newest movements."""
        desk = at(request)
        stocks = Stock.objects.filter(
            centre_id__in=desk.scope.centre_ids, service_id__in=desk.scope.service_ids
        ).select_related("centre", "service")
        counters = _counters(desk, list(stocks.order_by("centre__name", "service__name", "type")))
        movements = StockMovement.objects.filter(stock_id__in=[counter.stock.pk for counter in counters])
        context = {
            **self.admin_site.each_context(request),
            "counters": counters,
            "movements": movements.select_related("stock__centre").order_by("-pk")[:NEWEST_MOVEMENTS],
            "title": self.title,
        }
        return render(request, "admin/cms/stocks.html", context)


def _counters(desk: Desk, stocks: list[Stock]) -> list[Counter]:
    agreements = Agreement.objects.filter(
        centre_id__in=desk.scope.centre_ids, service_id__in=desk.scope.service_ids
    ).values_list("centre_id", "service_id", "low_stock_threshold")
    thresholds = {(centre, service): threshold for centre, service, threshold in agreements}
    return [
        Counter(stock, threshold, _badge(stock, threshold))
        for stock in stocks
        for threshold in [thresholds.get((stock.centre_id, stock.service_id), 0)]
    ]


def _badge(stock: Stock, threshold: int) -> Badge:
    if stock.free == 0:
        return Badge("danger", "close-circle", _("Esaurita"))
    if stock.free < threshold:
        return Badge("wait", "warning-circle", _("Sotto soglia"))
    return Badge("ok", "check-circle", _("Sufficiente"))
