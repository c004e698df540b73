"""The outbox: one row per message, its attachments beside it. Subjects are plain ids; nothing here points upwards."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from notifications.states import BounceKind, MessageState
from runtime.claims import Claimable

SETTLED = (MessageState.SENT, MessageState.FAILED, MessageState.BOUNCED)
TAKEN = (MessageState.SENT, MessageState.BOUNCED)
UNDELIVERED = (MessageState.FAILED, MessageState.BOUNCED)


class OutboxMessage(Claimable):
    """A mail that is due, was taken by the mail server, or was refused for good.

    `kind` is a value of `catalog.Message`. `key` says which fact causes the message (`suspended:<case>`): the same fact
    never makes two rows. `next_attempt_at` is None once the message is settled. Moved by `notifications.delivery` and
    `services.retry_failed` alone.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(max_length=200)
    kind = models.CharField(max_length=40)
    recipient = models.CharField(max_length=254)
    language = models.CharField(max_length=8, default="it")
    context = models.JSONField()
    sealed_context = models.BinaryField(null=True, editable=False)
    message_id = models.CharField(max_length=200)
    case_code = models.CharField(max_length=40, blank=True)
    holder_id = models.BigIntegerField(null=True, blank=True)
    centre_id = models.BigIntegerField(null=True, blank=True)
    service_id = models.BigIntegerField(null=True, blank=True)
    is_urgent = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=MessageState.choices, default=MessageState.QUEUED)
    created_at = models.DateTimeField()
    queued_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=80, blank=True)
    bounced_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "messaggio"
        verbose_name_plural = "messaggi"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            UniqueConstraint(fields=["key"], name="outbox_one_message_per_key"),
            CheckConstraint(condition=Q(state__in=MessageState.values), name="outbox_state_is_known"),
            CheckConstraint(
                condition=Q(state__in=TAKEN, sent_at__isnull=False) | (~Q(state__in=TAKEN) & Q(sent_at__isnull=True)),
                name="outbox_sent_has_its_instant",
            ),
            CheckConstraint(
                condition=~Q(state__in=TAKEN) | Q(sealed_context__isnull=True),
                name="outbox_sent_keeps_no_secret",
            ),
            CheckConstraint(
                condition=Q(state=MessageState.QUEUED, next_attempt_at__isnull=False)
                | Q(state__in=SETTLED, next_attempt_at__isnull=True, claimed_until__isnull=True),
                name="outbox_only_queued_is_due",
            ),
            CheckConstraint(
                condition=~Q(recipient__regex=r"[[:cntrl:][:space:]]"), name="outbox_recipient_is_one_line"
            ),
            CheckConstraint(condition=Q(message_id__regex=r"^<[!-;=?-~]+@[!-;=?-~]+>$"), name="outbox_has_message_id"),
            CheckConstraint(condition=~Q(key=""), name="outbox_has_key"),
            CheckConstraint(
                condition=Q(state=MessageState.BOUNCED, bounced_at__isnull=False)
                | (~Q(state=MessageState.BOUNCED) & Q(bounced_at__isnull=True)),
                name="outbox_bounced_has_its_instant",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["-is_urgent", "next_attempt_at"], name="outbox_due", condition=Q(state=MessageState.QUEUED)
            ),
            models.Index(fields=["case_code", "created_at"], name="outbox_of_case", condition=~Q(case_code="")),
            models.Index(fields=["message_id"], name="outbox_by_message_id"),
            models.Index(fields=["created_at"], name="outbox_undelivered", condition=Q(state__in=UNDELIVERED)),
            models.Index(fields=["service_id", "centre_id", "-id"], name="outbox_by_scope"),
            models.Index(
                fields=["service_id", "centre_id", "-id"],
                name="outbox_unsent_by_scope",
                condition=~Q(state=MessageState.SENT),
            ),
        ]

    def __str__(self) -> str:
        """Say kind and state: the recipient is personal data and stays out of logs."""
        return f"{self.kind} ({self.state})"

    @property
    def seal_context(self) -> str:
        """What the sealed secrets are bound to: copied to another row they do not open."""
        return f"outbox:{self.key}"


class OutboxAttachment(models.Model):
    """A file of a message, in its place among them; bytes apart, so that lists of messages stay light."""

    message = models.ForeignKey(OutboxMessage, on_delete=models.CASCADE, related_name="attachments")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=120)
    media_type = models.CharField(max_length=100)
    content = models.BinaryField()

    class Meta:
        verbose_name = "allegato"
        verbose_name_plural = "allegati"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            UniqueConstraint(fields=["message", "position"], name="outbox_attachment_has_its_place"),
        ]

    def __str__(self) -> str:
        """Say the file's name."""
        return self.name


class BounceReport(models.Model):
    """What the mail provider told through the signed webhook, once per `reference`; told again, nothing happens.

    `settled_at` is None while a return waits to be written into message and case; the other kinds are born settled.
    `reported_at` is the provider's word, `received_at` ours.
    """

    reference = models.CharField(max_length=120, unique=True)
    message = models.ForeignKey(OutboxMessage, on_delete=models.CASCADE, null=True, related_name="bounces")
    kind = models.CharField(max_length=12, choices=BounceKind.choices)
    status = models.CharField(max_length=12, blank=True)
    reported_at = models.DateTimeField()
    received_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "segnalazione di mancato recapito"
        verbose_name_plural = "segnalazioni di mancato recapito"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            CheckConstraint(condition=Q(kind__in=BounceKind.values), name="bounce_kind_is_known"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["id"], name="bounce_unsettled", condition=Q(settled_at__isnull=True)),
        ]

    def __str__(self) -> str:
        """Say which report."""
        return self.reference
