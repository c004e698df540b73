"""The sweep's workload still fits the product: every way suspends what is due, here and at the CA."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from authority.models import LedgerEntry
from benchmarks import sweep_population, sweep_ways
from cms.models import CaRequest, Certificate, Event, Hold
from notifications.models import OutboxMessage
from renewals.models import RenewalCase
from runtime import clock
from tests.authority.founding import found

CASES = 12


@pytest.fixture
def register(committed, superuser):
    """A dozen cases, of which `due(first, number)` makes some due."""
    at = clock.now()
    found(at=at)
    servers = SimpleNamespace(postgres=SimpleNamespace(address=superuser))
    sweep_population.fill(servers, superuser.name, 2 * CASES)

    def due(first, number):
        return sweep_population.make_due(superuser, superuser.name, (CASES, first, number), at)

    return SimpleNamespace(at=at, due=due)


def test_every_way_suspends_the_same(register):
    at = register.at
    register.due(0, 3)
    sweep_ways.product(at)
    sweep_ways.row_by_row(register.due(3, 3), at)
    sweep_ways.in_bulk(register.due(6, 3), at)

    assert RenewalCase.objects.filter(suspended_at=at).count() == 9
    assert Certificate.objects.filter(status="held").count() == LedgerEntry.objects.filter(state="held").count() == 18
    assert Hold.objects.count() == Event.objects.filter(verb="certificate.held").count() == 18
    assert Event.objects.filter(verb="case.suspension-due").count() == 9
    assert OutboxMessage.objects.filter(kind="suspended").count() == 9
    assert CaRequest.objects.filter(state="done").count() == CaRequest.objects.count() == 6

    sweep_ways.bare(register.due(9, 3), at)
    assert Certificate.objects.filter(status="held").count() == LedgerEntry.objects.filter(state="held").count() == 24
