"""Rows that show what works, and the alarms that are open."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Canary(models.Model):
    """A sign of life: as long as it is young, what it is named after works (`config.conditions`). One row per name."""

    name = models.CharField(max_length=16, primary_key=True)
    sang_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Alarm(models.Model):
    """Something that a person must look at now: opened once, seen again while it lasts, closed when it is over."""

    kind = models.CharField(max_length=32)
    opened_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    facts = models.JSONField(default=dict)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind"], condition=Q(closed_at__isnull=True), name="one_open_alarm_per_kind"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} since {self.opened_at:%Y-%m-%dT%H:%M:%SZ}"
