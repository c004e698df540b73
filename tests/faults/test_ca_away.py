"""The CA is away for six hours, or loses what it is asked, or does it and loses the answer."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta

import pytest

from cms.models import CaRequest, Certificate, Event
from cms.services import requests
from config import conditions
from notifications.models import OutboxMessage
from renewals import sweeps
from renewals.models import RenewalCase
from renewals.services import decisions, reminders
from tests.renewals import quick
from tests.renewals.checking import assert_invariants
from tests.renewals.test_races import DUE

AWAY = timedelta(hours=6)
MINUTE = timedelta(minutes=1)
BACK = DUE + AWAY
WEATHERS = ("is_away", "loses_requests", "drops_answers")


def put(ca, weather):
    """Let it be so, and nothing else."""
    for known in WEATHERS:
        setattr(ca, known, known == weather)


def open_wishes():
    return CaRequest.objects.filter(state__in=["planned", "sent"])


def statuses(case):
    return set(Certificate.objects.filter(pair=case.new_pair_id).values_list("status", flat=True))


def alarms(now):
    """The two alarms about requests that nobody has settled."""
    return {name for name in ("ca-outcome-unknown", "ca-unasked") if conditions.CONDITIONS[name](now)}


@pytest.mark.parametrize("weather", [*WEATHERS, "changing"])
def test_six_hours_without_a_ca_cost_time_only(world, ca, weather):
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    left, approved, *others = [quick.completed(world, number) for number in range(4)]
    world.now = DUE
    late = [quick.requested(world, number, not_after=DUE + timedelta(days=20)) for number in (7, 8)]
    for number in range(int(AWAY / (5 * MINUTE))):
        now = DUE + number * 5 * MINUTE
        put(ca, chance.choice(WEATHERS) if weather == "changing" else weather)
        sweeps.run_round(now=now)
        reminders.tell_due(now=now)
        requests.carry_out_due(at=now)
        assert weather == "changing" or bool(alarms(now)) == (now >= DUE + 10 * MINUTE)
        if number == 30:
            decisions.approve_renewal(approved.pk, operator=world.operator, now=now)
    if weather == "drops_answers":
        assert "ca-outcome-unknown" in alarms(now)

    put(ca, None)
    for number in range(30):
        requests.carry_out_due(at=BACK + number * MINUTE / 2)

    assert not open_wishes().exists(), f"seed {seed}"
    assert alarms(BACK + 15 * MINUTE) == set()
    assert statuses(approved) == {"active"}
    assert {status for case in (left, *others) for status in statuses(case)} == {"held"}
    assert {status for case in late for status in statuses(case)} == {"issued"}
    assert set(Counter(line.request_id for line in ca.ledger()).values()) == {1}
    assert len(ca.issued) == 4 * RenewalCase.objects.count()
    assert Event.objects.filter(verb="certificate.issued").count() == 2 * RenewalCase.objects.count()
    told = Counter(OutboxMessage.objects.filter(kind="suspended").values_list("case_code", flat=True))
    assert {told[case.code] for case in (left, *others)} == {1}
    assert_invariants(BACK + 15 * MINUTE)
