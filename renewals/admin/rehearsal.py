"""Prova generale: what the clock would do at a chosen instant, with nothing executed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from cms.admin import counting
from cms.admin.counting import bounded_counts
from cms.admin.desk import Desk, at
from cms.admin.exports import Cell, csv_answer
from cms.admin.paging import LONGEST_NUMBER
from cms.admin.site import SERVICES, PanelPage
from cms.admin.words import Badge, bounded, instant
from cms.policy import ROME, rome_date
from renewals.admin import rehearsed
from renewals.services import foretold, rehearsal
from renewals.services.foretold import Foretold, Telling
from renewals.services.rehearsal import Place
from renewals.services.rounds import Sweep, Turn

PAGE = 25
FURTHEST = timedelta(days=731)
FORMAT = "%Y-%m-%dT%H:%M"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
SLUGS: dict[Sweep | Telling, str] = {
    Sweep.SUSPEND: "sospensioni",
    Sweep.LAPSE: "revoche",
    Sweep.LAPSE_HOLD: "revoche-120-giorni",
    Sweep.EXPIRE: "scadenze",
    Sweep.OPEN: "aperture",
    Telling.CASE: "avvisi",
    Telling.HOLD: "avvisi-sospensioni",
}
_SWEEPS = {slug: sweep for sweep, slug in SLUGS.items()}
_WORDS: dict[Sweep | Telling, Any] = {
    Sweep.SUSPEND: gettext_lazy("Sospensioni"),
    Sweep.LAPSE: gettext_lazy("Revoche: non autorizzati"),
    Sweep.LAPSE_HOLD: gettext_lazy("Revoche: altre sospensioni"),
    Sweep.EXPIRE: gettext_lazy("Pratiche scadute"),
    Sweep.OPEN: gettext_lazy("Finestre di rinnovo"),
    Telling.CASE: gettext_lazy("Avvisi ai titolari"),
    Telling.HOLD: gettext_lazy("Avvisi: altre sospensioni"),
}


class InstantForm(forms.Form):
    """The instant to rehearse, in Italian time."""

    al = forms.DateTimeField(
        label=gettext_lazy("Giorno e ora della prova"),
        input_formats=[FORMAT],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=FORMAT),
        error_messages={
            "required": gettext_lazy("Indichi giorno e ora."),
            "invalid": gettext_lazy("Scriva giorno e ora nella forma 2027-03-12T10:15."),
        },
    )

    def __init__(self, desk: Desk, data: QueryDict | dict[str, Any]) -> None:
        """Bind to what the address says."""
        super().__init__(data)
        self._now = desk.now

    def clean_al(self) -> datetime:
        """Neither past nor further than two years: nobody can act in the past, and the far future is not known."""
        typed: datetime = self.cleaned_data["al"]
        chosen = typed.replace(tzinfo=ROME)
        if chosen < self._now - timedelta(minutes=1):
            raise forms.ValidationError(_("L'istante è già passato: scelga un giorno e un'ora da adesso in poi."))
        if chosen > self._now + FURTHEST:
            raise forms.ValidationError(_("Scelga un istante entro due anni da oggi."))
        return chosen.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Tab:
    """One sweep: how many rows it would look at, and the address of its list."""

    word: str
    number: str
    address: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One row that is due, as the page shows it."""

    turn: Turn | Foretold
    what: list[str]
    badge: Badge
    mail: str
    then: str


class RehearsalPage(PanelPage):
    """Gestione Servizi › Prova generale."""

    slug = "prova-generale"
    title = gettext_lazy("Prova generale")
    icon = "clock"
    group = SERVICES
    url_name = "rehearsal"

    def pages(self) -> Sequence[URLPattern]:
        """The page and its CSV."""
        return [
            path("", self.at_desk(require_safe(self.show)), name="rehearsal"),
            path("elenco.csv", self.at_desk(require_POST(self.download)), name="rehearsal_csv"),
        ]

    def show(self, request: HttpRequest) -> HttpResponse:
        """Show what a round at the chosen instant would do, one sweep at a time."""
        desk = at(request)
        form = InstantForm(desk, request.GET if "al" in request.GET else {"al": written(_tomorrow(desk))})
        context = {
            **self.admin_site.each_context(request),
            "title": self.title,
            "form": form,
            "presets": _presets(desk),
            **(_rehearsed(desk, form.cleaned_data["al"], request.GET) if form.is_valid() else {}),
        }
        return render(request, "admin/renewals/rehearsal.html", context, status=200 if form.is_valid() else 422)

    def download(self, request: HttpRequest) -> HttpResponseBase:
        """Send the whole round as CSV; who took it, and when, is recorded."""
        desk = at(request)
        form = InstantForm(desk, request.POST)
        if not form.is_valid():
            return self.show(request)
        chosen = form.cleaned_data["al"]
        rehearsal.record_export(
            operator=desk.operator, scope=desk.scope, service=desk.service, chosen=chosen, now=desk.now
        )
        return csv_answer(
            f"prova-generale-{chosen.astimezone(ROME):%Y%m%d-%H%M}", rehearsed.head(), _lines(desk, chosen)
        )


def written(moment: datetime) -> str:
    """Write an instant as the field and the address do."""
    return f"{moment.astimezone(ROME):{FORMAT}}"


def _tomorrow(desk: Desk) -> datetime:
    """Eight in the morning of the next day: what one finds after the night."""
    return datetime.combine(rome_date(desk.now) + timedelta(days=1), time(8), tzinfo=ROME)


def _presets(desk: Desk) -> list[tuple[str, str]]:
    tomorrow = _tomorrow(desk)
    days = ((_("Domani mattina"), 0), (_("Tra 7 giorni"), 6), (_("Tra 30 giorni"), 29), (_("Tra 60 giorni"), 59))
    return [(word, f"?al={written(tomorrow + timedelta(days=more))}") for word, more in days]


def _rehearsed(desk: Desk, chosen: datetime, query: QueryDict) -> dict[str, Any]:
    sets = {sweep: _rows_due(sweep, chosen, desk) for sweep in SLUGS}
    counts = bounded_counts({sweep.value: rows for sweep, rows in sets.items()})
    sweep = _SWEEPS.get(query.get("cosa", "")) or next((name for name in SLUGS if counts[name.value]), Sweep.SUSPEND)
    base = f"?al={written(chosen)}"
    after = _read(query.get("dopo", ""))
    turns = _turns_of(sweep, chosen, desk, after)
    here = f"{base}&cosa={SLUGS[sweep]}"
    return {
        "chosen": chosen,
        "sweep": sweep,
        "word": _WORDS[sweep],
        "tabs": [
            Tab(str(_WORDS[name]), bounded(counts[name.value], counting.BOUND), f"{base}&cosa={slug}", name == sweep)
            for name, slug in SLUGS.items()
        ],
        "rows": [row_of(turn) for turn in turns[:PAGE]],
        "first": here if after else "",
        "next": f"{here}&dopo={_place(turns[PAGE - 1])}" if len(turns) > PAGE else "",
        "is_empty": not any(counts.values()),
    }


def _rows_due(sweep: Sweep | Telling, chosen: datetime, desk: Desk) -> QuerySet[Any]:
    if isinstance(sweep, Telling):
        return foretold.rows_due(sweep, now=chosen, scope=desk.scope)
    return rehearsal.rows_due(sweep, now=chosen, scope=desk.scope)


def _turns_of(
    sweep: Sweep | Telling, chosen: datetime, desk: Desk, after: Place | None
) -> Sequence[Turn] | Sequence[Foretold]:
    if isinstance(sweep, Telling):
        return foretold.foretold_of(sweep, now=chosen, today=desk.now, scope=desk.scope, after=after, most=PAGE + 1)
    return rehearsal.turns_of(sweep, now=chosen, scope=desk.scope, after=after, most=PAGE + 1)


def row_of(turn: Turn | Foretold) -> Row:
    """Say a turn, or what somebody would be told, in words."""
    if isinstance(turn, Foretold):
        return Row(
            turn=turn,
            what=rehearsed.told(turn),
            badge=rehearsed.told_badge(turn),
            mail=rehearsed.told_mail(turn),
            then=rehearsed.told_next(turn),
        )
    return Row(
        turn=turn,
        what=rehearsed.effects(turn),
        badge=rehearsed.badge(turn),
        mail=rehearsed.mail(turn),
        then=rehearsed.then(turn),
    )


def _lines(desk: Desk, chosen: datetime) -> Iterator[Sequence[Cell]]:
    for turn in rehearsal.walk(now=chosen, scope=desk.scope):
        yield [turn.holder.full_name, *rehearsed.cells(turn, instant)]
    for row in foretold.walk(now=chosen, today=desk.now, scope=desk.scope):
        for cells in rehearsed.told_cells(row, instant):
            yield [row.holder.full_name, *cells]


def _place(turn: Turn | Foretold) -> str:
    return f"{(turn.due_at - _EPOCH) // _MICROSECOND}-{turn.pk}"


def _read(text: str) -> Place | None:
    """Read what `_place` wrote; anything else is the start."""
    microseconds, _dash, pk = text.partition("-")
    if not (microseconds.isascii() and microseconds.isdigit() and pk.isascii() and pk.isdigit()):
        return None
    try:
        return Place(_EPOCH + int(microseconds) * _MICROSECOND, int(pk[:LONGEST_NUMBER]))
    except OverflowError:
        return None
