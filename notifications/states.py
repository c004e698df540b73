"""States of a message in the outbox."""

from __future__ import annotations

from django.db.models import TextChoices


class MessageState(TextChoices):
    """A message waits, was taken by the mail server, or was refused for good."""

    QUEUED = "queued", "In coda"
    SENT = "sent", "Inviato"
    FAILED = "failed", "Non recapitato"
