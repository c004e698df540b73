"""What the outbox refuses, and why. Each says it to the developer or operator; none holds a secret."""

from __future__ import annotations


class NotificationError(Exception):
    """A message cannot be posted or rendered; `code` is stable."""

    code = "message-invalid"


class ContextRefused(NotificationError):
    """The context does not fit the message: a key is missing, unknown, on the wrong side or of the wrong shape."""

    code = "message-context-invalid"


class RecipientRefused(NotificationError):
    """The address is not one plain mailbox, or hides a second header line."""

    code = "message-recipient-invalid"


class AttachmentRefused(NotificationError):
    """The attachment's name, type or size cannot travel, or the message does not take one."""

    code = "message-attachment-invalid"


class NotReadable(NotificationError):
    """The message carries a secret: it is shown to its recipient alone, and made anew to be sent again."""

    code = "message-not-readable"


class NotRetryable(NotificationError):
    """The message has not failed, or its secret is gone: a reissue is needed."""

    code = "message-not-retryable"


class ReportUnsigned(NotificationError):
    """Whoever reports a bounce does not hold a secret of the webhook, or signed it too long ago."""

    code = "bounce-unsigned"


class ReportUnreadable(NotificationError):
    """A signed report that is not what docs/mail.md describes; `str` names the field, never its value."""

    code = "bounce-unreadable"
