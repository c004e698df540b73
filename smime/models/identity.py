"""Identification at the provider: attempts, and every message that the provider sent."""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q

from runtime.claims import Claimable
from smime.models.orders import Order
from smime.states import AttemptState, DeliveryState


class IdentificationAttempt(Claimable):
    """One session at the provider. `client_id` is fresh for each; `sealed_url` is the personal link, never in clear.

    `sealed_evidence` holds document data as the provider gave it. A final outcome (`is_final`) is never overwritten.
    `next_attempt_at` is due while something must be asked of the provider (create, pull, erase).
    """

    order = models.ForeignKey(Order, models.PROTECT, related_name="attempts_made")
    number = models.PositiveSmallIntegerField()
    round = models.PositiveSmallIntegerField(default=1)
    client_id = models.CharField(max_length=100, unique=True)
    scan_ref = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=12, choices=AttemptState.choices, default=AttemptState.CREATED)
    is_final = models.BooleanField(default=False)
    counts_as_failure = models.BooleanField(default=False)
    sealed_url = models.BinaryField(null=True, blank=True)
    sealed_evidence = models.BinaryField(null=True, blank=True)
    mismatches = models.JSONField(default=list)
    created_at = models.DateTimeField()
    link_expires_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    final_told_at = models.DateTimeField(null=True, blank=True)  # the provider said that nothing more follows
    finished_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["next_attempt_at"], condition=Q(next_attempt_at__isnull=False), name="smime_attempt_due"
            ),
            models.Index(fields=["scan_ref"], condition=~Q(scan_ref=""), name="smime_attempt_by_scan_ref"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "number"], name="one_attempt_per_number"),
            models.CheckConstraint(condition=Q(state__in=AttemptState.values), name="smime_attempt_state_known"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.state}"


class ProviderDelivery(Claimable):
    """A message of the provider, stored before it is acknowledged: the same bytes never count twice."""

    body_sha256 = models.CharField(max_length=64, unique=True)
    scan_ref = models.CharField(max_length=64, blank=True)
    attempt = models.ForeignKey(IdentificationAttempt, models.PROTECT, null=True, blank=True, related_name="deliveries")
    state = models.CharField(max_length=12, choices=DeliveryState.choices, default=DeliveryState.STORED)
    sealed_body = models.BinaryField(null=True, blank=True)
    received_at = models.DateTimeField()
    times = models.PositiveIntegerField(default=1)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "provider deliveries"
        triggers: ClassVar = [pgtrigger.Protect(name="smime_delivery_kept", operation=pgtrigger.Delete)]
        indexes: ClassVar = [
            models.Index(
                fields=["next_attempt_at"], condition=Q(next_attempt_at__isnull=False), name="smime_delivery_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scan_ref} {self.state}"
