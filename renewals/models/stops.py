"""Emergency stops of the revocations that the clock makes by itself."""

from __future__ import annotations

import uuid
from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q


class RevocationStop(models.Model):
    """No automatic revocation on day 121 while one is in force: from its confirmation until `ends_at` or its lifting.

    One administrator asks for it with a reason and an end, a second confirms it. It belongs to the whole installation;
    suspensions go on, and what an operator or a holder revokes is revoked.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    reason = models.CharField("motivo", max_length=300)
    asked_by = models.BigIntegerField("chiesto da")
    asked_at = models.DateTimeField("chiesto il")
    ends_at = models.DateTimeField("fino al")
    confirmed_by = models.BigIntegerField("confermato da", null=True, blank=True)
    confirmed_at = models.DateTimeField("confermato il", null=True, blank=True)
    closed_by = models.BigIntegerField("chiuso da", null=True, blank=True)
    closed_at = models.DateTimeField("chiuso il", null=True, blank=True)

    class Meta:
        verbose_name = "fermo delle revoche"
        verbose_name_plural = "fermi delle revoche"
        triggers: ClassVar = [pgtrigger.Protect(name="revocation_stop_kept", operation=pgtrigger.Delete)]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(reason=""), name="revocation_stop_has_reason"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("asked_at")), name="revocation_stop_ends_later"),
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True, confirmed_at__isnull=True)
                | (Q(confirmed_by__isnull=False, confirmed_at__isnull=False) & ~Q(confirmed_by=F("asked_by"))),
                name="revocation_stop_has_two_persons",
            ),
            models.CheckConstraint(
                condition=Q(closed_by__isnull=True, closed_at__isnull=True)
                | Q(closed_by__isnull=False, closed_at__isnull=False),
                name="closed_revocation_stop_names_who",
            ),
        ]

    def __str__(self) -> str:
        return f"until {self.ends_at:%Y-%m-%d}"
