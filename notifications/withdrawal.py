"""Taking back what has not left: a warning whose reason is gone is not sent any more.

Only rows without a claim are taken: what a delivery holds may be with the mail server already, also when the delivery
died and its lease is over, and what was sent stays in the log. A claim that was given back or put off is none: the
server has not taken the mail. A row that is taken back is deleted: nobody has read it, and its fact can be told anew.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import QuerySet

from notifications.catalog import Message
from notifications.models import OutboxMessage
from notifications.states import MessageState


def withdraw_of_cases(case_codes: Collection[str], kinds: Collection[Message]) -> int:
    """Take back queued messages of these kinds about these cases, in the caller's transaction; return how many."""
    codes = [code for code in case_codes if code]
    return _withdraw(OutboxMessage.objects.filter(case_code__in=codes, kind__in=list(kinds)))


def withdraw_keys(keys: Collection[str]) -> int:
    """Take back the queued messages with these keys, in the caller's transaction; return how many."""
    return _withdraw(OutboxMessage.objects.filter(key__in=list(keys)))


def _withdraw(meant: QuerySet[OutboxMessage]) -> int:
    """A row that a delivery is just claiming is passed over: SKIP LOCKED, so that nobody waits for a mail server."""
    free = meant.filter(state=MessageState.QUEUED, claimed_until__isnull=True)
    waiting = free.order_by("pk").select_for_update(skip_locked=True)
    taken = list(waiting.values_list("pk", flat=True))
    if taken:
        OutboxMessage.objects.filter(pk__in=taken).delete()
    return len(taken)
