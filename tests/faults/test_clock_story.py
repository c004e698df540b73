"""The whole clock, second by second, where calendars are odd: reminders, suspension, warnings, day 121, in the real sweeps."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest

from tests.faults.clock_story import Story
from tests.renewals.test_time_rules import SEED, instants

ODD_ENDS = (
    "2026-04-05T00:30:00+00:00",  # seven days before, 2:30 does not exist in Italy
    "2028-02-29T12:00:00+00:00",
    "2029-04-30T10:00:00+00:00",  # the window opens on 28 February
    "2030-11-03T01:30:00+00:00",  # seven days before, 2:30 comes twice
    "2126-03-31T08:30:15+00:00",
)
MORE_ODD_ENDS = (
    "2027-03-28T00:59:59+00:00",  # the last second before clocks go ahead
    "2031-10-26T00:30:00+00:00",  # the hour that comes twice, the first time
    "2032-10-31T01:00:00+00:00",  # the instant at which clocks go back
    "2033-12-31T22:59:59+00:00",  # the last second of a year in Italy: 120 days end in summer time
    "2034-12-31T23:00:00+00:00",
    "2036-02-29T22:59:59+00:00",  # suspended on 1 March
    "2037-06-28T12:00:00+00:00",  # 120 days end after clocks went back
    "2100-02-28T23:30:00+00:00",  # no leap year, although it is divisible by four
)


def live_through(world, ends):
    """One after the other: what an earlier story should have done too late would be seen in the next."""
    world.buy(len(ends))
    for number, end in enumerate(ends):
        Story(world, number, end).live_through()


def test_everything_happens_at_its_second_wherever_calendars_are_odd(world):
    live_through(world, [datetime.fromisoformat(end) for end in ODD_ENDS])


@pytest.mark.soak
def test_everything_happens_at_its_second_at_more_odd_ends(world):
    live_through(world, [datetime.fromisoformat(end) for end in MORE_ODD_ENDS])


@pytest.mark.soak
def test_everything_happens_at_its_second_at_random_ends(world, capsys):
    """Half of them near nights when clocks change, ends of months and of years, 29 February; up to the year 2140."""
    chance, ends = random.Random(SEED), []
    for end in sorted(instants(1_500)):
        late_enough = not ends or end - ends[-1] > timedelta(days=800)
        if late_enough and end.year > 2022 and chance.random() < 0.5:
            ends.append(end)
    live_through(world, ends)
    with capsys.disabled():
        print(f"\nseed {SEED}: {len(ends)} ends from {ends[0]:%Y} to {ends[-1]:%Y}")  # noqa: T201 - the soak says its seed
