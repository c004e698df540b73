"""The Nth statement of every sweep and of every deed of a holder fails, before or after it ran.

All or nothing each time, and the run after it completes. `make soak` fails every N, `make test` a few by chance.
"""

from __future__ import annotations

import contextlib
import random
from datetime import datetime, timedelta

import pytest
from django.db import connection

from cms.actors import SYSTEM
from cms.models import CaRequest, Certificate, Event, EventSeal, Hold, Stock
from cms.services import certificates, low_stock, requests, seals
from cms.states import HoldCause, VisitKind
from notifications.models import OutboxMessage
from renewals import invariants, queries, sweeps
from renewals.models import DigestDay, RenewalCase
from renewals.services import digest, reminders, self_service, urging
from renewals.services.self_service import Wanted
from tests.holder.test_self_service import BOTH, visit_of
from tests.renewals import quick
from tests.renewals.checking import assert_invariants
from tests.renewals.conftest import NOW
from tests.renewals.test_clock import DAY_121, DUE
from tests.renewals.test_faults import Boom, Fault

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


class Story:
    """What is there, what is done to it at `at`, and how to see that it is done, once."""

    at: datetime = NOW

    def __init__(self, world):
        self.world = world
        self.turns = 0
        self.prepare()

    def take_turn(self):
        """The deed, later than the lease of whoever failed before."""
        self.turns += 1
        self.act(self.at + self.turns * 2 * MINUTE)

    def prepare(self):
        """Bring the world to where the deed begins."""

    def act(self, now):
        """The deed; again and again."""
        raise NotImplementedError

    def is_done(self):
        """Whether its effects are there, once each."""
        raise NotImplementedError


class Windows(Story):
    def prepare(self):
        for number in range(3):
            quick.registered(self.world, number)

    def act(self, now):
        sweeps.open_windows(now=now)

    def is_done(self):
        return told("renewal-notice") == RenewalCase.objects.filter(state="notified").count() == 3


class Expiries(Story):
    at = DUE

    def prepare(self):
        quick.opened(self.world, 1)
        quick.opened(self.world, 2)
        quick.signed(self.world, 3)
        quick.requested(self.world, 4)
        requests.carry_out_due(at=NOW)

    def act(self, now):
        sweeps.expire_cases(now=now)
        requests.carry_out_due(at=now)

    def is_done(self):
        return told("case-expired") == RenewalCase.objects.filter(state="expired").count() == 4 and not open_wishes()


class Suspensions(Story):
    at = DUE

    def prepare(self):
        for number in range(3):
            quick.completed(self.world, number)

    def act(self, now):
        sweeps.suspend_unauthorised(now=now)

    def is_done(self):
        return Hold.objects.count() == 6 == CaRequest.objects.filter(kind="hold").count()


class Changes(Suspensions):
    """What the sweep has wished, asked of the CA in one batch."""

    def prepare(self):
        super().prepare()
        sweeps.suspend_unauthorised(now=self.at)

    def act(self, now):
        requests.carry_out_due(at=now)

    def is_done(self):
        return told("suspended") == 3 and statuses(pair__predecessor__isnull=False) == {"held"} and not open_wishes()


class Lapses(Suspensions):
    at = DAY_121

    def prepare(self):
        super().prepare()
        sweeps.suspend_unauthorised(now=DUE)
        requests.carry_out_due(at=DUE)

    def act(self, now):
        sweeps.revoke_unrecovered(now=now)
        requests.carry_out_due(at=now)

    def is_done(self):
        return told("revoked") == RenewalCase.objects.filter(state="expired").count() == 3 and not open_wishes()


class LapsedHolds(Story):
    at = NOW + 122 * DAY

    def prepare(self):
        for number in range(2):
            for half in quick.registered(self.world, number, not_after=NOW + 400 * DAY).certificates.all():
                certificates.place_hold(half, HoldCause.HOLDER, days=120, actor=SYSTEM, at=NOW)
        requests.carry_out_due(at=NOW)

    def act(self, now):
        sweeps.revoke_lapsed_holds(now=now)
        requests.carry_out_due(at=now)

    def is_done(self):
        return statuses() == {"revoked"} and told("revoked") == 2 and not open_wishes()


class Warnings(LapsedHolds):
    """Of the case's end, and of the end of a hold without a case."""

    at = NOW + 115 * DAY

    def prepare(self):
        super().prepare()
        self.world.now = self.at - DAY
        quick.opened(self.world, 7, not_after=self.at + 14.5 * DAY)

    def act(self, now):
        reminders.tell_due(now=now)

    def is_done(self):
        return (
            told("revocation-warning") == 2
            and told("renewal-reminder") == 1
            and not queries.notices_due(self.at).exists()
        )


class Digests(Suspensions):
    at = datetime.fromisoformat("2026-03-03T06:00:00+00:00")

    def act(self, now):
        digest.tell_day(now=now)

    def is_done(self):
        return told("daily-digest") == DigestDay.objects.count() == 1


class Counters(Story):
    def prepare(self):
        self.world.agreement.low_stock_threshold = 10
        self.world.agreement.save()

    def act(self, now):
        low_stock.warn_of_low_stock(now=now)

    def is_done(self):
        return told("low-stock") == 1 and not Stock.objects.filter(low_since__isnull=True).exists()


class Seals(Story):
    def prepare(self):
        quick.completed(self.world, 1)

    def act(self, now):
        seals.seal_events(at=now)

    def is_done(self):
        return EventSeal.objects.count() == Event.objects.count() > 0


class Holders(Story):
    """A holder who was let in, with both certificates in use."""

    def prepare(self):
        self.pair = quick.opened(self.world, 1).old_pair

    def act(self, now):
        self.deed(now)
        requests.carry_out_due(at=now + MINUTE)

    def wanted(self, now):
        visit = visit_of(self.pair.holder_id, now, kind=VisitKind.USER_CODE)
        return {"wanted": Wanted(self.pair.public_id, BOTH), "visit": visit, "now": now}

    def deed(self, now):
        raise NotImplementedError


class Suspend(Holders):
    def deed(self, now):
        self_service.suspend_certificates(**self.wanted(now))

    def is_done(self):
        return Hold.objects.count() == 2 and told("suspended") == 1 and statuses() == {"held"}


class Reactivate(Holders):
    def prepare(self):
        super().prepare()
        self_service.suspend_certificates(**self.wanted(NOW))

    def deed(self, now):
        self_service.reactivate_certificates(**self.wanted(now))

    def is_done(self):
        return told("reactivated") == 1 and statuses() == {"active"}


class Revoke(Holders):
    def deed(self, now):
        self_service.revoke_certificates(**self.wanted(now), cause="key-compromised")

    def is_done(self):
        return told("revoked") == 1 and statuses() == {"revoked"}


class Urge(Holders):
    def prepare(self):
        super().prepare()
        self.case = quick.complete(
            self.world, quick.request(self.world, quick.sign(self.world, RenewalCase.objects.get()))
        )

    def deed(self, now):
        if RenewalCase.objects.get().urged_at is None:
            urging.urge_decision(self.case.pk, holder_id=self.case.holder_id, now=now)

    def is_done(self):
        return Event.objects.filter(verb="case.urged").count() == 1


class Decline(Holders):
    def deed(self, now):
        urging.decline_renewal(RenewalCase.objects.get().pk, holder_id=self.pair.holder_id, now=now)

    def is_done(self):
        return RenewalCase.objects.get().state == "cancelled"


STORIES = [
    Windows, Expiries, Suspensions, Changes, Lapses, LapsedHolds, Warnings, Digests, Counters, Seals, Suspend, Reactivate,
    Revoke, Urge, Decline,
]  # fmt: skip


def told(kind):
    """How many mails of a kind were posted."""
    return OutboxMessage.objects.filter(kind=kind).count()


def statuses(**which):
    """Statuses of all certificates, or of these."""
    return set(Certificate.objects.filter(**which).values_list("status", flat=True))


def open_wishes():
    """Whether the CA still has to be asked something."""
    return CaRequest.objects.filter(state__in=["planned", "sent"]).exists()


def faults_by_chance(seed):
    """A few numbers among the first statements, in order, before or after."""
    chance = random.Random(seed)
    numbers = chance.sample(range(1, 6), 2) + chance.sample(range(6, 25), 2)
    return [(number, chance.choice(["before", "after"])) for number in sorted(numbers)]


def every_fault():
    """One after the other, both ways."""
    return ((number, when) for number in range(1, 400) for when in ("before", "after"))


def fail_and_repeat(story, faults):
    """The deed under each fault, until it gets through untouched; returns how many faults it has met."""
    undone = breaches(story)
    met = 0
    for number, when in faults:
        fault = Fault(number, when)
        with connection.execute_wrapper(fault), contextlib.suppress(Boom):
            story.take_turn()
        if not fault.fired:
            break
        met += 1
        assert breaches(story) <= undone, (number, when)
    for _ in range(2):
        story.take_turn()
    reminders.tell_due(now=story.at)
    assert story.is_done()
    assert_invariants(story.at)
    return met


def breaches(story):
    """What does not hold. Before the deed that is what it has to do; afterwards no other may come."""
    return {str(breach) for breach in invariants.breaches(now=story.at)}


@pytest.mark.parametrize("story", STORIES)
def test_a_statement_that_fails_leaves_all_or_nothing(world, story):
    seed = random.randrange(1 << 32)
    assert fail_and_repeat(story(world), faults_by_chance(seed)) > 0, f"seed {seed}"


@pytest.mark.soak
@pytest.mark.parametrize("story", STORIES)
def test_every_statement_that_fails_leaves_all_or_nothing(world, capsys, story):
    met = fail_and_repeat(story(world), every_fault())
    with capsys.disabled():
        print(f"\n{story.__name__}: {met} faults")  # noqa: T201 - the soak says its figures
    assert met >= 8
