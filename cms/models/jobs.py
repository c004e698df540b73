"""Long work that an operator starts: rows with an outcome each, resumable by any worker."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from cms.models.organisations import Centre, Service, User
from cms.states import JobKind, JobRowState, JobState
from runtime.claims import Claimable


class Job(Claimable):
    """What was asked, by whom, for which centre and service.

    One worker at a time holds the claim; a killed one loses it after its lease, and the next goes on at the first row
    without an outcome.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField("operazione", max_length=16, choices=JobKind.choices)
    state = models.CharField("stato", max_length=12, choices=JobState.choices, default=JobState.RUNNING)
    centre = models.ForeignKey(Centre, models.PROTECT, related_name="+", verbose_name="CDRL")
    service = models.ForeignKey(Service, models.PROTECT, related_name="+", verbose_name="servizio")
    started_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="avviata da")
    created_at = models.DateTimeField("creata il")
    finished_at = models.DateTimeField("conclusa il", null=True, blank=True)
    parameters = models.JSONField(default=dict)
    total = models.PositiveIntegerField("righe", default=0)
    done = models.PositiveIntegerField("riuscite", default=0)
    refused = models.PositiveIntegerField("non eseguite", default=0)

    class Meta:
        verbose_name = "operazione"
        verbose_name_plural = "operazioni"
        indexes: ClassVar = [
            models.Index(fields=["next_attempt_at"], condition=Q(next_attempt_at__isnull=False), name="job_due"),
            models.Index(fields=["service", "centre", "-id"], name="job_by_scope"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=JobKind.values), name="job_kind_known"),
            models.CheckConstraint(condition=Q(state__in=JobState.values), name="job_state_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.uid}"


class JobRow(models.Model):
    """One row of a job: what it is about (`subject_id`, `payload`) and what became of it."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="rows")
    position = models.PositiveIntegerField("riga")
    subject_id = models.BigIntegerField(null=True, blank=True)
    payload = models.JSONField(default=dict)
    state = models.CharField("esito", max_length=8, choices=JobRowState.choices, default=JobRowState.PLANNED)
    code = models.CharField("codice", max_length=48, blank=True)
    text = models.CharField("spiegazione", max_length=400, blank=True)
    settled_at = models.DateTimeField("il", null=True, blank=True)

    class Meta:
        verbose_name = "riga"
        verbose_name_plural = "righe"
        indexes: ClassVar = [
            models.Index(fields=["job", "position"], condition=Q(state="planned"), name="job_row_planned"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["job", "position"], name="one_row_per_position"),
            models.CheckConstraint(condition=Q(state__in=JobRowState.values), name="job_row_state_known"),
        ]

    def __str__(self) -> str:
        return f"{self.job_id}/{self.position}"


class JobFile(models.Model):
    """A file that came with a job, apart from the rows that workers touch; deleted when the job ends."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="files")
    name = models.CharField(max_length=120)
    content = models.BinaryField()

    def __str__(self) -> str:
        return self.name
