"""A use case that PostgreSQL gives up for another's sake is run again as a whole."""

from __future__ import annotations

import psycopg
import pytest
from django.db import OperationalError, transaction

from runtime.transactions import MOST_TRIES, use_case


class Attempts:
    """A use case that fails as often as it is told, and counts."""

    def __init__(self, failure: type[psycopg.Error], times: int) -> None:
        self.failure, self.times, self.made = failure, times, 0

    def __call__(self) -> str:
        self.made += 1
        if self.made <= self.times:
            raise OperationalError from self.failure()
        return "done"


@pytest.mark.parametrize("failure", [psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure])
def test_a_deadlock_is_repeated(committed, failure):
    """Nothing of the first try is left, so the second may do it all."""
    attempts = Attempts(failure, MOST_TRIES - 1)
    assert use_case(attempts.__call__)() == "done"
    assert attempts.made == MOST_TRIES


def test_the_third_failure_is_told(committed):
    """Three tries, then the caller hears of it."""
    attempts = Attempts(psycopg.errors.DeadlockDetected, 9)
    with pytest.raises(OperationalError):
        use_case(attempts.__call__)()
    assert attempts.made == MOST_TRIES


def test_a_lock_that_is_not_free_is_not_repeated(committed):
    """lock_timeout bounds how late a decision may be: the door answers 503."""
    attempts = Attempts(psycopg.errors.LockNotAvailable, 1)
    with pytest.raises(OperationalError):
        use_case(attempts.__call__)()
    assert attempts.made == 1


def test_inside_a_transaction_the_outermost_repeats(committed):
    """A part of an undone transaction cannot be repeated alone."""
    attempts = Attempts(psycopg.errors.DeadlockDetected, 1)
    with pytest.raises(OperationalError), transaction.atomic():
        use_case(attempts.__call__)()
    assert attempts.made == 1
