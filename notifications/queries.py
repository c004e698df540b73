"""Reads of the outbox: for delivery, for the panel, for alarms."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Count, Exists, Min, Q, QuerySet

from notifications.models import UNDELIVERED, OutboxAttachment, OutboxMessage
from notifications.states import MessageState
from notifications.transport import ServerAway

AGAIN = ":again:"
"""Stands in the key of a message that repeats another, before its number."""


def waiting() -> QuerySet[OutboxMessage]:
    """What was not sent yet: urgent ones first, then those due longest. Index `outbox_due`."""
    return OutboxMessage.objects.filter(state=MessageState.QUEUED).order_by("-is_urgent", "next_attempt_at")


def due(*, at: datetime, limit: int) -> list[uuid.UUID]:
    """Ids of messages that may be claimed now, in the order of `waiting`."""
    return list(_claimable(at).values_list("pk", flat=True)[:limit])


def is_due(*, at: datetime) -> bool:
    """Say whether any message may be claimed now."""
    return bool(due(at=at, limit=1))


def with_attachments(ids: Collection[uuid.UUID]) -> list[tuple[OutboxMessage, list[OutboxAttachment]]]:
    """These messages in the order of `waiting`, each with its files in their places; two statements."""
    files: dict[uuid.UUID, list[OutboxAttachment]] = {pk: [] for pk in ids}
    for file in OutboxAttachment.objects.filter(message_id__in=files).order_by("message_id", "position"):
        files[file.message_id].append(file)
    rows = OutboxMessage.objects.filter(pk__in=files).order_by("-is_urgent", "next_attempt_at")
    return [(row, files[row.pk]) for row in rows]


def _claimable(at: datetime) -> QuerySet[OutboxMessage]:
    return waiting().filter(Q(claimed_until__isnull=True) | Q(claimed_until__lte=at), next_attempt_at__lte=at)


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


def copies_since(message: OutboxMessage, at: datetime) -> int:
    """How many times the message or the one it repeats was sent again after `at`."""
    prefix = f"{root_key(message)}{AGAIN}"
    recent = OutboxMessage.objects.filter(case_code=message.case_code, created_at__gt=at)
    return sum(key.startswith(prefix) for key in recent.values_list("key", flat=True))


def known_keys(keys: Collection[str]) -> set[str]:
    """Which of these facts have been told already, or are about to be."""
    return set(OutboxMessage.objects.filter(key__in=keys).values_list("key", flat=True))


def failed() -> QuerySet[OutboxMessage]:
    """Messages that wait for a person: refused for good or returned later, newest first. Index `outbox_undelivered`."""
    return OutboxMessage.objects.filter(state__in=UNDELIVERED).defer("sealed_context").order_by("-created_at")


def count_by_state() -> dict[MessageState, int]:
    """How many messages stand in each state; every state is there."""
    counted = dict(OutboxMessage.objects.order_by().values_list("state").annotate(Count("pk")))
    return {state: counted.get(state.value, 0) for state in MessageState}


def oldest_waiting(*, at: datetime) -> timedelta | None:
    """How long the oldest queued message waits; None when none does. Alarms and `/readyz` look at it."""
    since = OutboxMessage.objects.filter(state=MessageState.QUEUED).aggregate(since=Min("queued_at"))["since"]
    return None if since is None else at - since


def left_lying(*, since: datetime) -> QuerySet[OutboxMessage]:
    """Messages that could have been sent since then, and that nobody has taken up: neither put off nor claimed.

    None where a delivery has found the mail server away since: they wait for it, and not for a worker. Each failed
    delivery lets what it found rest for a while; a worker that stands still leaves those marks to age.
    """
    queued = OutboxMessage.objects.filter(state=MessageState.QUEUED)
    resting = queued.filter(next_attempt_at__gt=since, last_error__startswith=ServerAway.__name__)
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=since)
    return queued.filter(free, ~Exists(resting), next_attempt_at__lte=since)


def urgent_waiting(kind: str, *, at: datetime) -> int:
    """How many urgent messages of a kind are due; reads the front of `outbox_due`, where urgent ones stand."""
    return OutboxMessage.objects.filter(
        state=MessageState.QUEUED, is_urgent=True, next_attempt_at__lte=at, kind=kind
    ).count()
