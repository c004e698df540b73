"""Filters and pages of *Ricerca eventi*: by instant, newest first, each page a range of an index.

Events are read for each centre apart, so that any number of centres costs its own short range, and merged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from cms.admin import words
from cms.admin.desk import Desk
from cms.admin.paging import LONGEST_NUMBER
from cms.admin.subjects import Subject, of_address
from cms.contacts import CONTROL
from cms.events import VERBS
from cms.models import Centre, Event
from cms.policy import ROME
from cms.states import Channel, Outcome

PAGE = 25
CHUNK = 500
LONGEST_CODE = 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NEWEST, _OLDEST = ("-at", "-pk"), ("at", "pk")
_YEARS = range(1990, 2200)
_SUBJECTS = ("carta", "titolare", "pratica")


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is on; its address is the page without it."""

    word: str
    address: str


@dataclass(frozen=True, slots=True)
class Filters:
    """What stands in the address: ids and slugs, never a name, a codice fiscale or a serial."""

    subject: Subject
    case_code: str = ""
    verb: str = ""
    channel: str = ""
    outcome: str = ""
    since: date | None = None
    until: date | None = None

    @classmethod
    def read(cls, desk: Desk, query: QueryDict) -> Filters:
        """Read the address; what is not known is left out."""
        verb, channel, outcome = (query.get(name, "") for name in ("evento", "canale", "esito"))
        return cls(
            subject=of_address(desk, query),
            case_code=CONTROL.sub(" ", query.get("pratica", ""))[:LONGEST_CODE],
            verb=verb if verb in VERBS else "",
            channel=channel if channel in Channel.values else "",
            outcome=outcome if outcome in Outcome.values else "",
            since=_day(query.get("dal")),
            until=_day(query.get("al")),
        )

    @property
    def condition(self) -> Q:
        """What an event must be."""
        wanted = {"verb": self.verb, "channel": self.channel, "outcome": self.outcome, "case_code": self.case_code}
        condition = Q(**{name: value for name, value in wanted.items() if value})
        if self.since:
            condition &= Q(at__gte=_midnight(self.since))
        if self.until:
            condition &= Q(at__lt=_midnight(self.until + timedelta(days=1)))
        return condition & self._of_subject()

    @property
    def is_any(self) -> bool:
        """Whether something is narrowed at all."""
        parts = (self.case_code, self.verb, self.channel, self.outcome, self.since, self.until)
        return self.subject.is_named or any(parts)

    def _of_subject(self) -> Q:
        if not self.subject.is_named:
            return Q()
        cards, holders = self.subject.cards, self.subject.holders
        if not cards and not holders:
            return Q(pk__in=[])
        of_cards = Q(card_id__in=[card.pk for card in cards]) if cards else Q()
        return of_cards & Q(holder_id__in=[holder.pk for holder in holders]) if holders else of_cards

    def chips(self, query: QueryDict) -> list[Chip]:
        """Filters that are on, in words."""
        said = {
            "carta titolare": self.subject.words if self.subject.is_named else "",
            "pratica": _("Pratica %(code)s") % {"code": self.case_code} if self.case_code else "",
            "evento": _(VERBS.get(self.verb, "")),
            "canale": _(Channel(self.channel).label) if self.channel else "",
            "esito": _(Outcome(self.outcome).label) if self.outcome else "",
            "dal": _("dal %(day)s") % {"day": words.day(self.since)} if self.since else "",
            "al": _("al %(day)s") % {"day": words.day(self.until)} if self.until else "",
        }
        if self.subject.is_named and not said["carta titolare"]:
            said["carta titolare"] = _("Ricerca")
        return [Chip(word, without(query, *names.split())) for names, word in said.items() if word]


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the trail: after (or before) the event of this instant and id."""

    at: datetime
    pk: int

    @classmethod
    def read(cls, text: str | None) -> Place | None:
        """Read what `__str__` wrote; anything else is the start."""
        try:
            microseconds, pk = (text or "").split("-")
            return cls(_EPOCH + timedelta(microseconds=int(microseconds)), int(pk[:LONGEST_NUMBER]))
        except (ValueError, OverflowError):
            return None

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICROSECOND}-{self.pk}"

    @property
    def older(self) -> Q:
        """What comes after it in the list. The first condition is the range, the second takes away the edge."""
        return Q(at__lte=self.at) & ~Q(at=self.at, pk__gte=self.pk)

    @property
    def newer(self) -> Q:
        """What comes before it."""
        return Q(at__gte=self.at) & ~Q(at=self.at, pk__lte=self.pk)


@dataclass(frozen=True, slots=True)
class Page:
    """Events, and the addresses of the pages beside them; an empty address is no link."""

    rows: list[Event]
    previous: str
    next: str


def page_of(desk: Desk, filters: Filters, query: QueryDict) -> Page:
    """Read the page that the address names (`prima=` newer, `dopo=` older), in two statements."""
    newer, older = Place.read(query.get("prima")), Place.read(query.get("dopo"))
    if newer is not None:
        rows = read(desk, filters.condition & newer.newer, most=PAGE + 1, order=_OLDEST)
        page = rows[:PAGE][::-1]
        return Page(page, _beside(query, "prima", page[:1], rows[PAGE:]), _beside(query, "dopo", page[-1:], page))
    condition = filters.condition & older.older if older else filters.condition
    rows = read(desk, condition, most=PAGE + 1)
    page = rows[:PAGE]
    before = page if older else []
    return Page(page, _beside(query, "prima", page[:1], before), _beside(query, "dopo", page[-1:], rows[PAGE:]))


def walked(desk: Desk, filters: Filters, *, most: int) -> Iterator[list[Event]]:
    """Read everything found, newest first, in chunks; nothing is kept open between them."""
    condition, left = filters.condition, most
    while left > 0:
        rows = read(desk, condition, most=min(CHUNK, left))
        if not rows:
            return
        yield rows
        condition, left = filters.condition & Place(rows[-1].at, rows[-1].pk).older, left - len(rows)


def read(desk: Desk, condition: Q, *, most: int, order: Sequence[str] = _NEWEST) -> list[Event]:
    """Events of the operator's centres that the chosen service issued (rules.md R14), the first ones of the order."""
    of_centre = issued_under(desk).filter(condition, centre_id=OuterRef("pk")).order_by(*order).values("pk")[:most]
    centres = Centre.objects.filter(pk__in=desk.scope.centre_ids).order_by()
    found = centres.annotate(found=ArraySubquery(of_centre)).values_list("found", flat=True)
    ids = [pk for of_one in found for pk in of_one or ()]
    rows = Event.objects.select_related("centre", "service").filter(pk__in=ids)
    return sorted(rows, key=lambda event: (event.at, event.pk), reverse=order is _NEWEST)[:most]


def issued_under(desk: Desk) -> QuerySet[Event]:
    """A WebRA service's renewal is found under its successor, which issued it, and nowhere else (rules.md R14)."""
    return Event.objects.filter(service_id=desk.service.pk)


def without(query: QueryDict, *names: str) -> str:
    """The address without some filters, from its first page."""
    left = query.copy()
    for name in (*names, "prima", "dopo"):
        left.pop(name, None)
    return f"?{left.urlencode()}"


def kept(query: QueryDict) -> list[tuple[str, str]]:
    """What the form of filters carries along: whom the page was narrowed to."""
    return [(name, value) for name in _SUBJECTS for value in query.getlist(name)]


def _beside(query: QueryDict, name: str, edge: list[Event], there: Sequence[Any]) -> str:
    if not there or not edge:
        return ""
    address = query.copy()
    address.pop("prima", None)
    address.pop("dopo", None)
    address[name] = str(Place(edge[0].at, edge[0].pk))
    return f"?{address.urlencode()}"


def _day(text: str | None) -> date | None:
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    return day if day.year in _YEARS else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=ROME).astimezone(UTC)
