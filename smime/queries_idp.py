"""Reads of the watchmen: what the identification provider owes to people who wait for it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet

from smime.models import IdentificationAttempt, ProviderDelivery
from smime.policy_identity import MARGIN
from smime.states import DeliveryState

BLIPS = 5
"""So many calls in a row fail within some six minutes: one that fails once is no silence."""


def waiting(since: datetime) -> QuerySet[IdentificationAttempt]:
    """Identifications that the provider has owed an answer since before `since`: a session, or how one ended."""
    session = timedelta(seconds=settings.SMIME.identification_session_seconds)
    is_over = Q(started_at__lte=since - session - MARGIN)
    is_over |= Q(started_at__isnull=True, link_expires_at__lte=since - MARGIN)
    unopened = Q(scan_ref="", created_at__lte=since)
    unseen = ~Q(scan_ref="") & ~Q(last_error="") & Q(attempts__gte=BLIPS, final_told_at__isnull=True) & is_over
    return IdentificationAttempt.objects.filter(unopened | unseen, is_final=False, next_attempt_at__isnull=False)


def has_answered(since: datetime) -> bool:
    """Whether the provider has done anything that was asked of it after `since`: opened, told an end, or erased."""
    hours = timedelta(hours=settings.SMIME.identification_hours)
    opened = Q(link_expires_at__gt=since + hours)
    done = opened | Q(finished_at__gt=since) | Q(erased_at__gt=since)
    return IdentificationAttempt.objects.exclude(scan_ref="").filter(done).exists()


def unfetched(since: datetime) -> QuerySet[IdentificationAttempt]:
    """Identifications whose end the provider has announced before `since`, and whose outcome is not here yet."""
    open_ = IdentificationAttempt.objects.filter(is_final=False, next_attempt_at__isnull=False)
    return open_.filter(final_told_at__lte=since)


def unread(since: datetime) -> QuerySet[ProviderDelivery]:
    """Messages of the provider that came before `since` and that nobody has looked into."""
    rows = ProviderDelivery.objects.filter(next_attempt_at__isnull=False, state=DeliveryState.STORED)
    return rows.filter(received_at__lte=since)
