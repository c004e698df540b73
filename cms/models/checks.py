"""Checks of the status of certificates from outside: register, CA, newest CRL and OCSP side by side."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from cms.models.certificates import Certificate
from cms.states import DifferenceKind
from runtime.claims import Claimable


class StatusCheck(Claimable):
    """One walk over all certificates, in slices that any worker takes up; `position` is the last id looked at.

    `lists` keeps of each CRL, by its address, number, dates and how many it lists: the next check compares the numbers.
    `started_by` is empty for the check of the night.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    started_at = models.DateTimeField("iniziato il")
    finished_at = models.DateTimeField("concluso il", null=True, blank=True)
    stage = models.CharField(max_length=16, default="register")
    position = models.BigIntegerField(default=0)
    checked = models.PositiveBigIntegerField("certificati controllati", default=0)
    total = models.PositiveBigIntegerField("certificati", default=0)
    failure = models.CharField("errore", max_length=80, blank=True)
    lists = models.JSONField(default=dict)
    started_by = models.BigIntegerField("avviato da", null=True, blank=True)

    class Meta:
        verbose_name = "controllo dello stato"
        verbose_name_plural = "controlli dello stato"
        indexes: ClassVar = [
            models.Index(fields=["next_attempt_at"], condition=Q(finished_at__isnull=True), name="status_check_open")
        ]

    def __str__(self) -> str:
        return str(self.uid)


class StatusDifference(models.Model):
    """One certificate about which the four do not agree; empty where one was not asked.

    Of a CRL that does not hold as a whole, `address` says which, and no number is given. A difference counts from
    `confirmed_at` on: until then it was seen once and may be a change that was under way.
    """

    check_run = models.ForeignKey(StatusCheck, models.CASCADE, related_name="differences")
    certificate = models.ForeignKey(Certificate, models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=24, choices=DifferenceKind.choices)
    issuer_key_id = models.CharField(max_length=64)
    serial = models.CharField("numero di serie", max_length=40)
    register_status = models.CharField(max_length=16, blank=True)
    ca_status = models.CharField(max_length=16, blank=True)
    crl_status = models.CharField(max_length=16, blank=True)
    ocsp_status = models.CharField(max_length=16, blank=True)
    address = models.CharField("indirizzo", max_length=200, blank=True)
    found_at = models.DateTimeField("rilevata il")
    confirmed_at = models.DateTimeField("confermata il", null=True, blank=True)

    class Meta:
        verbose_name = "differenza di stato"
        verbose_name_plural = "differenze di stato"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["check_run", "issuer_key_id", "serial", "address", "kind"],
                name="one_difference_per_check_and_kind",
            ),
            models.CheckConstraint(condition=Q(kind__in=DifferenceKind.values), name="difference_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.serial or self.address}"
