"""What an enrolment leaves behind: acceptances, the form, challenges, sessions."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from cms.fsm import append_only
from cms.models import Pair
from renewals.models.cases import RenewalCase
from renewals.states import Purpose, TextKind


class Acceptance(models.Model):
    """A text that the holder accepted, with version and hash of what was shown (ETSI EN 319 411-1 REG-6.3.4)."""

    case = models.ForeignKey(RenewalCase, models.PROTECT, related_name="acceptances")
    kind = models.CharField(max_length=24, choices=TextKind.choices)
    version = models.CharField(max_length=16)
    sha256 = models.CharField(max_length=64)
    accepted_at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = append_only("acceptance")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case", "kind", "version"], name="one_acceptance_per_text_version")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.version}"


class RenewalForm(models.Model):
    """The form of a case: the bytes shown, what the card signs, and the signed document."""

    case = models.OneToOneField(RenewalCase, models.PROTECT, related_name="form", primary_key=True)
    content_sha256 = models.CharField(max_length=64)
    document_sha256 = models.CharField(max_length=64)
    prepared_pdf = models.BinaryField()
    signed_attributes = models.BinaryField()
    signing_state = models.JSONField()
    rendered_at = models.DateTimeField()
    signed_pdf = models.BinaryField(null=True)

    def __str__(self) -> str:
        return self.document_sha256[:16]


class MailboxConfirmation(models.Model):
    """A changed mailbox waits for the code that was mailed to it."""

    case = models.OneToOneField(RenewalCase, models.PROTECT, related_name="confirmation", primary_key=True)
    code_mac = models.CharField(max_length=64)
    tries = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField()
    sequence = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return str(self.pk)


class Challenge(models.Model):
    """A text to be signed by a card, once, within minutes. Lives in PostgreSQL: a Redis flush replays nothing."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    purpose = models.CharField(max_length=16, choices=Purpose.choices)
    pair = models.ForeignKey(Pair, models.PROTECT, related_name="+")
    case = models.ForeignKey(RenewalCase, models.PROTECT, null=True, blank=True, related_name="+")
    spki_sha256 = models.CharField(max_length=64, blank=True)
    nonce = models.CharField(max_length=64, unique=True)
    text = models.TextField()
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.purpose} {self.id}"


class EnrolmentSession(models.Model):
    """A short-lived bearer session bound to one case; the token itself is never stored."""

    token_sha256 = models.CharField(max_length=64, unique=True)
    case = models.ForeignKey(RenewalCase, models.PROTECT, related_name="sessions")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.pk)
