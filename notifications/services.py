"""Use cases of the outbox: post a message with the fact that causes it, try a failed one again, forget old secrets."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from notifications import policy
from notifications.catalog import CATALOG, Attachment, Message
from notifications.delivery import deliver_due
from notifications.envelope import message_id
from notifications.errors import NotificationError, NotRetryable
from notifications.locking import update_in_order
from notifications.models import OutboxAttachment, OutboxMessage
from notifications.states import MessageState
from runtime import nudge, sealing

__all__ = ["Attachment", "Draft", "deliver_due", "forget_old_secrets", "post", "post_all", "post_each", "retry_failed"]

log = structlog.get_logger(__name__)

DRAIN = "notifications.tasks.drain"


@dataclass(frozen=True, slots=True)
class Draft:
    """A message as its cause describes it; see `post` for the fields."""

    key: str
    message: Message
    to: str
    context: Mapping[str, Any]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    attachments: Sequence[Attachment] = ()
    case_code: str = ""
    holder_id: int | None = None
    language: str = "it"
    centre_id: int | None = None
    service_id: int | None = None


@sensitive_variables("secrets")
def post(  # noqa: PLR0913 - one argument per fact of a message; a bag of them is `Draft`
    *,
    key: str,
    message: Message,
    to: str,
    context: Mapping[str, Any],
    at: datetime,
    secrets: Mapping[str, str] | None = None,
    attachments: Sequence[Attachment] = (),
    case_code: str = "",
    holder_id: int | None = None,
    language: str = "it",
    centre_id: int | None = None,
    service_id: int | None = None,
) -> OutboxMessage:
    """Store a message in the caller's transaction; it is sent after the commit.

    `key` names the fact (case + kind + threshold): posted again, the first row stays and is returned. `secrets` lie
    sealed until the mail server has taken the mail. `centre_id` and `service_id`: who may see the message on the
    panel. Raises ContextRefused, RecipientRefused, AttachmentRefused.
    """
    draft = Draft(
        key, message, to, context, secrets or {}, attachments, case_code, holder_id, language, centre_id, service_id
    )
    stored = _store([draft], at)
    return stored[0] if stored else OutboxMessage.objects.get(key=key)


def post_all(drafts: Iterable[Draft], *, at: datetime) -> int:
    """Store many messages in the caller's transaction, in as many statements as one takes; return how many are new.

    Keys that exist already are passed over. Raises as `post` does, before it stores any.
    """
    return len(_store(_in_order(drafts), at))


def post_each(drafts: Iterable[Draft], *, at: datetime) -> int:
    """Store what can be stored, as `post_all` does; a message that is refused keeps neither its fact nor the others.

    For facts that stand whether they can be told or not: what the clock or the CA has done, what a centre has decided.
    """
    found = _in_order(drafts)
    try:
        return len(_store(found, at))
    except NotificationError:
        return sum(_post_alone(draft, at) for draft in found)


def retry_failed(message_id: uuid.UUID, *, at: datetime) -> OutboxMessage:
    """Put a failed message back into the queue, due at once, with the same Message-ID.

    Raises NotRetryable when it has not failed, or when its secret was wiped meanwhile: then a reissue is needed.
    """
    with transaction.atomic():
        row = OutboxMessage.objects.select_for_update(no_key=True).get(pk=message_id)
        if row.state != MessageState.FAILED:
            msg = "only a failed message can be tried again"
            raise NotRetryable(msg)
        if CATALOG[Message(row.kind)].secrets and row.sealed_context is None:
            msg = "the secret of this message is gone: issue a new one"
            raise NotRetryable(msg)
        row.state, row.next_attempt_at, row.attempts, row.queued_at = MessageState.QUEUED, at, 0, at
        row.save(update_fields=["state", "next_attempt_at", "attempts", "queued_at"])
        nudge.after_commit(DRAIN)
    return row


def forget_old_secrets(*, at: datetime) -> int:
    """Wipe the sealed secrets of messages that failed long ago (`failed_secret_days`); return how many."""
    before = at - timedelta(days=settings.NOTIFICATIONS.failed_secret_days)
    old = OutboxMessage.objects.filter(state=MessageState.FAILED, created_at__lt=before, sealed_context__isnull=False)
    return update_in_order(old, sealed_context=None)


def _in_order(drafts: Iterable[Draft]) -> list[Draft]:
    """By key: two who tell the same facts at once wait for each other's rows, and never crosswise."""
    return sorted(drafts, key=lambda draft: draft.key)


def _post_alone(draft: Draft, at: datetime) -> int:
    """Store one, or say in the log that a person must look: the refusal names keys, never values."""
    try:
        return len(_store([draft], at))
    except NotificationError as refusal:
        what = {"kind": draft.message.value, "holder": draft.holder_id, "centre": draft.centre_id}
        log.error("outbox.refused", error=str(refusal), **what)  # noqa: TRY400 - a trace could show values
        return 0


@sensitive_variables("draft")
def _row(draft: Draft, at: datetime) -> OutboxMessage:
    context = policy.harmless(draft.message, draft.context)
    policy.require_context(draft.message, context)
    policy.require_secrets(draft.message, draft.secrets)
    policy.require_recipient(draft.to)
    policy.require_attachments(draft.message, draft.attachments)
    row = OutboxMessage(
        id=_ordered_id(at),
        key=draft.key,
        kind=draft.message.value,
        recipient=draft.to,
        language=draft.language,
        context=context,
        message_id=message_id(draft.key),
        case_code=draft.case_code,
        holder_id=draft.holder_id,
        centre_id=draft.centre_id,
        service_id=draft.service_id,
        is_urgent=CATALOG[draft.message].is_urgent,
        created_at=at,
        queued_at=at,
        next_attempt_at=at,
    )
    if draft.secrets:
        row.sealed_context = sealing.seal(json.dumps(dict(draft.secrets)).encode(), context=row.seal_context)
    return row


def _store(drafts: list[Draft], at: datetime) -> list[OutboxMessage]:
    """Insert what has a new key; the nudge comes after the commit. A key that another is just storing is waited for."""
    rows = [_row(draft, at) for draft in drafts]
    with transaction.atomic(savepoint=False):
        OutboxMessage.objects.bulk_create(rows, ignore_conflicts=True)
        kept = set(OutboxMessage.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))
        new = [(row, draft) for row, draft in zip(rows, drafts, strict=True) if row.pk in kept]
        OutboxAttachment.objects.bulk_create(file for row, draft in new for file in _files(row, draft.attachments))
        if new:
            nudge.after_commit(DRAIN)
    return [row for row, _ in new]


def _files(row: OutboxMessage, attachments: Sequence[Attachment]) -> Iterator[OutboxAttachment]:
    for position, file in enumerate(attachments):
        yield OutboxAttachment(
            message=row, position=position, name=file.name, media_type=file.media_type, content=file.content
        )


def _ordered_id(at: datetime) -> uuid.UUID:
    """Make a UUID of version 7 (RFC 9562 §5.7): rows of one time lie together in the index."""
    milliseconds = int(at.timestamp() * 1000) & (1 << 48) - 1
    random = int.from_bytes(os.urandom(10)) & (1 << 74) - 1
    high, low = random >> 62, random & (1 << 62) - 1
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)
