"""Claims: who works on a row now, for how long, and whether he still may write the outcome.

A claim is committed before the effect and ends by itself after its lease, so a killed worker blocks nobody for long.
Its fence (a number that only grows) guards the outcome: who has lost the claim to another finds a higher fence and
writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Q, QuerySet


class Claimable(models.Model):
    """Columns that `claim` needs.

    `next_attempt_at` says from when on the row is due; **None means settled**: nobody claims it again. A new row sets
    it to the instant of its creation.
    """

    attempts = models.PositiveIntegerField(default=0)
    fence = models.PositiveBigIntegerField(default=0)
    claimed_until = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


def claim(model: type[Claimable], pk: Any, *, at: datetime, lease: timedelta) -> int | None:
    """Take the row if it is due and nobody holds it; the new fence, or None. Counts one attempt.

    Commits by itself and raises RuntimeError inside a transaction: an uncommitted claim protects nothing. Never waits:
    a row locked by somebody else is not free.
    """
    table, key = _names(model)
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET fence = fence + 1, attempts = attempts + 1, claimed_until = %(until)s"  # noqa: S608
            f" WHERE {key} = (SELECT {key} FROM {table} WHERE {key} = %(pk)s AND next_attempt_at <= %(at)s"
            " AND (claimed_until IS NULL OR claimed_until <= %(at)s) FOR NO KEY UPDATE SKIP LOCKED)"
            " RETURNING fence",
            {"until": at + lease, "at": at, "pk": _as_column(model, pk)},
        )
        row = cursor.fetchone()
    return row[0] if row else None


def claim_many(rows: QuerySet[Any], *, most: int, at: datetime, lease: timedelta) -> dict[Any, int]:
    """Take up to `most` of `rows` (filtered and ordered) that are due and free, in one statement: new fence by key.

    Commits, counts and raises as `claim` does, and never waits: a row that somebody else has locked is passed over.
    """
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=at)
    picked = rows.filter(free, next_attempt_at__lte=at).select_for_update(no_key=True, skip_locked=True).values("pk")
    table, key = _names(rows.model)
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        select, values = picked[:most].query.sql_with_params()
        # Materialised: a LIMIT that is folded into a join may be run again, and then takes more rows than it should.
        cursor.execute(
            f"WITH picked (pk) AS MATERIALIZED ({select}) UPDATE {table} SET fence = fence + 1,"  # noqa: S608
            f" attempts = attempts + 1, claimed_until = %s FROM picked WHERE {table}.{key} = picked.pk"
            f" RETURNING {table}.{key}, {table}.fence",
            [*values, at + lease],
        )
        return dict(cursor.fetchall())


def give_back(model: type[Claimable], fences: Mapping[Any, int]) -> int:
    """Undo claims that led to nothing, attempt included: due as before, at once. Lost claims are left alone."""
    if not fences:
        return 0
    table, key = _names(model)
    kind = model._meta.pk.db_type(connection)
    with connection.cursor() as cursor:
        cursor.execute(
            # Locked in order: who marks the same rows as done, having taken them over, never waits crosswise.
            f"UPDATE {table} SET claimed_until = NULL, attempts = attempts - 1"  # noqa: S608
            f" WHERE {key} IN (SELECT held.{key} FROM {table} AS held"
            f" JOIN unnest(%s::{kind}[], %s::bigint[]) AS mine (pk, fence)"
            f" ON held.{key} = mine.pk AND held.fence = mine.fence"
            f" WHERE held.claimed_until IS NOT NULL ORDER BY held.{key} FOR NO KEY UPDATE OF held)",
            [list(fences), list(fences.values())],
        )
        return int(cursor.rowcount)


def still_mine(model: type[Claimable], pk: Any, fence: int) -> bool:
    """Lock the row in the caller's transaction and say whether the claim with this fence still stands."""
    return model._base_manager.select_for_update(no_key=True).filter(pk=pk, fence=fence).exists()


def release(model: type[Claimable], pk: Any, fence: int, *, next_attempt_at: datetime) -> bool:
    """Give the row back, due again at `next_attempt_at`; False when the claim was lost, and nothing changes."""
    return _end(model, pk, fence, next_attempt_at)


def settle(model: type[Claimable], pk: Any, fence: int) -> bool:
    """End the work on the row for good; False when the claim was lost, and nothing changes."""
    return _end(model, pk, fence, None)


def _end(model: type[Claimable], pk: Any, fence: int, next_attempt_at: datetime | None) -> bool:
    mine = model._base_manager.filter(pk=pk, fence=fence)  # past any scoped manager
    return bool(mine.update(claimed_until=None, next_attempt_at=next_attempt_at))


def _names(model: type[Claimable]) -> tuple[str, str]:
    quote = connection.ops.quote_name
    return quote(model._meta.db_table), quote(str(model._meta.pk.column))


def _as_column(model: type[Claimable], pk: Any) -> Any:
    return model._meta.pk.get_db_prep_value(pk, connection)
