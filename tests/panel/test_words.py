"""Deadlines in words, Europe/Rome: day, weekday, hour, distance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cms.admin import words
from renewals.admin.clockwork import moment

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # ten in the morning in Rome


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (NOW + timedelta(days=12), "tra 12 giorni"),
        (NOW + timedelta(days=1), "domani"),
        (NOW + timedelta(hours=14), "domani"),  # 00:00 in Rome
        (NOW + timedelta(hours=13, minutes=59), "tra 13 ore"),
        (NOW + timedelta(hours=1), "tra 1 ora"),
        (NOW + timedelta(minutes=59), "tra 59 minuti"),
        (NOW + timedelta(seconds=1), "tra 1 minuto"),
        (NOW - timedelta(seconds=1), "oggi"),
        (NOW - timedelta(days=1), "ieri"),
        (NOW - timedelta(days=2), "2 giorni fa"),
    ],
)
def test_distance_counts_italian_calendar_days(at, said):
    assert words.distance(at, NOW) == said


@pytest.mark.parametrize(
    ("days", "role"), [(15, ""), (14.9, "wait"), (3, "wait"), (2.9, "danger"), (0, "danger"), (-5, "danger")]
)
def test_a_deadline_is_amber_under_fifteen_days_and_red_under_three(days, role):
    assert words.urgency(NOW + timedelta(days=days), NOW) == role


def test_instants_are_shown_in_rome_across_the_change_of_the_clocks():
    assert words.instant(datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC)) == "dom 29/03/2026, 01:59"
    assert words.instant(datetime(2026, 3, 29, 1, 0, tzinfo=UTC)) == "dom 29/03/2026, 03:00"
    assert words.day(datetime(2026, 12, 31, 23, 30, tzinfo=UTC)) == "ven 01/01/2027"
    assert moment(datetime(2027, 3, 11, 9, 15, tzinfo=UTC)) == "gio 11/03/2027 alle 10:15"


def test_a_bounded_count_says_that_it_stopped():
    assert words.bounded(999, 1000) == "999"
    assert words.bounded(1000, 1000) == "1000+"


def test_codes_become_words_and_a_persons_words_stay():
    assert words.reason("data-incorrect") == "Dati della pratica non corretti"
    assert words.reason("Documento scaduto") == "Documento scaduto"
