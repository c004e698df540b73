"""The list of cases: those to authorise first, by deadline, then the rest, newest first; paged by keyset.

Two ordered segments make one sequence. A page reads at most its own length from each, so that its cost does not depend
on how many cases there are; the number of statements is fixed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cms.admin.counting import BOUND, bounded_counts
from cms.admin.desk import Desk
from cms.admin.paging import LONGEST_NUMBER, number
from cms.admin.words import bounded
from renewals import queries
from renewals.admin import badges
from renewals.models import RenewalCase
from renewals.states import SIGNED_STATES, Authorisation, CaseState

PAGE = 25
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TO_AUTHORISE = Q(authorisation=Authorisation.PENDING, state__in=SIGNED_STATES)

_FORWARDS = {"a": ("old_not_after", "pk"), "b": ("-pk",)}
_BACKWARDS = {"a": ("-old_not_after", "-pk"), "b": ("pk",)}

AUTHORISATIONS = {
    "da-autorizzare": (gettext_lazy("Da autorizzare"), _TO_AUTHORISE),
    "approvata": (gettext_lazy("Approvata"), Q(authorisation=Authorisation.APPROVED)),
    "non-approvata": (gettext_lazy("Non approvata"), Q(authorisation=Authorisation.REFUSED)),
    "non-richiesta": (gettext_lazy("Non richiesta"), Q(authorisation=Authorisation.NOT_REQUIRED)),
}
STATES = {label.lower().replace(" ", "-"): (label, Q(state=value)) for value, label in CaseState.choices}


@dataclass(frozen=True, slots=True)
class Filters:
    """What stands in the address. Never a name, a codice fiscale or a serial: addresses end up in logs."""

    state: str = ""
    authorisation: str = ""
    holder_id: int | None = None
    card_id: int | None = None

    @classmethod
    def read(cls, query: QueryDict) -> Filters:
        """Read the address; what is not known is left out."""
        state, authorisation = query.get("stato", ""), query.get("autorizzazione", "")
        return cls(
            state=state if state in STATES else "",
            authorisation=authorisation if authorisation in AUTHORISATIONS else "",
            holder_id=number(query.get("titolare")),
            card_id=number(query.get("carta")),
        )

    def address(self, **changes: Any) -> str:
        """Query string with these changes; empty values fall out."""
        values = {
            "stato": self.state,
            "autorizzazione": self.authorisation,
            "titolare": self.holder_id,
            "carta": self.card_id,
        } | changes
        query = QueryDict(mutable=True)
        query.update({name: str(value) for name, value in values.items() if value})
        return f"?{query.urlencode()}"

    def of_subject(self, cases: QuerySet[RenewalCase]) -> QuerySet[RenewalCase]:
        """Only the cases of the person or card that was searched for."""
        if self.holder_id:
            cases = cases.filter(holder_id=self.holder_id)
        return cases.filter(card_id=self.card_id) if self.card_id else cases


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two rows: segment `a` (to authorise) by expiry and id, segment `b` (the rest) by id."""

    segment: str
    instant: datetime
    pk: int

    @classmethod
    def of(cls, case: RenewalCase) -> Position:
        """Where this row stands."""
        return cls("a" if badges.is_waiting(case) else "b", case.old_not_after, case.pk)

    @classmethod
    def read(cls, text: str | None) -> Position | None:
        """Read what `__str__` wrote; anything else is the start."""
        try:
            segment, microseconds, pk = (text or "").split("-")
            place = cls(segment, _EPOCH + timedelta(microseconds=int(microseconds)), int(pk[:LONGEST_NUMBER]))
        except (ValueError, OverflowError):
            return None
        return place if segment in {"a", "b"} else None

    def __str__(self) -> str:
        return f"{self.segment}-{(self.instant - _EPOCH) // _MICROSECOND}-{self.pk}"

    @property
    def key(self) -> tuple[Any, ...]:
        """Sorts as the list does."""
        return (0, self.instant, self.pk) if self.segment == "a" else (1, -self.pk)

    def beyond(self, segment: str, *, backwards: bool) -> Q | None:
        """Rows of a segment after (or before) this place; None where there are none."""
        if segment != self.segment:
            return Q() if (segment > self.segment) != backwards else None
        if segment == "b":
            return Q(pk__gt=self.pk) if backwards else Q(pk__lt=self.pk)
        way = "lt" if backwards else "gt"
        return Q(**{f"old_not_after__{way}": self.instant}) | Q(
            **{"old_not_after": self.instant, f"pk__{way}": self.pk}
        )


@dataclass(frozen=True, slots=True)
class Chip:
    """One choice of a filter."""

    word: str
    address: str
    count: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Page:
    """What the list page shows."""

    cases: list[RenewalCase]
    previous: str
    next: str
    states: list[Chip]
    authorisations: list[Chip]
    subject: str
    subject_off: str
    is_filtered: bool


def page_of(desk: Desk, query: QueryDict) -> Page:
    """Read one page: two statements for the rows, one for all counts, one for the subject that was searched."""
    filters = Filters.read(query)
    scoped = filters.of_subject(queries.in_scope(desk.scope))
    by_state, by_answer = STATES.get(filters.state), AUTHORISATIONS.get(filters.authorisation)
    shown = scoped.filter(by_state[1] if by_state else Q(), by_answer[1] if by_answer else Q())
    backwards = "prima" in query
    rows, has_more = _rows(shown, Position.read(query.get("prima") or query.get("dopo")), backwards=backwards)
    came_from_somewhere = "prima" in query or "dopo" in query
    has_previous = has_more if backwards else came_from_somewhere
    has_next = came_from_somewhere if backwards else has_more
    states, authorisations = _chips(filters, scoped)
    return Page(
        cases=rows,
        previous=filters.address(prima=Position.of(rows[0])) if rows and has_previous else "",
        next=filters.address(dopo=Position.of(rows[-1])) if rows and has_next else "",
        states=states,
        authorisations=authorisations,
        subject=_subject(filters, rows),
        subject_off=filters.address(titolare="", carta=""),
        is_filtered=bool(filters.state or filters.authorisation),
    )


def _rows(shown: QuerySet[RenewalCase], place: Position | None, *, backwards: bool) -> tuple[list[RenewalCase], bool]:
    order = _BACKWARDS if backwards else _FORWARDS
    parts = {"a": shown.filter(_TO_AUTHORISE), "b": shown.exclude(_TO_AUTHORISE)}
    wanted = []
    for segment, rows in parts.items():
        beyond = place.beyond(segment, backwards=backwards) if place else Q()
        if beyond is not None:
            wanted.append(rows.filter(beyond).order_by(*order[segment]).values_list("pk", flat=True)[: PAGE + 1])
    ids = list(wanted[0].union(*wanted[1:], all=True)) if wanted else []
    related = RenewalCase.objects.select_related("holder", "card", "centre").filter(pk__in=ids)
    found = sorted(related, key=lambda case: Position.of(case).key, reverse=backwards)
    page = found[:PAGE]
    return (page[::-1] if backwards else page), len(found) > PAGE


def _chips(filters: Filters, scoped: QuerySet[RenewalCase]) -> tuple[list[Chip], list[Chip]]:
    by_state, by_answer = STATES.get(filters.state), AUTHORISATIONS.get(filters.authorisation)
    with_answer = scoped.filter(by_answer[1]) if by_answer else scoped
    with_state = scoped.filter(by_state[1]) if by_state else scoped
    sets = {"s:": with_answer, "a:": with_state}
    sets |= {f"s:{slug}": with_answer.filter(condition) for slug, (_label, condition) in STATES.items()}
    sets |= {f"a:{slug}": with_state.filter(condition) for slug, (_label, condition) in AUTHORISATIONS.items()}
    counts = bounded_counts(sets)
    states: dict[str, Any] = {"": _("Tutti")} | {slug: label for slug, (label, _condition) in STATES.items()}
    answers: dict[str, Any] = {"": _("Tutte")} | {slug: label for slug, (label, _condition) in AUTHORISATIONS.items()}
    return (
        [
            Chip(label, filters.address(stato=slug), bounded(counts[f"s:{slug}"], BOUND), slug == filters.state)
            for slug, label in states.items()
        ],
        [
            Chip(
                label,
                filters.address(autorizzazione=slug),
                bounded(counts[f"a:{slug}"], BOUND),
                slug == filters.authorisation,
            )
            for slug, label in answers.items()
        ],
    )


def _subject(filters: Filters, rows: list[RenewalCase]) -> str:
    """Name the person or card that was searched for, from rows that the operator sees anyway."""
    if not rows:
        return _("Ricerca") if filters.holder_id or filters.card_id else ""
    if filters.holder_id:
        return _("Titolare: %(name)s") % {"name": rows[0].holder}
    return _("Carta: %(serial)s") % {"serial": rows[0].card} if filters.card_id else ""
