"""Windows, thresholds and day 121 against a second implementation that knows no time zone database.

Italy by hand: one hour ahead of UTC, two from the last Sunday of March, 01:00 UTC, to the last Sunday of October, 01:00
UTC. Random instants lean towards the nights when clocks change, ends of months, 29 February, and a century ahead.
"""

from __future__ import annotations

import calendar
import os
import random
from datetime import UTC, date, datetime, timedelta

import pytest

from cms import policy as register
from renewals import policy
from renewals.models import RenewalCase
from renewals.states import Authorisation, CaseState

SEED = int(os.environ.get("SEED", "20260329"))
DAYS = (30, 15, 7, 1)
HOUR, DAY, SECOND = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)


def last_sunday(year, month):
    """The day on which clocks change, 01:00 UTC."""
    last = date(year, month, calendar.monthrange(year, month)[1])
    sunday = last - timedelta(days=(last.weekday() + 1) % 7)
    return datetime(sunday.year, sunday.month, sunday.day, 1, tzinfo=UTC)


def ahead(instant):
    """How far Italy's clocks are ahead of UTC."""
    is_summer = last_sunday(instant.year, 3) <= instant < last_sunday(instant.year, 10)
    return 2 * HOUR if is_summer else HOUR


def clock_in_italy(instant):
    """What clocks show, without a zone."""
    return (instant + ahead(instant)).replace(tzinfo=None)


def instant_of(clock):
    """The instant of a clock time: the first of two, and past a gap as if the clocks had not been changed yet."""
    naive = clock.replace(tzinfo=UTC)
    early, late = naive - 2 * HOUR, naive - HOUR
    return early if ahead(early) == 2 * HOUR else late


def months_earlier(instant, months):
    """The same clock time, on the month's last day where the month is shorter."""
    clock = clock_in_italy(instant)
    year, month = clock.year, clock.month
    for _ in range(months):
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    return instant_of(clock.replace(year=year, month=month, day=min(clock.day, calendar.monthrange(year, month)[1])))


def days_earlier(instant, days):
    """The same clock time so many days earlier."""
    return instant_of(clock_in_italy(instant) - days * DAY)


def day_121(suspended_at):
    """Midnight after the 120th whole day."""
    today = clock_in_italy(suspended_at).date()
    return instant_of(datetime(today.year, today.month, today.day, tzinfo=UTC) + 121 * DAY)


def instants(count, seed=SEED):
    """Instants of 1997 to 2140, every second one near a place where calendars are odd."""
    chance = random.Random(seed)
    for _ in range(count):
        year = chance.choice([chance.randint(1997, 2060), chance.randint(2097, 2140)])
        odd = chance.choice(
            [
                last_sunday(year, 3),
                last_sunday(year, 10),
                datetime(year, 3, 1, tzinfo=UTC),
                datetime(year, chance.randint(1, 12), 1, tzinfo=UTC),
                datetime(year, 1, 1, tzinfo=UTC),
            ]
        )
        # A rule that goes so many days back must meet the odd place there too.
        odd += chance.choice([0, *DAYS, -121, 31, 61]) * DAY
        if chance.random() < 0.5:
            odd = datetime(year, 1, 1, tzinfo=UTC) + chance.random() * 365 * DAY
        yield (odd + timedelta(seconds=chance.randint(-7200, 7200))).replace(microsecond=0)


def assert_agrees(count, seed=SEED):
    """Every rule of time, at so many random instants."""
    for instant in instants(count, seed):
        for months in (1, 2, 3):
            assert register.months_before(instant, months) == months_earlier(instant, months), instant
        for days in DAYS:
            assert register.days_before(instant, days) == days_earlier(instant, days), instant
        assert register.hold_lapses_at(instant, 120) == day_121(instant), instant
        assert register.rome_date(instant) == clock_in_italy(instant).date(), instant
        assert register.is_expired(instant, instant + SECOND), instant
        assert not register.is_expired(instant, instant), instant


def test_every_rule_agrees_with_the_second_implementation():
    assert_agrees(20_000)


@pytest.mark.soak
def test_every_rule_agrees_with_the_second_implementation_for_long(capsys):
    for round_ in range(20):
        with capsys.disabled():
            print(f"\nseed {SEED + round_}: 50,000 instants")  # noqa: T201 - the soak says its seed
        assert_agrees(50_000, SEED + round_)


@pytest.mark.parametrize(
    ("suspended", "day"),
    [
        ("2026-03-31T08:30:16+00:00", "2026-07-29T22:00:00+00:00"),  # the example of rules.md R9
        ("2025-12-31T22:59:59+00:00", "2026-04-30T22:00:00+00:00"),  # 31 December 23:59:59 in Rome; over the summer
        ("2025-12-31T23:00:00+00:00", "2026-05-01T22:00:00+00:00"),  # one second later it is another day
        ("2026-06-28T12:00:00+00:00", "2026-10-26T23:00:00+00:00"),  # ends after clocks went back
        ("2024-02-29T12:00:00+00:00", "2024-06-28T22:00:00+00:00"),
        ("2126-03-31T08:30:16+00:00", "2126-07-29T22:00:00+00:00"),
    ],
)
def test_day_121_begins_at_midnight_in_rome(suspended, day):
    assert register.hold_lapses_at(datetime.fromisoformat(suspended), 120) == datetime.fromisoformat(day)


@pytest.mark.parametrize(
    ("end", "days", "at"),
    [
        ("2026-04-05T00:30:00+00:00", 7, "2026-03-29T01:30:00+00:00"),  # 2:30 does not exist on that night: 3:30
        ("2026-11-01T01:30:00+00:00", 7, "2026-10-25T00:30:00+00:00"),  # 2:30 comes twice: the first
        ("2026-04-01T08:00:00+00:00", 15, "2026-03-17T09:00:00+00:00"),  # the same clock time, in winter
        ("2028-03-01T11:00:00+00:00", 1, "2028-02-29T11:00:00+00:00"),
        ("2027-03-01T11:00:00+00:00", 1, "2027-02-28T11:00:00+00:00"),
    ],
)
def test_a_threshold_keeps_the_clock_time_of_the_end(end, days, at):
    assert register.days_before(datetime.fromisoformat(end), days) == datetime.fromisoformat(at)


@pytest.mark.parametrize(
    ("end", "opens"),
    [
        ("2026-04-30T10:00:00+00:00", "2026-02-28T11:00:00+00:00"),
        ("2028-04-30T10:00:00+00:00", "2028-02-29T11:00:00+00:00"),
        ("2026-05-29T00:30:00+00:00", "2026-03-29T01:30:00+00:00"),
        ("2100-04-30T10:00:00+00:00", "2100-02-28T11:00:00+00:00"),  # no leap year
    ],
)
def test_the_window_opens_on_the_last_day_of_a_shorter_month(end, opens):
    assert register.months_before(datetime.fromisoformat(end), 2) == datetime.fromisoformat(opens)


def some_case(chance, end):
    """A case that counts down to `end`, or to day 121 of a suspension."""
    opened = end - timedelta(days=chance.randint(0, 61), seconds=chance.randint(0, 86400))
    if chance.random() < 0.3:
        return RenewalCase(old_not_after=end, opened_at=opened)
    return RenewalCase(
        state=CaseState.COMPLETED,
        authorisation=Authorisation.PENDING,
        old_not_after=end,
        opened_at=opened,
        completed_at=opened + chance.random() * (end - opened),
        suspended_at=end + timedelta(seconds=chance.randint(1, 86400)) if chance.random() < 0.5 else None,
    )


def told_by(end, since, over_at, looks):
    """What a patient clerk tells who looks at these instants: the nearest threshold that came since he last told."""
    told = []
    for now in looks:
        come = [days for days in DAYS if since < days_earlier(end, days) <= now]
        if come and now < over_at:
            told.append((min(come), now))
        if come:
            since = now
    return told


def test_any_downtime_loses_no_threshold_and_tells_none_twice():
    """Sweeps run at random instants, seconds or weeks apart."""
    chance = random.Random(SEED)
    for end in instants(2_000):
        case = some_case(chance, end)
        counted = policy.countdown(case)
        looks, now = [], counted.since
        while now < counted.over_at + 3 * DAY:
            now += chance.choice([30 * SECOND * chance.randint(1, 5000), DAY * chance.random() * 3, DAY * 20])
            looks.append(now)
        expected = told_by(counted.end, counted.since, counted.over_at, looks)

        told = []
        for now in looks:
            kind, at = policy.next_notice(case)
            days = policy.passed_notice(case, now)
            assert (days is not None) == (at is not None and at <= now < counted.over_at), (end, now)
            if days is not None:
                assert kind == counted.kind
                told.append((days, now))
                case.noticed_at = now

        assert told == expected, end
        assert [days for days, _now in told] == sorted({days for days, _now in told}, reverse=True)
