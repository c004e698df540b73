"""A pair that could not be invited when its window opened is invited once it can be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cms.models import Pair, Service, User
from cms.services import holds, organisations, requests
from cms.services.halves import Choice
from notifications.models import OutboxMessage
from renewals import sweeps
from renewals.models import RenewalCase
from tests.renewals.conftest import NOW


def both(pair) -> Choice:
    return Choice(pair.pk, frozenset(pair.certificates.values_list("pk", flat=True)))


def notices() -> int:
    return OutboxMessage.objects.filter(kind="renewal-notice").count()


def test_a_pair_that_was_suspended_when_its_window_opened_is_invited_after_its_reactivation(world, card):
    holds.suspend_certificates(both(card.pair), note="", operator=world.operator, now=NOW)
    requests.carry_out_due(at=NOW)
    sweeps.open_windows(now=NOW)
    assert not RenewalCase.objects.exists()

    later = NOW + timedelta(days=2)
    holds.reactivate_certificates(both(card.pair), note="", operator=world.operator, now=later)
    requests.carry_out_due(at=later)
    for _ in range(2):
        sweeps.open_windows(now=later)

    assert RenewalCase.objects.get().old_pair_id == card.pair.pk
    assert notices() == 1


def test_who_was_invited_already_is_not_invited_again_after_a_reactivation(world, card):
    sweeps.open_windows(now=NOW)
    holds.suspend_certificates(both(card.pair), note="", operator=world.operator, now=NOW)
    requests.carry_out_due(at=NOW)
    holds.reactivate_certificates(both(card.pair), note="", operator=world.operator, now=NOW)
    requests.carry_out_due(at=NOW)

    for _ in range(2):
        sweeps.open_windows(now=NOW)

    assert RenewalCase.objects.count() == notices() == 1
    assert Pair.objects.get().window_opens_at is None


@pytest.fixture
def administrator(world):
    return User.objects.create_user("admin@example.org", None, is_staff=True, is_administrator=True)


def test_a_pair_whose_window_was_narrowed_meanwhile_is_invited_when_the_new_one_opens(world, card, administrator):
    early = datetime(2026, 2, 10, tzinfo=UTC)
    organisations.change_service(Service.objects.get().pk, {"window_months": 1}, operator=administrator, now=early)

    sweeps.open_windows(now=early)
    assert not RenewalCase.objects.exists()
    assert Pair.objects.get().window_opens_at == datetime(2026, 2, 28, 9, 30, 15, tzinfo=UTC)

    sweeps.open_windows(now=NOW)
    assert RenewalCase.objects.count() == notices() == 1
