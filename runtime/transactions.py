"""One use case, one transaction; run again when PostgreSQL gives it up for another's sake."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction

# serialization_failure and deadlock_detected: PostgreSQL has undone everything, and asks for a repeat of the whole.
REPEATABLE = frozenset({"40001", "40P01"})
MOST_TRIES = 3

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def use_case(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Run the function in one transaction, three times at most; inside another transaction once, as part of it.

    Whatever it does outside the database it must do on commit: a try that was undone has then done nothing at all.
    """

    @functools.wraps(function)
    def run(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        tries = 1 if connection.in_atomic_block else MOST_TRIES
        for _ in range(tries - 1):
            try:
                with transaction.atomic():
                    return function(*args, **kwargs)
            except OperationalError as error:
                if _sqlstate(error) not in REPEATABLE:
                    raise
        with transaction.atomic():
            return function(*args, **kwargs)

    return run


def _sqlstate(error: OperationalError) -> str | None:
    return getattr(error.__cause__, "sqlstate", None)
