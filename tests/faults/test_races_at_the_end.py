"""Approval against the sweep, case by case, one second before the end of the old certificate, at it, and after it."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from cms.models import CaRequest, Certificate, Event, Hold
from notifications.models import OutboxMessage
from renewals import sweeps
from renewals.models import RenewalCase
from renewals.services import decisions
from tests.renewals import quick
from tests.renewals.checking import assert_invariants
from tests.renewals.test_races import DUE, settle, together

OFFSETS = [-1, 0, 1]


def race(world, first, number, offset):
    """Approve so many cases, one by one, while the sweep takes them one by one; each has one legal outcome."""
    now = DUE + timedelta(seconds=offset)
    raced = [quick.completed(world, place) for place in range(first, first + number)]
    told = together(
        lambda: [decisions.approve_renewal(case.pk, operator=world.operator, now=now) and None for case in raced],
        lambda: sweeps.suspend_unauthorised(now=now),
    )
    assert told[0] == [None] * number, told
    settle(now)
    for case in RenewalCase.objects.filter(pk__in=[case.pk for case in raced]):
        halves = Certificate.objects.filter(pair=case.new_pair)
        assert case.authorisation == "approved"
        assert {half.status for half in halves} == {"active"}
        assert not Hold.objects.filter(certificate__in=halves, lifted_at__isnull=True).exists()
        assert case.suspended_at is None or offset >= 0
        held = Event.objects.filter(case_code=case.code, verb="certificate.held").count()
        asked = CaRequest.objects.filter(case_code=case.code, kind="hold").exclude(state="cancelled").count()
        assert held == asked
        assert held in {0, 2}
        assert OutboxMessage.objects.filter(case_code=case.code, kind="suspended").count() == held // 2
    return RenewalCase.objects.filter(pk__in=[case.pk for case in raced], suspended_at__isnull=False).count()


@pytest.fixture
def one_by_one(world, settings):
    """A sweep that locks one case at a time, as slow as who approves."""
    settings.RENEWALS = settings.RENEWALS.model_copy(update={"sweep_batch": 1})
    world.buy(3000)
    return world


@pytest.mark.parametrize("offset", OFFSETS)
def test_whoever_wins_at_the_end_approved_is_approved(one_by_one, offset):
    race(one_by_one, 0, 20, offset)
    assert_invariants(DUE)


@pytest.mark.soak
def test_two_thousand_races_at_the_end(one_by_one, capsys):
    suspended, began = dict.fromkeys(OFFSETS, 0), time.monotonic()
    for turn in range(42):
        offset = OFFSETS[turn % 3]
        suspended[offset] += race(one_by_one, turn * 50, 50, offset)
    assert_invariants(DUE)
    with capsys.disabled():
        took = time.monotonic() - began
        print(f"\n2100 races in {took:.0f} s; the sweep came first in {suspended} of 700 each")  # noqa: T201 - figures
