"""Writing to many letters at once: locked by id, so that two who write to the same ones never wait crosswise."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from notifications.models import OutboxMessage


def update_in_order(rows: QuerySet[OutboxMessage], **values: Any) -> int:
    """Set these columns of the rows in one statement that locks them first, by id; return how many there were."""
    locked = rows.order_by("pk").select_for_update(no_key=True).values("pk")
    with transaction.atomic(savepoint=False):
        return OutboxMessage.objects.filter(pk__in=locked).update(**values)
