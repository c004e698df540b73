"""Oggi: what needs a person first, what the clock will do tonight, what is left on the shelf."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from cms.admin import counting
from cms.admin.counting import bounded_counts
from cms.admin.desk import Desk, at
from cms.admin.site import PanelPage
from cms.admin.words import Badge, bounded
from cms.models import Service
from cms.policy import ROME
from cms.states import Flow
from renewals import queries
from renewals.admin import badges, chart, decision, figures, todo
from renewals.admin.shelf import Outlook, Shelf, shelves_of
from renewals.models import RenewalCase
from renewals.states import Due


@dataclass(frozen=True, slots=True)
class Tile:
    """A number that leads to the list behind it."""

    word: str
    number: str
    note: str
    icon: str
    address: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A case that needs a person, and the instant that presses."""

    case: RenewalCase
    badges: Sequence[Badge]
    choices: decision.Choices
    word: str
    deadline: datetime


@dataclass(frozen=True, slots=True)
class Group:
    """Cases that press for the same reason."""

    title: str
    rows: list[Row]


class DashboardPage(PanelPage):
    """Oggi."""

    slug = "oggi"
    title = gettext_lazy("Oggi")
    icon = "calendar"
    url_name = "today"
    is_home = True

    def pages(self) -> Sequence[URLPattern]:
        """The one page."""
        return [path("", self.at_desk(require_safe(self.show)), name="today")]

    def is_open_to(self, desk: Desk) -> bool:
        """Where cards are renewed: of a service of S/MIME it would say every day that there is nothing to do."""
        return desk.service.flow != Flow.SMIME

    def show(self, request: HttpRequest) -> HttpResponse:
        """Read everything with a fixed number of bounded statements, and show it; lead elsewhere where it is closed."""
        desk = at(request)
        if not self.is_open_to(desk):
            return redirect("admin:index")
        context = {**self.admin_site.each_context(request), **overview_of(desk), "title": self.title}
        return render(request, "admin/renewals/dashboard.html", context)


def overview_of(desk: Desk) -> dict[str, Any]:
    """Everything that the page says."""
    tomorrow = desk.now + timedelta(days=1)
    services = list(Service.objects.filter(pk__in=desk.scope.service_ids))
    counts = figures.counts_of(desk.scope, services, desk.now)
    others = bounded_counts(
        {
            "waiting": queries.waiting_for_decision(desk.scope),
            "lapse": todo.lapsing_holds(desk, tomorrow),
        }
    )
    shelves = shelves_of(desk.scope, services)
    have = sum(shelf.pairs for shelf in shelves)
    outlooks = [Outlook(days, need, have) for days, need in counts.needed.items()]
    groups = _groups(desk)
    errands = todo.errands_of(desk, shelves)
    return {
        "stop": queries.stop_in_force(desk.now),
        "tiles": _tiles(counts, others["waiting"], shelves),
        "groups": groups,
        "errands": errands,
        "nothing_to_do": not groups and not errands,
        "tonight": _tonight({**counts.tonight, "lapse": others["lapse"]}),
        "rehearsal_address": f"{reverse('admin:rehearsal')}?al={tomorrow.astimezone(ROME):%Y-%m-%dT%H:%M}",
        "outlooks": _bars(outlooks),
        "pairs": have,
        "shelves": shelves,
        "weeks": counts.weeks,
        "weeks_chart": chart.weeks_chart(counts.weeks),
        "patterns": chart.patterns(),
        "legend": chart.legend(counts.weeks),
        "week_rows": _week_rows(counts.weeks),
    }


def _tiles(counts: figures.Counts, waiting: int, shelves: list[Shelf]) -> list[Tile]:
    cases, bound = reverse("admin:cases"), counting.BOUND
    return [
        Tile(
            _("Da autorizzare"),
            bounded(waiting, bound),
            _("rinnovi firmati che attendono il CDRL"),
            "pencil",
            f"{cases}?autorizzazione=da-autorizzare",
            "wait" if waiting else "",
        ),
        Tile(
            _("In scadenza"),
            bounded(counts.within_week, bound),
            _("pratiche con un'azione automatica entro 7 giorni"),
            "clock",
            f"{cases}?scadenza=7",
            "wait" if counts.within_week else "",
        ),
        Tile(
            _("Sospesi"),
            bounded(counts.held, bound),
            _("rinnovi sospesi per mancata autorizzazione"),
            "lock",
            f"{cases}?scadenza=revoca",
            "danger" if counts.held else "",
        ),
        _shelf_tile(shelves),
    ]


def _shelf_tile(shelves: list[Shelf]) -> Tile:
    word, address = _("Giacenza minima"), reverse("admin:stocks")
    if not shelves:
        return Tile(word, "–", _("nessun accordo per questo servizio"), "chart-line", address)
    least = shelves[0]
    unit = ngettext("coppia di certificati", "coppie di certificati", least.pairs)
    note = f"{unit} · {least.centre}" if len(shelves) > 1 else unit
    if least.short:
        note = _("%(note)s, manca %(type)s") % {"note": note, "type": least.short}
    role = ("danger" if not least.pairs else "wait") if least.is_low else ""
    return Tile(word, str(least.pairs), note, "chart-line", address, role)


def _groups(desk: Desk) -> list[Group]:
    """Cases under three headings, none of them twice; two statements."""
    first = figures.first_cases(desk.scope, desk.now)
    related = queries.in_scope(desk.scope).select_related("holder", "card", "centre")
    cases = related.in_bulk([case_id for ids in first.values() for case_id in ids])
    titles = {
        "urged": _("Sollecitati dal titolare"),
        "waiting": _("Da autorizzare, prima quelli che verrebbero sospesi prima"),
        "held": _("Sospesi, prima quelli che verrebbero revocati prima"),
    }
    groups = [
        Group(title, [_row(cases[case_id], desk) for case_id in first[kind] if case_id in cases])
        for kind, title in titles.items()
    ]
    return [group for group in groups if group.rows]


def _row(case: RenewalCase, desk: Desk) -> Row:
    due = _(Due(case.due_kind).label) if case.due_kind else _("Vecchia scadenza")
    return Row(case, badges.progress(case), decision.choices(case, desk), str(due), case.due_at or case.old_not_after)


def _tonight(counts: dict[str, int]) -> list[tuple[str, str, bool]]:
    """Automatic actions of the next 24 hours: words, number, whether there are any."""
    words = {
        "open": _("Pratiche che si aprono, con la prima comunicazione"),
        Due.EXPIRE.value: _("Pratiche che scadono senza nuovi certificati"),
        Due.SUSPEND.value: _("Sospensioni per mancata autorizzazione"),
        Due.REVOKE.value: _("Revoche definitive al 121º giorno"),
        "lapse": _("Revoche di certificati sospesi per altra causa"),
    }
    return [(word, bounded(counts[kind], counting.BOUND), counts[kind] > 0) for kind, word in words.items()]


def _bars(outlooks: list[Outlook]) -> list[dict[str, Any]]:
    most = max(max(outlook.need, outlook.have) for outlook in outlooks)
    return [
        {
            "outlook": outlook,
            "need": bounded(outlook.need, counting.BOUND),
            "bar": chart.level(outlook.have, outlook.need, most),
        }
        for outlook in outlooks
    ]


def _week_rows(weeks: list[figures.Week]) -> list[tuple[figures.Week, list[int]]]:
    return [(week, [week.counts.get(state.value, 0) for state, _tone, _path in chart.PATTERNS]) for week in weeks]
