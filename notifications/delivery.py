"""Delivery: claim a batch, talk to the server with no transaction open, record the outcomes.

The claims are committed before the server hears anything, the outcomes after its replies. A process that dies in
between leaves claims that end with their lease; what the server has taken and nobody marked then goes out again, byte
for byte and under the same Message-ID: at most one batch. SMTP offers either "never lost" or "never twice"; legal
notices choose the first.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import zip_longest

import structlog
from django.conf import settings
from django.db.models import QuerySet

from notifications import envelope, queries
from notifications.locking import update_in_order
from notifications.models import TAKEN, OutboxAttachment, OutboxMessage
from notifications.states import MessageState
from notifications.transport import DeliveryFailure, PutOff, Rejected, ServerAway, SmtpTransport, Transport, nothing
from runtime.claims import claim_many, give_back
from runtime.clock import Watch

log = structlog.get_logger(__name__)

LONGEST_DRAIN_SECONDS = 30
"""A drain starts no further mail after this; with one slow mail on top it still ends before the task's soft limit."""

LONGEST_UNMARKED = timedelta(seconds=1)
"""What the server took longer ago is marked before the next mail: with a slow server too, a kill repeats few mails."""


class _Unsendable(DeliveryFailure):
    """The message cannot be composed (a template's fault, a seal that does not open): a person must look."""


def deliver_due(*, at: datetime, limit: int = 500, transport: Transport | None = None) -> int:
    """Send the messages that are due at `at`, at most `limit`; return how many the server took.

    May run any number of times at once: a message is his who claims it. Raises RuntimeError inside a transaction.
    """
    watch, tried, sent = Watch(at), 0, 0
    with closing(transport or SmtpTransport()) as line:
        try:
            while tried < limit and not _lasts_long(watch) and queries.is_due(at=watch.now()):
                line.open()
                batch = _Batch.claimed(watch, most=min(limit - tried, settings.NOTIFICATIONS.mails_per_batch))
                if not batch.fences:
                    break
                tried += len(batch.fences)
                try:
                    batch.deliver(line)
                finally:
                    sent += batch.sent
        except ServerAway as away:
            _wait_for_server(limit, watch.now(), away)
    return sent


def _lasts_long(watch: Watch) -> bool:
    return watch.elapsed().total_seconds() > LONGEST_DRAIN_SECONDS


@dataclass(slots=True)
class _Letter:
    """A message that is composed once, when somebody has time for it; its bytes are kept until they are sent."""

    row: OutboxMessage
    files: Sequence[OutboxAttachment]
    content: bytes | None = field(default=None, repr=False)
    fault: str = ""

    def compose(self) -> None:
        """Compose it, unless that was tried; never raises: whatever is wrong with one message, the others go on."""
        if self.content is not None or self.fault:
            return
        try:
            self.content = envelope.compose(self.row, self.files)
        except Exception as fault:  # noqa: BLE001 - see above
            self.fault = type(fault).__name__
            log.error("outbox.unsendable", message=str(self.row.pk), kind=self.row.kind, error=self.fault)  # noqa: TRY400 - a trace could hold the secret

    def taken_out(self) -> bytes:
        """Hand out its bytes, which may hold a secret, and keep them no longer. Raises _Unsendable."""
        self.compose()
        content, self.content = self.content, None
        if content is None:
            raise _Unsendable(self.fault)
        return content


@dataclass(slots=True)
class _Batch:
    """Messages under one claim: those still to be tried, and those that the server took and nobody has marked yet."""

    watch: Watch
    fences: dict[uuid.UUID, int]
    late_at: datetime
    """From then on the lease could end within one slow mail: the rest is given back."""
    untried: dict[uuid.UUID, int] = field(default_factory=dict)
    unmarked: list[uuid.UUID] = field(default_factory=list)
    taken_at: datetime | None = None
    """When the server took the first of the unmarked ones."""
    sent: int = 0

    @classmethod
    def claimed(cls, watch: Watch, *, most: int) -> _Batch:
        """Claim up to `most` messages that are due."""
        at = watch.now()
        fences = claim_many(queries.waiting(), most=most, at=at, lease=settings.NOTIFICATIONS.lease)
        return cls(watch, fences, at + settings.NOTIFICATIONS.lease_of_a_batch, untried=dict(fences))

    def deliver(self, line: Transport) -> None:
        """Send one after the other and record what became of each. Raises ServerAway when all of them must wait.

        However it ends, what the server took is marked and what was not tried is given back. Only what was under way
        when the process broke keeps its claim, because the server may have it.
        """
        try:
            letters = [_Letter(row, files) for row, files in queries.with_attachments(self.fences)]
            for letter, following in zip_longest(letters, letters[1:]):
                if self._must_stop():
                    break
                self._try(letter, line, following.compose if following else nothing)
        finally:
            self._mark()
            give_back(OutboxMessage, self.untried)

    def _must_stop(self) -> bool:
        return self.watch.now() >= self.late_at or _lasts_long(self.watch)

    def _try(self, letter: _Letter, line: Transport, meanwhile: Callable[[], object]) -> None:
        """Send one letter; `meanwhile`, while the server reads it, the next one is composed."""
        row = letter.row
        fence = self.untried.pop(row.pk)
        try:
            line.send(
                sender=envelope.sender(), recipient=row.recipient, content=letter.taken_out(), meanwhile=meanwhile
            )
        except Rejected as refusal:
            _fail(row, fence, refusal)
        except (PutOff, _Unsendable) as refusal:
            _put_off(row, fence, refusal, self.watch.now())
        except ServerAway:  # a server that is away costs no message an attempt
            self.untried[row.pk] = fence
            raise
        else:
            self._taken(row)

    def _taken(self, row: OutboxMessage) -> None:
        """Remember the 250; mark at once what carried a secret, so that it is wiped, and what has waited for long."""
        now = self.watch.now()
        self.sent += 1
        self.unmarked.append(row.pk)
        self.taken_at = self.taken_at or now
        if row.sealed_context is not None or now - self.taken_at >= LONGEST_UNMARKED:
            self._mark()

    def _mark(self) -> None:
        if self.unmarked:
            _mark_sent(self.unmarked, self.watch.now())
        self.unmarked, self.taken_at = [], None


def _mark_sent(ids: Collection[uuid.UUID], at: datetime) -> None:
    """Record the 250s and wipe the secrets in one update.

    Whoever holds the claims by now: that the server has the mails is a fact, and recording it spares the next copies.
    """
    update_in_order(
        OutboxMessage.objects.filter(pk__in=ids).exclude(state__in=TAKEN),
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


def _wait_for_server(most: int, at: datetime, away: ServerAway) -> None:
    """Let what is due rest for `server_retry_seconds`, so that nobody hammers on a closed door."""
    resting = queries.due(at=at, limit=most)
    log.error("outbox.server-away", error=str(away), waiting=len(resting))
    free = OutboxMessage.objects.filter(pk__in=resting, state=MessageState.QUEUED, claimed_until__isnull=True)
    pause = timedelta(seconds=settings.NOTIFICATIONS.server_retry_seconds)
    update_in_order(free, next_attempt_at=at + pause, last_error=str(away))


def _still_mine(row: OutboxMessage, fence: int) -> QuerySet[OutboxMessage]:
    """Select the row if the claim stands: who lost it writes nothing."""
    return OutboxMessage.objects.filter(pk=row.pk, fence=fence, state=MessageState.QUEUED)
