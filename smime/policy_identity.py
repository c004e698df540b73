"""Rules of identification: what a provider's word means for an attempt, how often one may try, whose name it is."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from smime.models import IdentificationAttempt
from smime.states import AttemptState

RETRY_SECONDS = (5, 15, 60, 300, 900, 3600)
"""How long after the first, second, ... failed call the provider is asked again; the last holds from then on."""
MARGIN = timedelta(minutes=2)
"""So long after its end a session is looked at if no message of it came."""

_SETTLED = {
    "approved": AttemptState.APPROVED,
    "suspected": AttemptState.SUSPECTED,
    "denied": AttemptState.DENIED,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How an attempt stands after a look at the provider."""

    state: AttemptState
    is_final: bool
    counts_as_failure: bool = False


def standing_after(attempt: IdentificationAttempt, overall: str, at: datetime) -> Standing:
    """Say what the provider's word means.

    It is final once the provider has said that nothing more follows, or once the session's time is over; before that an
    automatic result may still be turned by its people. Counted as failure is a final refusal, and a session that was
    begun and not finished; a link that nobody followed is none.
    """
    is_over = at >= looked_at(attempt)
    if overall in _SETTLED:
        if attempt.final_told_at is None and not is_over:
            return Standing(AttemptState.REVIEWING, is_final=False)
        state = _SETTLED[overall]
        return Standing(state, is_final=True, counts_as_failure=state == AttemptState.DENIED)
    if overall in {"expired", "gone"}:
        was_begun = overall == "expired" and attempt.started_at is not None
        return Standing(AttemptState.EXPIRED, is_final=True, counts_as_failure=was_begun)
    if overall == "reviewing":
        return Standing(AttemptState.REVIEWING, is_final=False)
    return Standing(AttemptState.STARTED if attempt.started_at else AttemptState.CREATED, is_final=False)


def looked_at(attempt: IdentificationAttempt) -> datetime:
    """Return when a session of which nothing was heard is over, and is looked at: begun or not."""
    if attempt.started_at is not None:
        ends = attempt.started_at + timedelta(seconds=settings.SMIME.identification_session_seconds)
    else:
        ends = attempt.link_expires_at or attempt.created_at
    return ends + MARGIN


def retry_at(failures: int, at: datetime) -> datetime:
    """Return when to ask the provider again after so many failed calls in a row."""
    return at + timedelta(seconds=RETRY_SECONDS[min(max(failures, 1), len(RETRY_SECONDS)) - 1])


def attempts_left(attempts: Sequence[IdentificationAttempt], round_: int) -> int:
    """How many attempts of this round remain before only the alternative is offered."""
    failed = [each for each in attempts if each.round == round_ and each.counts_as_failure]
    return max(0, settings.SMIME.identification_attempts - len(failed))


def is_same_person(ours: tuple[str, str], read: tuple[str, str]) -> bool:
    """Whether given names and surname fit those on a document: accents, case, apostrophes and further names aside."""
    return all(set(_words(mine)) <= set(_words(theirs)) for mine, theirs in zip(ours, read, strict=True))


def _words(name: str) -> list[str]:
    plain = "".join(char for char in unicodedata.normalize("NFKD", name) if not unicodedata.combining(char))
    spelled = "".join(char if char.isalpha() else "" if char in "'’‘`´ʼ" else " " for char in plain)
    return spelled.upper().split()
