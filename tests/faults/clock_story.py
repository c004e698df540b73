"""What must happen to two renewals, and when, by a calendar that shares nothing with the product's.

The late holder never renews. The quick one does, ten days before the end, and nobody authorises it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cms.models import Certificate, Pair
from cms.services import requests
from notifications.models import OutboxMessage
from renewals import sweeps
from renewals.models import RenewalCase
from renewals.services import reminders
from tests.renewals import quick
from tests.renewals.checking import assert_invariants
from tests.renewals.test_time_rules import DAYS, clock_in_italy, day_121, days_earlier, months_earlier
from tests.renewals.world import World

SECOND = timedelta(seconds=1)
LATE, QUICK = "late", "quick"
RENEWED_DAYS = 10


@dataclass
class Moment:
    """An instant at which something is due: the mails that must leave then, and how both then stand."""

    at: datetime
    mails: Counter[tuple[str, str]]
    stands: dict[str, tuple[str, ...]] = field(default_factory=dict)


def calendar_of(end: datetime) -> list[Moment]:
    """Every instant of both stories, for old certificates that end at `end` (inclusive)."""
    suspended = end + SECOND
    revoked = day_121(suspended)
    both = [Moment(months_earlier(end, 2), _mails(late="renewal-notice", quick="renewal-notice"))]
    both += [
        Moment(days_earlier(end, days), _mails(late="renewal-reminder", quick="renewal-reminder"))
        for days in DAYS
        if days > RENEWED_DAYS
    ]
    both += [
        Moment(days_earlier(end, days), _mails(late="renewal-reminder", quick="suspension-warning"))
        for days in DAYS
        if days < RENEWED_DAYS
    ]
    over = {LATE: ("expired",), QUICK: ("completed", "held", "held")}
    both.append(Moment(suspended, _mails(late="case-expired", quick="suspended"), over))
    both += [Moment(days_earlier(revoked, days), _mails(quick="revocation-warning")) for days in DAYS]
    both.append(Moment(revoked, _mails(quick="revoked"), {QUICK: ("expired", "revoked", "revoked")}))
    return both


def _mails(**told: str) -> Counter[tuple[str, str]]:
    return Counter((who, kind) for who, kind in told.items())


class Story:
    """Both holders, from before their window opens to the revocation."""

    def __init__(self, world: World, number: int, end: datetime) -> None:
        """Register both cards a quarter of a year before the end."""
        self.world, self.end = world, end
        world.now = end - timedelta(days=95)
        first = clock_in_italy(end - timedelta(days=3 * 365 - 10)).date()
        self.pairs: dict[str, Pair] = {
            who: quick.registered(world, 2 * number + place, not_after=end, first=first)
            for place, who in enumerate((LATE, QUICK))
        }
        self._seen = set(OutboxMessage.objects.values_list("key", flat=True))

    def live_through(self) -> None:
        """Look one second before each moment and at it: only at it anything happens, and not again by the next."""
        for moment in calendar_of(self.end):
            if moment.at > days_earlier(self.end, RENEWED_DAYS) and self.case(QUICK).state == "notified":
                self._renew()
            assert self.told_at(moment.at - SECOND) == Counter(), (self.end, moment)
            assert self.told_at(moment.at) == moment.mails, (self.end, moment)
            for who, expected in moment.stands.items():
                assert self.stands(who) == expected, (self.end, moment)
        assert self.case(QUICK).suspended_at == self.end + SECOND
        assert self.told_at(moment.at + SECOND) == Counter()
        assert_invariants(moment.at)

    def told_at(self, now: datetime) -> Counter[tuple[str, str]]:
        """Let beat and workers come by; the mails that they post, by whom they are for and their kind."""
        sweeps.run_round(now=now)
        reminders.tell_due(now=now)
        requests.carry_out_due(at=now)
        whose = {pair.holder_id: who for who, pair in self.pairs.items()}
        new = list(OutboxMessage.objects.exclude(key__in=self._seen).values_list("key", "holder_id", "kind"))
        self._seen |= {key for key, _holder, _kind in new}
        return Counter((whose.get(holder_id, "somebody else"), kind) for _key, holder_id, kind in new)

    def stands(self, who: str) -> tuple[str, ...]:
        """State of the case, then of its new certificates."""
        case = self.case(who)
        halves = Certificate.objects.filter(pair=case.new_pair_id).order_by("pk")
        return (case.state, *halves.values_list("status", flat=True)) if case.new_pair_id else (case.state,)

    def case(self, who: str) -> RenewalCase:
        """The case as it stands, which the sweep has opened."""
        return RenewalCase.objects.get(old_pair=self.pairs[who])

    def _renew(self) -> None:
        self.world.now = days_earlier(self.end, RENEWED_DAYS)
        quick.complete(self.world, quick.request(self.world, quick.sign(self.world, self.case(QUICK))))
        self._seen |= set(OutboxMessage.objects.values_list("key", flat=True))
