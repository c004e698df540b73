"""Reads of the outbox: for delivery, for the panel, for alarms."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q, QuerySet

from notifications.models import OutboxMessage
from notifications.states import MessageState

AGAIN = ":again:"
"""Stands in the key of a message that repeats another, before its number."""


def due(*, at: datetime, limit: int) -> list[uuid.UUID]:
    """Ids of messages that may be claimed now: urgent ones first, then those due longest. Index `outbox_due`."""
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=at)
    waiting = OutboxMessage.objects.filter(free, state=MessageState.QUEUED, next_attempt_at__lte=at)
    return list(waiting.order_by("-is_urgent", "next_attempt_at").values_list("pk", flat=True)[:limit])


def of_case(case_code: str) -> QuerySet[OutboxMessage]:
    """Messages of one case, oldest first, without sealed secrets."""
    return (
        OutboxMessage.objects.filter(case_code=case_code)
        .exclude(case_code="")
        .defer("sealed_context")
        .order_by("created_at", "pk")
    )


def in_scope(centre_ids: Collection[int], service_ids: Collection[int]) -> QuerySet[OutboxMessage]:
    """Messages that were posted for these centres and services, without sealed secrets. Index `outbox_by_scope`."""
    own = OutboxMessage.objects.filter(centre_id__in=centre_ids, service_id__in=service_ids)
    return own.defer("sealed_context")


def root_key(message: OutboxMessage) -> str:
    """Key of the message that this one repeats; its own where it repeats none."""
    return message.key.partition(AGAIN)[0]


def copies_of(message: OutboxMessage) -> int:
    """How many times a message of a case was sent again."""
    root = root_key(message)
    keys = OutboxMessage.objects.filter(case_code=message.case_code).values_list("key", flat=True)
    return sum(key.startswith(f"{root}{AGAIN}") for key in keys)


def known_keys(keys: Collection[str]) -> set[str]:
    """Which of these facts have been told already, or are about to be."""
    return set(OutboxMessage.objects.filter(key__in=keys).values_list("key", flat=True))


def failed() -> QuerySet[OutboxMessage]:
    """Messages that wait for a person: refused for good, newest first."""
    return OutboxMessage.objects.filter(state=MessageState.FAILED).defer("sealed_context").order_by("-created_at")


def count_by_state() -> dict[MessageState, int]:
    """How many messages stand in each state; every state is there."""
    counted = dict(OutboxMessage.objects.order_by().values_list("state").annotate(Count("pk")))
    return {state: counted.get(state.value, 0) for state in MessageState}


def oldest_waiting(*, at: datetime) -> timedelta | None:
    """How long the oldest queued message waits; None when none does. Alarms and `/readyz` look at it."""
    since = OutboxMessage.objects.filter(state=MessageState.QUEUED).aggregate(since=Min("queued_at"))["since"]
    return None if since is None else at - since
