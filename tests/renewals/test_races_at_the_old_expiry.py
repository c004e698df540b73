"""Approve against the sweep a second before, at, and after the instant at which a suspension is due, with the CA at work."""

from __future__ import annotations

import random
import time
from datetime import timedelta

import pytest

from cms.models import Certificate, Event, Hold
from cms.services import requests
from notifications.models import OutboxMessage
from renewals import sweeps
from renewals.models import RenewalCase
from renewals.services import decisions
from tests.renewals import quick
from tests.renewals.checking import assert_invariants
from tests.renewals.test_changes_in_batches import halves_of, ref_of
from tests.renewals.test_races import DUE, settle, together

SEED = 20260331
OFFSETS = [timedelta(seconds=-1), timedelta(0), timedelta(seconds=1)]


@pytest.mark.parametrize("races", [15, pytest.param(2000, marks=pytest.mark.soak)])
def test_approved_is_approved_whoever_came_first(world, ca, capsys, races):
    chance, suspended, started = random.Random(SEED), 0, time.monotonic()
    world.buy(races)
    for number in range(races):
        case = quick.completed(world, number)
        now = DUE + OFFSETS[number % 3]
        pauses = [chance.random() * 0.02 for _ in range(3)]

        together(
            lambda case=case, now=now, pause=pauses[0]: (
                time.sleep(pause),
                decisions.approve_renewal(case.pk, operator=world.operator, now=now),
            ),
            lambda now=now, pause=pauses[1]: (time.sleep(pause), sweeps.suspend_unauthorised(now=now)),
            lambda now=now, pause=pauses[2]: (time.sleep(pause), requests.carry_out_due(at=now)),
        )
        settle(now)

        case = RenewalCase.objects.get(pk=case.pk)
        halves = halves_of(case)
        assert case.authorisation == "approved", SEED
        assert {half.status for half in halves} == {"active"}, SEED
        assert {ca.status(ref_of(half)).kind for half in halves} == {"good"}, SEED
        assert not Hold.objects.filter(certificate__in=halves, lifted_at__isnull=True).exists()
        assert case.suspended_at is None or now >= DUE
        suspended += case.suspended_at is not None
        held = Event.objects.filter(case_code=case.code, verb="certificate.held").count()
        assert held == (2 if case.suspended_at else 0)
        told = OutboxMessage.objects.filter(case_code=case.code, kind__in=["suspended", "reactivated", "authorised"])
        kinds = sorted(told.values_list("kind", flat=True))
        assert kinds == (["reactivated", "suspended"] if case.suspended_at else ["authorised"]), SEED
    assert Certificate.objects.filter(pair__predecessor__isnull=False).exclude(status="active").count() == 0
    assert_invariants(DUE + timedelta(seconds=1))
    with capsys.disabled():
        took = time.monotonic() - started
        print(f"\nseed {SEED}: {races} races, {suspended} were suspended first, {took:.0f} s")  # noqa: T201 - figures
