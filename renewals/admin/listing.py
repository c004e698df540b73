"""The list of cases: urged ones first, then those to authorise by deadline, then the rest, newest first; by keyset.

Ordered segments make one sequence. A page reads at most its own length from each, so that its cost does not depend on
how many cases there are; the number of statements is fixed. Narrowed to a deadline, the list is one segment in the
order of that deadline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet, Value
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cms.admin.counting import BOUND, bounded_counts
from cms.admin.desk import Desk
from cms.admin.paging import LONGEST_NUMBER
from cms.admin.words import bounded
from cms.models import Service
from cms.scope import Scope
from renewals import queries
from renewals.admin import badges
from renewals.admin.filters import AUTHORISATIONS, SIZES, STATES, TO_AUTHORISE, Filters, Select, selects, words
from renewals.models import RenewalCase

PAGE = SIZES[0]
MOST_PARTS = 12
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the list, ordered by the column `instant` and the id; without one the newest come first."""

    name: str
    condition: Q
    instant: str = ""

    def order(self, *, backwards: bool) -> tuple[str, ...]:
        """Columns of ORDER BY."""
        forwards = (self.instant, "pk") if self.instant else ("-pk",)
        return (
            tuple(name.removeprefix("-") if name[0] == "-" else f"-{name}" for name in forwards)
            if backwards
            else forwards
        )


_URGED = Segment("u", TO_AUTHORISE & Q(urged_at__isnull=False), "old_not_after")
_WAITING = Segment("a", TO_AUTHORISE & Q(urged_at__isnull=True), "old_not_after")
_REST = Segment("b", ~TO_AUTHORISE)
_DUE = Segment("d", Q(due_at__isnull=False), "due_at")
_SEGMENTS = {segment.name: segment for segment in (_URGED, _WAITING, _REST, _DUE)}
_ASKED = {"scadenza", "canale", "flusso", "durata"}
_RANKS = {"u": 0, "a": 1, "b": 2, "d": 0}


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two rows: a segment, the instant by which it is ordered, and the id."""

    segment: str
    instant: datetime
    pk: int

    @classmethod
    def of(cls, case: RenewalCase, segments: Sequence[Segment]) -> Position:
        """Where this row stands."""
        if _DUE in segments:
            return cls("d", case.due_at or case.old_not_after, case.pk)
        if not badges.is_waiting(case):
            return cls("b", case.old_not_after, case.pk)
        return cls("a" if case.urged_at is None else "u", case.old_not_after, case.pk)

    @classmethod
    def read(cls, text: str | None) -> Position | None:
        """Read what `__str__` wrote; anything else is the start."""
        try:
            segment, microseconds, pk = (text or "").split("-")
            place = cls(segment, _EPOCH + timedelta(microseconds=int(microseconds)), int(pk[:LONGEST_NUMBER]))
        except (ValueError, OverflowError):
            return None
        return place if segment in _SEGMENTS else None

    def __str__(self) -> str:
        return f"{self.segment}-{(self.instant - _EPOCH) // _MICROSECOND}-{self.pk}"

    @property
    def key(self) -> tuple[Any, ...]:
        """Sorts as the list does."""
        rank = _RANKS[self.segment]
        return (rank, -self.pk) if self.segment == "b" else (rank, self.instant, self.pk)

    def beyond(self, segment: Segment, *, backwards: bool) -> Q | None:
        """Rows of a segment after (or before) this place; None where there are none."""
        rank, own = _RANKS[segment.name], _RANKS[self.segment]
        if rank != own:
            return Q() if (rank > own) != backwards else None
        if not segment.instant:
            return Q(pk__gt=self.pk) if backwards else Q(pk__lt=self.pk)
        way = "lt" if backwards else "gt"
        same = Q(**{segment.instant: self.instant, f"pk__{way}": self.pk})
        return Q(**{f"{segment.instant}__{way}": self.instant}) | same


@dataclass(frozen=True, slots=True)
class Chip:
    """One choice of a filter; the address of a chosen one takes it off."""

    word: str
    address: str
    count: str = ""
    is_chosen: bool = False
    is_all: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """What the list page shows."""

    cases: list[RenewalCase]
    previous: str
    next: str
    states: list[Chip]
    authorisations: list[Chip]
    chosen: list[Chip]
    """What is chosen in the form or was searched for: each chip takes its own off."""
    selects: list[Select]
    sizes: list[Chip]
    filters: Filters
    kept: list[tuple[str, str]]
    """What stays in the address when the form is sent."""
    is_by_deadline: bool


def page_of(desk: Desk, query: QueryDict) -> Page:
    """Read one page: one statement for the services, two for the rows, one for all counts."""
    filters = Filters.read(query)
    services = list(Service.objects.filter(pk__in=desk.scope.service_ids).select_related("successor"))
    scoped = filters.narrowed(queries.in_scope(desk.scope), services, desk.now)
    segments = [_DUE] if filters.deadline else [_URGED, _WAITING, _REST]
    place, backwards = Position.read(query.get("prima") or query.get("dopo")), "prima" in query
    place = place if place is not None and _SEGMENTS[place.segment] in segments else None
    size = PAGE if filters.righe == SIZES[0] else filters.righe
    rows, has_more = _rows(_apart(shown(scoped, filters), desk.scope), segments, place, size, backwards=backwards)
    has_previous = has_more if backwards else place is not None
    has_next = place is not None if backwards else has_more
    states, authorisations = _counted(filters, scoped)
    return Page(
        cases=rows,
        previous=filters.address(prima=Position.of(rows[0], segments)) if rows and has_previous else "",
        next=filters.address(dopo=Position.of(rows[-1], segments)) if rows and has_next else "",
        states=states,
        authorisations=authorisations,
        chosen=_chosen(filters, rows),
        selects=selects(filters, services),
        sizes=[Chip(str(one), filters.address(righe=one), is_chosen=one == filters.righe) for one in SIZES],
        filters=filters,
        kept=[pair for pair in filters.pairs if pair[0] not in _ASKED],
        is_by_deadline=filters.deadline is not None,
    )


def shown(scoped: QuerySet[RenewalCase], filters: Filters) -> QuerySet[RenewalCase]:
    """Narrow to the chosen state and authorisation as well."""
    by_state, by_answer = STATES.get(filters.stato), AUTHORISATIONS.get(filters.autorizzazione)
    return scoped.filter(by_state[1] if by_state else Q(), by_answer[1] if by_answer else Q())


def _apart(cases: QuerySet[RenewalCase], scope: Scope) -> list[QuerySet[RenewalCase]]:
    """Split by centre and service, where these are few: each part stands in an index in the order of the page.

    Together they would have to be sorted, all of them, for one page of some.
    """
    places = [(centre, service) for centre in sorted(scope.centre_ids) for service in sorted(scope.service_ids)]
    if len(places) > MOST_PARTS:
        return [cases]
    return [cases.filter(centre_id=centre, service_id=service) for centre, service in places]


def _rows(
    parts: list[QuerySet[RenewalCase]],
    segments: Sequence[Segment],
    place: Position | None,
    size: int,
    *,
    backwards: bool,
) -> tuple[list[RenewalCase], bool]:
    """Read the keys of a page from every part of every segment in one statement, then the rows that are shown."""
    wanted = []
    for segment in segments:
        beyond = place.beyond(segment, backwards=backwards) if place else Q()
        if beyond is None:
            continue
        for part in parts:
            found = part.filter(segment.condition, beyond).order_by(*segment.order(backwards=backwards))
            key = (Value(segment.name), F(segment.instant or "old_not_after"), F("pk"))
            wanted.append(found.values_list(*key)[: size + 1])
    keys = list(wanted[0].union(*wanted[1:], all=True)) if wanted else []
    places = sorted((Position(*key) for key in keys), key=lambda one: one.key, reverse=backwards)
    ids = [one.pk for one in places[:size]]
    rows = RenewalCase.objects.select_related("holder", "card", "centre").in_bulk(ids)
    page = [rows[pk] for pk in ids if pk in rows]
    return (page[::-1] if backwards else page), len(places) > size


def _counted(filters: Filters, scoped: QuerySet[RenewalCase]) -> tuple[list[Chip], list[Chip]]:
    with_answer, with_state = (
        shown(scoped, replace(filters, stato="")),
        shown(scoped, replace(filters, autorizzazione="")),
    )
    sets = {"s:": with_answer, "a:": with_state}
    sets |= {f"s:{slug}": with_answer.filter(condition) for slug, (_label, condition) in STATES.items()}
    sets |= {f"a:{slug}": with_state.filter(condition) for slug, (_label, condition) in AUTHORISATIONS.items()}
    counts = bounded_counts(sets)
    states = {"": _("Tutti")} | {slug: _(str(label)) for slug, (label, _condition) in STATES.items()}
    answers = {"": _("Tutte")} | {slug: str(label) for slug, (label, _condition) in AUTHORISATIONS.items()}
    return _chips(filters, "stato", "s", states, counts), _chips(filters, "autorizzazione", "a", answers, counts)


def _chips(filters: Filters, name: str, key: str, choices: dict[str, str], counts: dict[str, int]) -> list[Chip]:
    current = getattr(filters, name)
    return [
        Chip(
            word,
            filters.address(**{name: "" if slug == current else slug}),
            bounded(counts[f"{key}:{slug}"], BOUND),
            is_chosen=slug == current,
            is_all=not slug,
        )
        for slug, word in choices.items()
    ]


def _chosen(filters: Filters, rows: list[RenewalCase]) -> list[Chip]:
    """Who or what was searched for, named from rows that the operator sees anyway, and the form's choices."""
    chips = [Chip(word, filters.address(**change)) for word, change in words(filters)]
    if filters.carta:
        said = _("Carta: %(serial)s") % {"serial": rows[0].card} if rows else _("Carta cercata")
        chips.insert(0, Chip(said, filters.address(carta=None)))
    if filters.titolare:
        chips.insert(0, Chip(_holders(filters, rows), filters.address(titolare=())))
    return chips


def _holders(filters: Filters, rows: list[RenewalCase]) -> str:
    many = len(filters.titolare)
    if many == 1 and rows:
        return _("Titolare: %(name)s") % {"name": rows[0].holder}
    return ngettext("%d titolare cercato", "%d titolari cercati", many) % many
