"""Messaggi: the mails of the scope, what became of each, and sending one again."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from cms.admin.counting import BOUND, bounded_counts
from cms.admin.desk import Desk, at
from cms.admin.paging import PAGE
from cms.admin.site import OFFICE, PanelAdmin
from cms.admin.words import Badge, bounded
from notifications import queries as outbox
from notifications.models import UNDELIVERED, OutboxMessage
from notifications.states import MessageState
from renewals import queries
from renewals.admin.letters import Step, badge_of, brings_code, obstacle, title_of, way_of
from renewals.admin.listing import Chip
from renewals.admin.previews import Previews
from renewals.models import RenewalCase
from runtime import fence

_OUTCOMES: dict[str, tuple[Any, Q]] = {
    "": (gettext_lazy("Tutti"), Q()),
    "non-consegnati": (gettext_lazy("Non consegnati"), Q(state__in=UNDELIVERED)),
    "in-coda": (gettext_lazy("In coda"), Q(state=MessageState.QUEUED)),
    "inviati": (gettext_lazy("Inviati"), Q(state=MessageState.SENT)),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One message as the list shows it; `case` where it can be opened under the chosen service."""

    message: OutboxMessage
    title: str
    badge: Badge
    case: RenewalCase | None
    may_resend: bool
    brings_code: bool
    way: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits in the whole installation, for administrators: how many (`1000+` beyond the bound), and since when."""

    depth: str
    since: datetime | None


class MessageAdmin(PanelAdmin):
    """Ufficio › Messaggi."""

    slug = "messaggi"
    title = gettext_lazy("Messaggi")
    icon = "mail"
    group = OFFICE
    url_name = "messages"
    waiting_words = gettext_lazy("non consegnati")

    def pages(self) -> Sequence[URLPattern]:
        """The list; a message is sent again on the page of its case."""
        return [path("", self.at_desk(require_safe(self.show_list)), name="messages"), *Previews(self).pages()]

    def waiting(self, desk: Desk) -> QuerySet[Any] | None:
        """Messages that were refused or came back."""
        return _messages(desk).filter(state__in=UNDELIVERED)

    def show_list(self, request: HttpRequest) -> HttpResponse:
        """Show the messages of the scope, newest first."""
        desk = at(request)
        chosen = request.GET.get("esito", "")
        chosen = chosen if chosen in _OUTCOMES else ""
        rows, previous, following = _page(_messages(desk).filter(_OUTCOMES[chosen][1]), chosen, request.GET)
        context = {
            **self.admin_site.each_context(request),
            "chips": _chips(desk, chosen),
            "rows": _rows(desk, rows),
            "page": {"previous": previous, "next": following},
            "is_filtered": bool(chosen),
            "queue": _queue(desk) if desk.is_administrator else None,
            "title": self.title,
        }
        return render(request, "admin/renewals/messages.html", context)


def _queue(desk: Desk) -> Queue:
    """Figures alone, no row of anybody: so the fence is left for these two statements, and stood behind again."""
    fence_before = fence.standing()
    fence.stand_in_the_open()
    try:
        depth = bounded_counts({"waiting": outbox.waiting()})["waiting"]
        age = outbox.oldest_waiting(at=desk.now)
    finally:
        if fence_before is not None:
            fence.stand_behind(fence_before)
    return Queue(bounded(depth, BOUND), None if age is None else desk.now - age)


def _messages(desk: Desk) -> QuerySet[OutboxMessage]:
    return outbox.in_scope(desk.scope.centre_ids, desk.scope.service_ids)


def _chips(desk: Desk, chosen: str) -> list[Chip]:
    counts = bounded_counts({slug: _messages(desk).filter(condition) for slug, (_word, condition) in _OUTCOMES.items()})
    return [
        Chip(
            str(word),
            _address("" if slug == chosen else slug),
            bounded(counts[slug], BOUND),
            is_chosen=slug == chosen,
            is_all=not slug,
        )
        for slug, (word, _condition) in _OUTCOMES.items()
    ]


def _page(found: QuerySet[OutboxMessage], chosen: str, query: QueryDict) -> tuple[list[OutboxMessage], str, str]:
    """Messages of a page by their ids, which grow with time, and the addresses beside it."""
    newer, older = _place(query.get("prima")), _place(query.get("dopo"))
    if newer is not None:
        rows = list(found.filter(pk__gt=newer).order_by("pk")[: PAGE + 1])
        has_newer, has_older, rows = len(rows) > PAGE, True, rows[:PAGE][::-1]
    else:
        found = found if older is None else found.filter(pk__lt=older)
        rows = list(found.order_by("-pk")[: PAGE + 1])
        has_newer, has_older, rows = older is not None, len(rows) > PAGE, rows[:PAGE]
    previous = _address(chosen, prima=rows[0].pk) if rows and has_newer else ""
    return rows, previous, _address(chosen, dopo=rows[-1].pk) if rows and has_older else ""


def _place(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None


def _address(chosen: str, **place: uuid.UUID) -> str:
    query = QueryDict(mutable=True)
    query.update({**({"esito": chosen} if chosen else {}), **{name: str(pk) for name, pk in place.items()}})
    return f"?{query.urlencode()}"


def _rows(desk: Desk, messages: list[OutboxMessage]) -> list[Row]:
    codes = {message.case_code for message in messages if message.case_code}
    cases = {case.code: case for case in queries.in_scope(desk.scope).filter(code__in=codes).select_related("holder")}
    return [_row(desk, message, cases.get(message.case_code)) for message in messages]


def _row(desk: Desk, message: OutboxMessage, case: RenewalCase | None) -> Row:
    may_act = case is not None and desk.may_decide(case.centre_id)
    may_resend = may_act and not obstacle(message)
    return Row(
        message, title_of(message.kind), badge_of(message), case, may_resend, brings_code(message), way_of(message)
    )
