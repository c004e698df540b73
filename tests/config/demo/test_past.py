"""What the demo shows at its first start: a WebRA service with its successor, and a day's work on the first page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cms.models import Agreement, Event, Service, Stock
from config.demo import past, population
from notifications.queries import oldest_waiting
from renewals.models import RenewalCase
from renewals.states import Authorisation, CaseState

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def demo(committed, clock, settings, ca):
    """The population as `seed_demo` settles it, on a CA in memory."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    clock.instant = AT
    agreements = population.settle(serials=(), csrs={}, at=AT)
    past.relive(agreements, at=AT)
    return agreements


def test_cases_wait_for_their_centre_with_near_deadlines_and_one_is_suspended(demo):
    waiting = RenewalCase.objects.filter(state=CaseState.COMPLETED, authorisation=Authorisation.PENDING)

    assert waiting.filter(suspended_at=None, due_at__lt=AT + timedelta(days=4)).count() == 3
    suspended = waiting.get(suspended_at__isnull=False)
    assert {half.status for half in suspended.new_pair.certificates.all()} == {"held"}


def test_one_type_of_the_first_service_runs_low(demo):
    agreement = demo[population.AUTHORISED]
    free = dict(Stock.objects.filter(service=agreement.service).values_list("type", "free"))

    assert free["authentication"] <= agreement.low_stock_threshold < free["signature"]


def test_renewals_of_the_webra_service_leave_their_events_under_the_successor(demo):
    webra = Service.objects.get(code=population.WEBRA)

    assert "WebRA" in webra.name
    case = RenewalCase.objects.filter(service=webra).first()
    told = set(Event.objects.filter(case_code=case.code).values_list("service__code", flat=True))
    assert told == {population.EIDAS}
    assert Agreement.objects.filter(service=webra.successor).exists()


@pytest.mark.usefixtures("demo")
def test_no_mail_looks_late_at_the_first_start():
    assert oldest_waiting(at=AT) == timedelta(0)


def test_a_second_seeding_changes_nothing(demo):
    before = RenewalCase.objects.count(), Event.objects.count()

    past.relive(population.settle(serials=(), csrs={}, at=AT), at=AT)

    assert (RenewalCase.objects.count(), Event.objects.count()) == before
