"""Two things in the same instant: one legal outcome, whoever wins."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connections

from cms.errors import DomainError
from cms.models import CaRequest, Certificate, Event, Hold, Stock
from cms.services import requests
from renewals import sweeps
from renewals.models import RenewalCase
from renewals.services import cases, decisions
from runtime import nudge
from tests.renewals import quick
from tests.renewals.checking import assert_invariants
from tests.renewals.world import OLD_NOT_AFTER

DUE = OLD_NOT_AFTER + timedelta(seconds=1)


def together(*acts: Callable[[], object]) -> list[object]:
    """Start every act at the same barrier, each on a connection of its own; refusals are outcomes."""
    barrier = threading.Barrier(len(acts))
    outcomes: list[object] = [None] * len(acts)

    def run(place: int, act: Callable[[], object]) -> None:
        try:
            barrier.wait()
            outcomes[place] = act()
        except DomainError as refusal:
            outcomes[place] = refusal.reason_code
        finally:
            connections.close_all()
            nudge._line.hang_up()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def settle(now):
    """Workers come by until nothing is left."""
    for _ in range(3):
        requests.carry_out_due(at=now)
        now += timedelta(seconds=10)


@pytest.fixture
def stocked(world):
    """Enough for hundreds."""
    world.buy(300)
    return world


@pytest.mark.parametrize("batch", range(4))
def test_approval_and_suspension_in_the_same_instant_leave_one_legal_outcome(stocked, batch):
    """25 races a batch. Approved is approved: the pair works, and either was never suspended or was reactivated."""
    for number in range(25):
        case = quick.completed(stocked, batch * 25 + number)
        together(
            lambda case=case: decisions.approve_renewal(case.pk, operator=stocked.operator, now=DUE),
            lambda: sweeps.suspend_unauthorised(now=DUE),
        )
        settle(DUE)
        case = RenewalCase.objects.get(pk=case.pk)
        halves = Certificate.objects.filter(pair=case.new_pair)
        assert case.authorisation == "approved"
        assert {half.status for half in halves} == {"active"}
        assert not Hold.objects.filter(certificate__in=halves, lifted_at__isnull=True).exists()
        told = Event.objects.filter(case_code=case.code, verb="certificate.held").count()
        assert told == (2 if case.suspended_at else 0)
    assert_invariants(DUE)


def test_approval_and_refusal_race_to_one_decision(stocked):
    """Never both."""
    for number in range(20):
        case = quick.completed(stocked, number)
        together(
            lambda case=case: decisions.approve_renewal(case.pk, operator=stocked.operator, now=DUE),
            lambda case=case: decisions.refuse_renewal(case.pk, operator=stocked.operator, reason="No", now=DUE),
        )
        assert RenewalCase.objects.get(pk=case.pk).authorisation == "approved"
    assert_invariants(OLD_NOT_AFTER)


def test_four_carriers_issue_once(stocked, ca):
    """The claim lets one of them ask; the others find it settled."""
    case = quick.requested(stocked, 1)
    ids = list(CaRequest.objects.filter(case_code=case.code).values_list("pk", flat=True))
    together(*[lambda pk=pk: requests.carry_out(pk, at=stocked.now) for pk in ids * 4])
    assert Certificate.objects.filter(pair=case.new_pair).count() == 2
    assert len([line for line in ca.ledger() if line.request_id in request_ids(case)]) == 2
    assert_invariants(stocked.now)


def test_expiry_and_cancellation_end_a_case_once(stocked):
    """The reservation comes back once."""
    for number in range(10):
        case = quick.signed(stocked, number)
        together(
            lambda case=case: cases.expire_case(case.pk, now=DUE),
            lambda case=case: cases.cancel_case(case.pk, reason="data-incorrect", actor=quick.SYSTEM, at=DUE),
        )
    assert {(row.free, row.reserved) for row in Stock.objects.all()} == {(310, 0)}
    assert_invariants(DUE)


def test_ten_units_serve_exactly_ten_of_thirty(world):
    """Oversold 0, lost 0, deadlocks 0."""
    waiting = [quick.opened(world, number) for number in range(30)]

    def sign(case):
        with quick.transaction.atomic():
            quick.stock.reserve(types=quick.SLOTS, actor=quick.SYSTEM, at=world.now, **quick.ledger(case))

    outcomes = together(*[lambda case=case: sign(case) for case in waiting])

    assert outcomes.count("stock-empty") == 20
    assert {(row.free, row.reserved) for row in Stock.objects.all()} == {(0, 10)}


def test_two_sweeps_share_the_work(stocked):
    """SKIP LOCKED: each due case once."""
    for number in range(12):
        quick.completed(stocked, number)
    together(*[lambda: sweeps.suspend_unauthorised(now=DUE) for _ in range(4)])
    settle(DUE)
    assert Event.objects.filter(verb="case.suspension-due").count() == 12
    assert Hold.objects.count() == 24
    assert_invariants(DUE)


def request_ids(case):
    """Ids under which the CA was asked for this case."""
    return set(CaRequest.objects.filter(case_code=case.code).values_list("uid", flat=True))
