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
