"""Ricerca eventi: what happened under the chosen service, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from cms.admin import subjects
from cms.admin.desk import Desk, at
from cms.admin.paging import page_of
from cms.admin.site import SERVICES, PanelAdmin
from cms.admin.words import Badge
from cms.events import VERBS
from cms.models import Card, Event, User
from cms.states import Channel, Outcome

_LOOKS = {
    Outcome.DONE: ("ok", "check"),
    Outcome.REFUSED: ("danger", "close-circle"),
    Outcome.FAILED: ("danger", "error"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One event as the list shows it."""

    event: Event
    what: str
    who: str
    channel: str
    outcome: Badge
    card: Card | None
    leads_to_case: bool


class EventAdmin(PanelAdmin):
    """Gestione Servizi › Ricerca eventi."""

    slug = "eventi"
    title = gettext_lazy("Ricerca eventi")
    icon = "list"
    group = SERVICES
    url_name = "events"

    def pages(self) -> Sequence[URLPattern]:
        """List and search."""
        return [
            path("", self.at_desk(require_safe(self.show_list)), name="events"),
            path("cerca/", self.at_desk(require_POST(self.search)), name="find_events"),
        ]

    def show_list(self, request: HttpRequest) -> HttpResponse:
        """Show events of the scope."""
        return self._list(request)

    def search(self, request: HttpRequest) -> HttpResponse:
        """Narrow to the cards that were typed."""
        return subjects.led_to(request, "admin:events") or self._list(request, missed=request.POST.get("q", ""))

    def cases_in_reach(self, desk: Desk, codes: set[str]) -> set[str]:
        """Case codes that may be linked; whoever knows cases says more (`renewals.admin`)."""
        del desk, codes
        return set()

    def _list(self, request: HttpRequest, missed: str = "") -> HttpResponse:
        desk = at(request)
        cards = subjects.cards_of(desk, request.GET) if "carta" in request.GET else []
        found = events_of(desk)
        if "carta" in request.GET:
            found = found.filter(card_id__in=[card.pk for card in cards])
        page = page_of(found, request.GET)
        reach = self.cases_in_reach(desk, {event.case_code for event in page.rows if event.case_code})
        context = {
            **self.admin_site.each_context(request),
            "page": page,
            "rows": rows_of(page.rows, reach),
            "subject": subjects.said(cards),
            "missed": missed,
            "title": self.title,
        }
        return render(request, "admin/cms/events.html", context)


def events_of(desk: Desk) -> QuerySet[Event]:
    """Events of the operator's centres under the issuing services of the chosen one (rules.md R14)."""
    return Event.objects.filter(centre_id__in=desk.scope.centre_ids, service_id__in=desk.scope.service_ids)


def rows_of(events: list[Event], reach: set[str]) -> list[Row]:
    """Join names and serials, in one statement each: events hold ids only."""
    cards = Card.objects.select_related("holder").in_bulk({event.card_id for event in events if event.card_id})
    ids = {event.actor_id for event in events if event.actor_kind == "operator" and event.actor_id}
    operators = User.objects.in_bulk(ids)
    return [
        _row(event, cards.get(event.card_id or 0), operators.get(event.actor_id or 0), reach=reach) for event in events
    ]


def _row(event: Event, card: Card | None, operator: User | None, *, reach: set[str]) -> Row:
    who = {"system": _("Sistema"), "holder": _("Titolare")}.get(event.actor_kind) or str(operator or _("Operatore"))
    outcome = Outcome(event.outcome)
    return Row(
        event=event,
        what=VERBS.get(event.verb, event.verb),
        who=who,
        channel=str(Channel(event.channel).label),
        outcome=Badge(*_LOOKS[outcome], str(outcome.label)),
        card=card,
        leads_to_case=event.case_code in reach,
    )
