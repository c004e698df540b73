"""Ricerca eventi: what happened under the chosen service, newest first; one event with its card's; the list as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from cms.admin import event_search, exports, subjects, words
from cms.admin.desk import Desk, at
from cms.admin.event_search import Filters
from cms.admin.site import SERVICES, PanelAdmin
from cms.admin.words import Badge
from cms.events import VERBS
from cms.models import Card, Certificate, Event, EventSeal, Holder, User
from cms.policy import ROME
from cms.queries import MOST_WAITING, seal_state
from cms.services import trail
from cms.states import Channel, Outcome

LONGEST_HISTORY = 100
_NAMES_OF_FACTS = {
    "filters": gettext_lazy("Filtri"),
    "note": gettext_lazy("Nota"),
    "not_after": gettext_lazy("Scadenza"),
    "quantity": gettext_lazy("Quantità"),
    "reference": gettext_lazy("Riferimento"),
    "request": gettext_lazy("Richiesta alla CA"),
    "serial": gettext_lazy("Numero di serie"),
    "type": gettext_lazy("Certificato"),
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
    holder: Holder | None
    leads_to_case: bool


class EventAdmin(PanelAdmin):
    """Gestione Servizi › Ricerca eventi."""

    slug = "eventi"
    title = gettext_lazy("Ricerca eventi")
    icon = "list"
    group = SERVICES
    url_name = "events"

    def pages(self) -> Sequence[URLPattern]:
        """List, search, export, one event."""
        return [
            path("", self.at_desk(require_safe(self.show_list)), name="events"),
            path("cerca/", self.at_desk(require_POST(self.search)), name="find_events"),
            path("esporta/", self.at_desk(require_POST(self.export)), name="export_events"),
            path("<int:pk>/", self.at_desk(require_safe(self.show_event)), name="event"),
        ]

    def show_list(self, request: HttpRequest) -> HttpResponse:
        """Show events of the scope."""
        return self._list(request)

    def search(self, request: HttpRequest) -> HttpResponse:
        """Narrow to the case, cards or people that were typed. By POST: an address ends up in logs."""
        typed = subjects.typed(request)
        code = self.case_code_of(typed)
        if code and event_search.read(at(request), Filters(subjects.Subject(), case_code=code).condition, most=1):
            return redirect(f"{reverse('admin:events')}?pratica={code}")
        return subjects.led_to(request, "admin:events") or self._list(request, missed=typed)

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """Send what the filters find as CSV, and leave a trace of who took it. By POST, because of the trace."""
        desk = at(request)
        filters = Filters.read(desk, request.GET)
        trail.record_export(
            centre_ids=desk.scope.centre_ids,
            service_id=desk.service.pk,
            filters=event_search.without(request.GET),
            operator=desk.operator,
            now=desk.now,
        )
        chunks = event_search.walked(desk, filters, most=exports.MOST_ROWS + 1)
        return exports.csv_answer(f"eventi-{desk.now:%Y%m%d-%H%M}", [str(name) for name in _COLUMNS], _cells(chunks))

    def show_event(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show one event with all that its card went through."""
        desk = at(request)
        event = _in_scope(desk).filter(pk=pk).first()
        if event is None:
            raise Http404
        history = list(_in_scope(desk).filter(card_id=event.card_id).order_by("-pk")[:LONGEST_HISTORY])
        reach = self._reach(desk, [event, *history])
        row = rows_of([event], reach)[0]
        context = {
            "row": row,
            "event": event,
            "certificate": _certificate(event),
            "facts": _facts(event),
            "seal": EventSeal.objects.filter(event=event).first(),
            "history": rows_of(history, reach) if event.card_id else [],
            "title": row.what,
        }
        return self._page(request, "event", context)

    def cases_in_reach(self, desk: Desk, codes: set[str]) -> set[str]:
        """Case codes that may be linked; whoever knows cases says more (`renewals.admin`)."""
        del desk, codes
        return set()

    def case_code_of(self, typed: str) -> str:
        """Read an *Id pratica* as it is stored; whoever knows cases knows how (`renewals.admin`)."""
        return typed.upper()

    def _list(self, request: HttpRequest, missed: str = "") -> HttpResponse:
        desk = at(request)
        filters = Filters.read(desk, request.GET)
        page = event_search.page_of(desk, filters, request.GET)
        context = {
            "page": page,
            "rows": rows_of(page.rows, self._reach(desk, page.rows)),
            "filters": filters,
            "chosen": filters.chips(request.GET),
            "kept": event_search.kept(request.GET),
            "verbs": sorted(((verb, _(word)) for verb, word in VERBS.items()), key=lambda item: item[1]),
            "channels": [(value, _(word)) for value, word in Channel.choices],
            "outcomes": [(value, _(word)) for value, word in Outcome.choices],
            "address": event_search.without(request.GET),
            "seal": seal_state(),
            "most_waiting": MOST_WAITING,
            "missed": missed,
            "title": self.title,
        }
        return self._page(request, "events", context)

    def _reach(self, desk: Desk, events: list[Event]) -> set[str]:
        return self.cases_in_reach(desk, {event.case_code for event in events if event.case_code})

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        return render(request, f"admin/cms/{name}.html", {**self.admin_site.each_context(request), **context})


def rows_of(events: list[Event], reach: set[str]) -> list[Row]:
    """Join names and serials, in one statement each: events hold ids only."""
    cards = Card.objects.in_bulk({event.card_id for event in events if event.card_id})
    holders = Holder.objects.in_bulk({event.holder_id for event in events if event.holder_id})
    ids = {event.actor_id for event in events if event.actor_kind == "operator" and event.actor_id}
    operators = User.objects.in_bulk(ids)
    return [
        Row(
            event=event,
            what=_(VERBS.get(event.verb, event.verb)),
            who=_who(event, operators),
            channel=_label(Channel, event.channel),
            outcome=words.outcome_badge(event.verb, event.outcome),
            card=cards.get(event.card_id or 0),
            holder=holders.get(event.holder_id or 0),
            leads_to_case=event.case_code in reach,
        )
        for event in events
    ]


def _in_scope(desk: Desk) -> Any:
    scope = desk.scope
    events = Event.objects.select_related("centre", "service")
    return events.filter(centre_id__in=scope.centre_ids, service_id__in=scope.service_ids)


def _who(event: Event, operators: dict[int, User]) -> str:
    named = {"system": _("Sistema"), "holder": _("Titolare")}.get(event.actor_kind)
    return named or str(operators.get(event.actor_id or 0) or _("Operatore"))


def _label(choices: Any, value: str) -> str:
    return _(choices(value).label) if value in choices.values else value


def _certificate(event: Event) -> Certificate | None:
    return Certificate.objects.filter(pk=event.certificate_id).first() if event.certificate_id else None


def _facts(event: Event) -> list[tuple[str, str]]:
    return [
        (str(_NAMES_OF_FACTS.get(name, name)), words.fact(name, value))
        for name, value in event.facts.items()
        if value not in ("", None)
    ]


_COLUMNS = (
    gettext_lazy("Data e ora"),
    gettext_lazy("Evento"),
    gettext_lazy("Esito"),
    gettext_lazy("Canale evento"),
    gettext_lazy("Chi"),
    gettext_lazy("Motivo"),
    gettext_lazy("Id pratica"),
    gettext_lazy("Titolare"),
    gettext_lazy("Codice fiscale"),
    gettext_lazy("Carta"),
    gettext_lazy("Nuova scadenza"),
    gettext_lazy("CDRL"),
    gettext_lazy("Servizio"),
)


def _cells(chunks: Iterator[list[Event]]) -> Iterator[list[exports.Cell]]:
    for chunk in chunks:
        for row in rows_of(chunk, set()):
            event = row.event
            yield [
                f"{event.at.astimezone(ROME):%d/%m/%Y %H:%M:%S}",
                row.what,
                row.outcome.word,
                row.channel,
                row.who,
                words.reason(event.reason),
                event.case_code,
                str(row.holder or ""),
                row.holder.tax_code if row.holder else "",
                row.card.serial if row.card else "",
                f"{event.new_not_after.astimezone(ROME):%d/%m/%Y}" if event.new_not_after else "",
                str(event.centre or ""),
                str(event.service or ""),
            ]
