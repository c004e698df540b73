"""The life of a case as a line of steps: what was, today, what will be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from cms import policy as register
from cms.models import Certificate
from cms.states import Flow
from renewals.models import RenewalCase
from renewals.states import UNAUTHORISED, CaseState


@dataclass(frozen=True, slots=True)
class Step:
    """A point of the line. `tone`: done, today, future, danger (an automatic sanction), missed (will not come)."""

    word: str
    at: datetime | None
    tone: str
    is_ahead: bool = False


def steps(case: RenewalCase, new_halves: Sequence[Certificate], now: datetime) -> list[Step]:
    """Steps in the order of time, today's mark among them."""
    line = [*_done_or_open(case), *(_threats(case, now) if case.waits_for_approval else _deadlines(case, new_halves))]
    return _with_today([_timed(step, now) for step in line], case, now)


def _done_or_open(case: RenewalCase) -> list[Step]:
    line = [Step(_("Apertura pratica"), case.opened_at, "done")]
    asked = _("Accettazione delle condizioni") if case.flow == Flow.EXTEND else _("Firma del modulo")
    line.append(Step(asked, case.signed_at, _open_tone(case, reached=case.signed_at is not None)))
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


def _deadlines(case: RenewalCase, new_halves: Sequence[Certificate]) -> list[Step]:
    """Old and new expiry; a renewal that lapsed on day 121 has its suspension and revocation instead."""
    line = [Step(_("Vecchia scadenza"), case.old_not_after, "")]
    if case.state == CaseState.COMPLETED and new_halves:
        line.append(Step(_("Nuova scadenza"), min(half.not_after for half in new_halves), ""))
    if case.state == CaseState.EXPIRED and case.suspended_at:
        line.append(Step(_("Sospensione"), case.suspended_at, "danger"))
        line.append(Step(_("Revoca"), case.closed_at, "danger"))
    return line


def _threats(case: RenewalCase, now: datetime) -> list[Step]:
    """What comes unless somebody approves: suspension with the old expiry (or at once), revocation on day 121."""
    if case.suspended_at is not None:
        suspended = case.suspended_at
        line = [Step(_("Vecchia scadenza"), case.old_not_after, ""), Step(_("Sospensione"), suspended, "danger")]
    else:
        suspended = max(case.due_at or register.expires_at(case.old_not_after), now)
        line = [Step(_("Scadenza e sospensione"), case.old_not_after, "danger")]
        if case.due_at and case.due_at < case.old_not_after:
            line = [
                Step(_("Sospensione"), case.due_at, "danger"),
                Step(_("Vecchia scadenza"), case.old_not_after, ""),
            ]
    lapses = register.hold_lapses_at(suspended, settings.CMS.hold_days)
    return [*line, Step(_("Revoca (121º giorno)"), lapses, "danger")]


def _step(word: str, at: datetime, now: datetime) -> Step:
    return Step(word, at, "done" if at <= now else "future")


def _timed(step: Step, now: datetime) -> Step:
    if step.tone or step.at is None:
        return step
    return _step(step.word, step.at, now)


def _with_today(line: list[Step], case: RenewalCase, now: datetime) -> list[Step]:
    """Known instants in order; what is still awaited right after today, what never came before the case's end."""
    ended = min(case.closed_at or case.old_not_after, case.old_not_after)
    placed = sorted((step for step in line if step.at or step.tone == "missed"), key=lambda step: step.at or ended)
    past = [step for step in placed if (step.at or ended) <= now]
    awaited = [step for step in line if step.at is None and step.tone != "missed"]
    ahead = [replace(step, is_ahead=True) for step in [*awaited, *placed[len(past) :]]]
    return [*past, Step(_("Oggi"), now, "today"), *ahead]
