"""The life of a case as a line of steps: what was, today, what will be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from cms import policy as register
from cms.models import Certificate
from renewals.models import RenewalCase
from renewals.states import UNAUTHORISED, CaseState


@dataclass(frozen=True, slots=True)
class Step:
    """A point of the line. `tone`: done, today, future, danger (an automatic sanction), missed (will not come)."""

    word: str
    at: datetime | None
    tone: str


def steps(case: RenewalCase, new_halves: Sequence[Certificate], now: datetime) -> list[Step]:
    """Steps in the order of time, today's mark among them."""
    line = [*_done_or_open(case), *_deadlines(case), *_sanctions(case, now)]
    if case.completed_at and new_halves and case.state != CaseState.EXPIRED:
        line.append(_step(_("Nuova scadenza"), min(half.not_after for half in new_halves), now))
    return _with_today([_timed(step, now) for step in line], now)


def _done_or_open(case: RenewalCase) -> list[Step]:
    line = [Step(_("Apertura pratica"), case.opened_at, "done")]
    line.append(Step(_("Firma del modulo"), case.signed_at, _open_tone(case, reached=case.signed_at is not None)))
    line.append(
        Step(_("Installazione"), case.completed_at, _open_tone(case, reached=case.completed_at is not None)),
    )
    if case.decided_at:
        word = _("Autorizzazione") if case.authorisation not in UNAUTHORISED else _("Non approvata")
        line.append(Step(word, case.decided_at, "done"))
    if case.state == CaseState.CANCELLED:
        line.append(Step(_("Cancellazione"), case.closed_at, "done"))
    return line


def _open_tone(case: RenewalCase, *, reached: bool) -> str:
    if reached:
        return "done"
    return "future" if case.is_open else "missed"


def _deadlines(case: RenewalCase) -> list[Step]:
    return [Step(_("Scadenza precedente"), case.old_not_after, "")]


def _sanctions(case: RenewalCase, now: datetime) -> list[Step]:
    """Suspension and day 121, for a completed renewal that nobody has approved."""
    if case.completed_at is None or case.authorisation not in UNAUTHORISED:
        return []
    suspended = case.suspended_at
    if suspended is not None:
        line = [Step(_("Sospensione"), suspended, "danger")]
    else:
        due = case.due_at or register.expires_at(case.old_not_after)
        suspended = max(due, now)
        line = [] if due >= case.old_not_after else [Step(_("Sospensione"), due, "danger")]
    lapses = register.hold_lapses_at(suspended, settings.RENEWALS.recoverable_days)
    return [*line, Step(_("Revoca (121º giorno)"), case.closed_at or lapses, "danger")]


def _step(word: str, at: datetime, now: datetime) -> Step:
    return Step(word, at, "done" if at <= now else "future")


def _timed(step: Step, now: datetime) -> Step:
    if step.tone or step.at is None:
        return step
    return _step(step.word, step.at, now)


def _with_today(line: list[Step], now: datetime) -> list[Step]:
    """Known instants in order; a step without one (not signed yet) keeps its place before the next known future step."""
    known = sorted((step for step in line if step.at), key=lambda step: step.at or now)
    past = [step for step in known if step.at and step.at <= now]
    future = [step for step in known if step.at and step.at > now]
    waiting = [step for step in line if step.at is None]
    return [*past, Step(_("Oggi"), now, "today"), *waiting, *future]


