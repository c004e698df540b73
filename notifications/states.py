"""States of a message in the outbox."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_noop as _


class MessageState(TextChoices):
    """A message waits, was taken by the mail server, was refused for good, or came back later from the mailbox."""

    QUEUED = "queued", _("In coda")
    SENT = "sent", _("Inviato")
    FAILED = "failed", _("Non recapitato")
    BOUNCED = "bounced", _("Respinto dalla casella")


class BounceKind(TextChoices):
    """What a mail provider tells of a mail that it had taken: returned for good, delayed, or in the mailbox."""

    HARD = "hard", _("Respinto")
    SOFT = "soft", _("Ritardato")
    DELIVERED = "delivered", _("Consegnato")
