"""The line of time of a case, to scale: from the opening of the window to day 121, with today's mark. Drawn as SVG.

The steps in words (`timeline`) say the same to who cannot see it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from django.utils import formats
from django.utils.translation import gettext as _

from cms import policy as register
from cms.states import Flow
from renewals.flows import POLICIES
from renewals.models import RenewalCase
from renewals.states import CaseState

WIDTH = 1000
MARGIN = 12
ROOM_FOR_TWO = 280  # from the left edge: below it, the words of opening and expiry would overlap on a narrow page


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of time: window, grace (works, not authorised), held, after."""

    kind: str
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class Mark:
    """An instant on the line; `title` names it when pointed at."""

    kind: str
    x: int
    title: str


@dataclass(frozen=True, slots=True)
class Label:
    """Words below the line; `anchor` as SVG says it."""

    x: int
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Span:
    """The drawing, in units of its view box."""

    bands: list[Band]
    marks: list[Mark]
    labels: list[Label]
    today: int | None
    words: str


def span_of(case: RenewalCase, now: datetime) -> Span:
    """Lay a case out on its line; needs `case.service` loaded."""
    opens = POLICIES[case.flow].opens_at(case.old_not_after, case.service) or case.opened_at
    expiry = register.expires_at(case.old_not_after)
    held_from = case.suspended_at or max(expiry, case.completed_at or expiry)
    lapse = register.hold_lapses_at(held_from, settings.CMS.hold_days)
    scale = _Scale(min(opens, case.opened_at), lapse)
    threatened = case.waits_for_approval or case.suspended_at is not None
    return Span(
        bands=_bands(scale, opens, expiry, held_from, lapse, threatened=threatened),
        marks=_marks(case, scale, lapse if threatened else None),
        labels=_labels(scale, opens, expiry, lapse if threatened else None),
        today=scale.at(now) if scale.start <= now <= scale.end else None,
        words=_words(opens, expiry, lapse if threatened else None, now),
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    start: datetime
    end: datetime

    def at(self, instant: datetime) -> int:
        """Where an instant stands; what lies outside stands at the edge."""
        share = (instant - self.start) / (self.end - self.start)
        return MARGIN + round(min(1.0, max(0.0, share)) * (WIDTH - 2 * MARGIN))


def _bands(
    scale: _Scale, opens: datetime, expiry: datetime, held_from: datetime, lapse: datetime, *, threatened: bool
) -> list[Band]:
    stretches = [("window", opens, expiry), ("held" if threatened else "after", held_from, lapse)]
    return [Band(kind, scale.at(first), max(2, scale.at(last) - scale.at(first))) for kind, first, last in stretches]


def _marks(case: RenewalCase, scale: _Scale, lapse: datetime | None) -> list[Mark]:
    known = [
        ("done", case.opened_at, _("Apertura pratica")),
        ("done", case.signed_at, _("Condizioni accettate") if case.flow == Flow.EXTEND else _("Firma del modulo")),
        ("done", case.completed_at, _("Installazione")),
        ("done", case.decided_at, _("Decisione")),
        ("done", case.closed_at if case.state == CaseState.CANCELLED else None, _("Cancellazione")),
        ("edge", case.old_not_after, _("Vecchia scadenza")),
        ("danger", case.suspended_at, _("Sospensione")),
        ("danger", lapse, _("Revoca (121º giorno)")),
    ]
    return [Mark(kind, scale.at(at), f"{word}: {_day(at)}") for kind, at, word in known if at is not None]


def _labels(scale: _Scale, opens: datetime, expiry: datetime, lapse: datetime | None) -> list[Label]:
    labels = [Label(scale.at(expiry), "middle", _("Scadenza %(day)s") % {"day": _day(expiry)})]
    if scale.at(expiry) >= ROOM_FOR_TWO:
        labels.insert(0, Label(MARGIN, "start", _("Dal %(day)s") % {"day": _day(opens)}))
    else:
        labels = [replace(labels[0], x=MARGIN, anchor="start")]
    if lapse is not None:
        labels.append(Label(WIDTH - MARGIN, "end", _("121º giorno %(day)s") % {"day": _day(lapse)}))
    return labels


def _words(opens: datetime, expiry: datetime, lapse: datetime | None, now: datetime) -> str:
    said = _("Rinnovo possibile dal %(opens)s, scadenza precedente %(expiry)s, oggi %(now)s.") % {
        "opens": _day(opens),
        "expiry": _day(expiry),
        "now": _day(now),
    }
    last = _("Revoca il 121º giorno: %(day)s.")
    return f"{said} {last % {'day': _day(lapse)}}" if lapse else said


def _day(at: datetime) -> str:
    return formats.date_format(at.astimezone(register.ROME), "d/m/Y")
