"""Counts that never count too far: each stops at a bound, all come in one statement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

BOUND = 1000


def bounded_counts(sets: Mapping[str, QuerySet[Any]], *, most: int | None = None) -> dict[str, int]:
    """Count each set up to `most` (`BOUND` unless told), in one statement however many sets there are."""
    parts: list[str] = []
    names: list[str] = []
    parameters: list[Any] = []
    for name, rows in sets.items():
        try:
            sql, values = rows.order_by().values("pk")[: most or BOUND].query.sql_with_params()
        except EmptyResultSet:
            continue
        names.append(name)
        parts.append(f"(SELECT count(*) FROM ({sql}) AS bounded)")  # noqa: S608 - built by Django, values are parameters
        parameters.extend(values)
    counts = dict.fromkeys(sets, 0)
    if parts:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(parts)}", parameters)
            counts.update(zip(names, cursor.fetchone() or (), strict=True))
    return counts
