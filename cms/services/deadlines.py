"""Entries of a holder's calendar about suspended certificates: one for each cause and day of revocation.

A letter names those that it sets and those that it takes back (`notifications.calendar`): two causes that hold the same
certificates have two deadlines, and ending the one leaves the other's entry alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from cms.models import Certificate, Hold
from cms.policy import rome_date
from cms.states import HoldCause


def entry(cause: str, lapses_at: datetime) -> str:
    """Name the entry of a cause whose 120 days end then: `holder:20260730`."""
    return f"{HoldCause(cause).value}:{rome_date(lapses_at):%Y%m%d}"


def entries(holds: Iterable[Hold]) -> str:
    """Name the entries of some holds in a line."""
    return _line({entry(hold.cause, hold.lapses_at) for hold in holds})


def ended(pair_id: int, lifted: Collection[int] = (), *, at: datetime) -> str:
    """Name the entries that no standing hold of the pair has any more; `lifted`: ids of holds that are about to end.

    Also those of causes that ended earlier, when another one stayed and no letter was sent. A day that is over needs no
    taking back.
    """
    holds = list(Hold.objects.filter(certificate__pair_id=pair_id, lapses_at__gt=at))
    known = {entry(hold.cause, hold.lapses_at) for hold in holds}
    return _line(known - {entry(hold.cause, hold.lapses_at) for hold in holds if _stands(hold, lifted)})


def ended_with(pair_id: int, halves: Iterable[Certificate], *, at: datetime) -> str:
    """Name the entries that end with the revocation of these halves: what holds the other half stays."""
    lifted = Hold.objects.filter(certificate__in=list(halves), lifted_at__isnull=True, ended_at__isnull=True)
    return ended(pair_id, set(lifted.values_list("pk", flat=True)), at=at)


def _stands(hold: Hold, lifted: Collection[int]) -> bool:
    return hold.lifted_at is None and hold.ended_at is None and hold.pk not in lifted


def _line(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
