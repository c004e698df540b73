"""Delivery: claim, talk to the server with no transaction open, record the outcome.

The claim is committed before the server hears anything, the outcome after its reply. A process that dies in between
leaves a claim that ends with its lease; the message then goes out again, byte for byte and under the same Message-ID.
SMTP offers either "never lost" or "never twice"; legal notices choose the first.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db.models import F, QuerySet

from notifications import envelope, queries
from notifications.models import OutboxAttachment, OutboxMessage
from notifications.states import MessageState
from notifications.transport import DeliveryFailure, PutOff, Rejected, ServerAway, SmtpTransport, Transport
from runtime.claims import claim
from runtime.clock import Watch

log = structlog.get_logger(__name__)

LONGEST_DRAIN_SECONDS = 30
"""A drain starts no further mail after this; with one slow mail on top it still ends before the task's soft limit."""


class _Unsendable(DeliveryFailure):
    """The message cannot be composed (a template's fault, a seal that does not open): a person must look."""


def deliver_due(*, at: datetime, limit: int = 100, transport: Transport | None = None) -> int:
    """Send the messages that are due at `at`, at most `limit`; return how many the server took.

    May run any number of times at once: a message is his who claims it. Raises RuntimeError inside a transaction.
    """
    watch = Watch(at)
    waiting = queries.due(at=at, limit=limit)
    sent = 0
    with closing(transport or SmtpTransport()) as line:
        for pk in waiting:
            if watch.elapsed().total_seconds() > LONGEST_DRAIN_SECONDS:
                break
            try:
                line.open()
                sent += _deliver(pk, line, watch)
            except ServerAway as away:
                _wait_for_server(waiting, watch.now(), away)
                break
    return sent


def _deliver(pk: uuid.UUID, line: Transport, watch: Watch) -> bool:
    """Claim and send one message; False when another has it or the server did not take it. Raises ServerAway."""
    fence = claim(OutboxMessage, pk, at=watch.now(), lease=settings.NOTIFICATIONS.lease)
    if fence is None:
        return False
    row = OutboxMessage.objects.get(pk=pk)
    attachments = list(row.attachments.order_by("position"))  # a database that breaks is no fault of the message
    try:
        line.send(sender=envelope.sender(), recipient=row.recipient, content=_composed(row, attachments))
    except Rejected as refusal:
        _fail(row, fence, refusal)
    except (PutOff, _Unsendable) as refusal:
        _put_off(row, fence, refusal, watch.now())
    except ServerAway:
        _release(row, fence)
        raise
    else:
        _mark_sent(row, watch.now())
        return True
    return False


def _composed(row: OutboxMessage, attachments: Sequence[OutboxAttachment]) -> bytes:
    try:
        return envelope.compose(row, attachments)
    except Exception as fault:  # noqa: BLE001 - whatever is wrong with one message, the others go on
        log.error("outbox.unsendable", message=str(row.pk), kind=row.kind, error=type(fault).__name__)  # noqa: TRY400 - a trace could hold the secret
        raise _Unsendable(type(fault).__name__) from None


def _mark_sent(row: OutboxMessage, at: datetime) -> None:
    """Record the 250 and wipe the secret in one update.

    Whoever holds the claim by now: that the server has the mail is a fact, and recording it spares the next copy.
    """
    OutboxMessage.objects.filter(pk=row.pk).exclude(state=MessageState.SENT).update(
        state=MessageState.SENT,
        sent_at=at,
        sealed_context=None,
        claimed_until=None,
        next_attempt_at=None,
        last_error="",
    )


def _fail(row: OutboxMessage, fence: int, refusal: DeliveryFailure) -> None:
    """Take the message out of the queue for a person to look at; its secret stays sealed for `retry_failed`."""
    log.error("outbox.failed", message=str(row.pk), kind=row.kind, error=str(refusal))
    _still_mine(row, fence).update(
        state=MessageState.FAILED, claimed_until=None, next_attempt_at=None, last_error=str(refusal)
    )


def _put_off(row: OutboxMessage, fence: int, refusal: DeliveryFailure, at: datetime) -> None:
    """Try again later, each time twice as late, until `give_up_days` have passed."""
    if at - row.queued_at > timedelta(days=settings.NOTIFICATIONS.give_up_days):
        _fail(row, fence, refusal)
        return
    log.warning("outbox.put-off", message=str(row.pk), kind=row.kind, error=str(refusal), attempts=row.attempts)
    _still_mine(row, fence).update(
        claimed_until=None,
        next_attempt_at=at + settings.NOTIFICATIONS.pause_after(row.attempts),
        last_error=str(refusal),
    )


def _release(row: OutboxMessage, fence: int) -> None:
    """Give back a claim that led to nothing: a server that is away costs no message an attempt."""
    _still_mine(row, fence).update(claimed_until=None, attempts=F("attempts") - 1)


def _wait_for_server(waiting: list[uuid.UUID], at: datetime, away: ServerAway) -> None:
    """Let what is due rest for `server_retry_seconds`, so that nobody hammers on a closed door."""
    log.error("outbox.server-away", error=str(away), waiting=len(waiting))
    free = OutboxMessage.objects.filter(pk__in=waiting, state=MessageState.QUEUED, claimed_until__isnull=True)
    pause = timedelta(seconds=settings.NOTIFICATIONS.server_retry_seconds)
    free.update(next_attempt_at=at + pause, last_error=str(away))


def _still_mine(row: OutboxMessage, fence: int) -> QuerySet[OutboxMessage]:
    """Select the row if the claim stands: who lost it writes nothing."""
    return OutboxMessage.objects.filter(pk=row.pk, fence=fence, state=MessageState.QUEUED)
