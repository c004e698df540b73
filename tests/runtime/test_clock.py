"""One clock, the database's; tests put another in its place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from runtime import clock
from runtime.clock import FakeClock, as_utc, installed

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_the_instant_comes_from_the_database_aware_and_in_utc(db):
    instant = clock.now()

    assert instant.tzinfo is UTC
    assert abs(instant - datetime.now(UTC)) < timedelta(seconds=5)


def test_within_one_transaction_the_clock_moves_on(db):
    assert clock.now() < clock.now()


def test_a_busy_door_asks_the_database_once_a_second(db, django_assert_max_num_queries):
    with django_assert_max_num_queries(1):
        instants = [clock.about_now() for _ in range(100)]

    assert instants == sorted(instants)
    assert abs(clock.now() - instants[-1]) < timedelta(seconds=1)


def test_a_busy_door_reads_the_clock_that_is_installed(db):
    with installed(FakeClock(NOON)):
        assert clock.about_now() == NOON


def test_doors_read_the_clock_that_is_installed_and_then_the_old_one_again(db):
    with installed(FakeClock(NOON)):
        assert clock.now() == NOON

    assert clock.now() != NOON


def test_a_fake_clock_goes_where_it_is_set():
    fake = FakeClock(NOON)
    with installed(fake):
        fake.instant += timedelta(days=121)
        assert clock.now() == NOON + timedelta(days=121)


def test_an_instant_without_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        as_utc(datetime(2026, 3, 1))  # noqa: DTZ001


def test_another_zone_is_brought_to_utc():
    assert as_utc(datetime(2026, 3, 1, 13, tzinfo=timezone(timedelta(hours=1)))) == NOON
