"""Rules of mailed links: how long they live, when they count, how often one may be sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings

from cms.errors import LinkExpired, LinkUsed
from smime.errors.links import LinkOutdated, LinksTooMany, LinkTooSoon
from smime.models import MailedLink
from smime.states import OPEN_STATES, CheckKind, LinkPurpose, OrderState

DAY = timedelta(days=1)
CHECK_OF = {
    LinkPurpose.MAILBOX: CheckKind.MAILBOX,
    LinkPurpose.CONSENT: CheckKind.CONSENT,
    LinkPurpose.IDENTIFICATION: CheckKind.IDENTITY,
    LinkPurpose.ALTERNATIVE: CheckKind.IDENTITY,
}
"""The check whose round a link belongs to; a download belongs to the edition of a certificate instead."""
FOLLOWED_AGAIN = frozenset(
    {LinkPurpose.CONSENT, LinkPurpose.IDENTIFICATION, LinkPurpose.ALTERNATIVE, LinkPurpose.DOWNLOAD}
)
"""Links that lead to work of several visits, or to a consent that can be withdrawn: good until they end.

`used_at` tells of the first time. A download stays with the browser that came first.
"""
OPEN_FOR = {
    LinkPurpose.DOWNLOAD: (OrderState.ISSUED,),
    LinkPurpose.CONSENT: (*OPEN_STATES, OrderState.ISSUED),
}
"""In which states of an order a link counts, where it is not as long as the order is open."""


def link_expires_at(purpose: LinkPurpose, at: datetime) -> datetime:
    """Return the end of a link mailed at `at`; a mailbox value lives 24 hours at most (SBR 3.2.2.2)."""
    if purpose == LinkPurpose.MAILBOX:
        return at + timedelta(hours=settings.SMIME.mailbox_link_hours)
    if purpose == LinkPurpose.IDENTIFICATION:
        return at + timedelta(hours=settings.SMIME.identification_hours)
    return at + timedelta(days=settings.SMIME.link_days)


def require_link_good(link: MailedLink, *, round_: int, is_order_open: bool, now: datetime) -> None:
    """Refuse a link that has been used, has ended, or belongs to data that have changed since."""
    if link.used_at is not None and link.purpose not in FOLLOWED_AGAIN:
        raise LinkUsed
    if link.expires_at <= now:
        raise LinkExpired
    if link.round != round_ or not is_order_open:
        raise LinkOutdated


def is_day_full(sent: Sequence[datetime], now: datetime) -> bool:
    """Whether so many mails of a kind went out within a day that no more go out, whoever asks."""
    return len([instant for instant in sent if instant > now - DAY]) >= settings.SMIME.links_a_day


def next_mail_at(sent: Sequence[datetime], now: datetime) -> datetime:
    """Return from when on another mail of a kind may go out, `sent` being the instants of the last day's; or `now`."""
    recent = sorted(instant for instant in sent if instant > now - DAY)
    if not recent:
        return now
    cooled = recent[-1] + timedelta(seconds=settings.SMIME.link_cooldown_seconds)
    most = settings.SMIME.links_a_day
    freed = recent[-most] + DAY if len(recent) >= most else now
    return max(now, cooled, freed)


def require_may_mail(sent: Sequence[datetime], now: datetime) -> None:
    """Refuse a mail that would follow another at once, or be one too many within a day."""
    possible_at = next_mail_at(sent, now)
    if possible_at <= now:
        return
    cooldown = timedelta(seconds=settings.SMIME.link_cooldown_seconds)
    raise LinkTooSoon if possible_at <= now + cooldown else LinksTooMany
