"""Links to the registered mailbox of a holder who cannot use his *codice utente*: asked for, sent, used once.

The page that asks stores a wish and nothing else, for known and unknown people alike; a worker sends what is to be
sent. So neither words nor time tell who is in the register (rules.md R26).
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from cms import policy
from cms.actors import SYSTEM, holder_at_page
from cms.errors import CardUnknown, LinkUnknown, TriesTooMany
from cms.models import Card, Holder, HolderLink, HolderVisit, LinkRequest
from cms.services import codes, holder_letters, visits
from cms.states import LinkPurpose, VisitKind
from cms.tax_code import parse_tax_code
from notifications.catalog import Message
from notifications.errors import NotificationError
from runtime import nudge
from runtime.transactions import use_case

log = structlog.get_logger(__name__)

TOKEN_BYTES = 32
HOUR = timedelta(hours=1)
_KEPT_FOR = timedelta(days=30)
# The address of the page that a link opens; pages stand above this package, which knows the name alone.
LINK_PAGE = "holder:open_link"


@use_case
def ask_link(tax_code: str, purpose: LinkPurpose, *, origin: str, now: datetime) -> None:
    """Store the wish for a link to the mailbox of that codice fiscale; nothing of the person is answered.

    `origin`: the caller's network address. Raises `TriesTooMany` when it asked too often in the last hour.
    """
    tax_code = parse_tax_code(tax_code)
    caller = codes.subject_of(origin, kind="origin")
    _queue_up(caller)
    if (
        LinkRequest.objects.filter(origin=caller, asked_at__gt=now - HOUR).count()
        >= settings.CMS.holder_link_wishes_an_hour
    ):
        raise TriesTooMany
    LinkRequest.objects.create(
        subject=codes.subject_of(tax_code),
        origin=caller,
        purpose=purpose,
        holder_id=Holder.objects.filter(tax_code=tax_code).values_list("pk", flat=True).first(),
        asked_at=now,
    )
    nudge.after_commit(codes.WRITE_TO_HOLDERS)


def answer_requests(*, now: datetime, limit: int = 100) -> int:
    """Send the links that were asked for; return how many. Unknown people, and those without a mailbox, get none."""
    waiting = LinkRequest.objects.filter(answered_at__isnull=True).order_by("id")
    return sum(_answer(pk, now=now) for pk in list(waiting.values_list("pk", flat=True)[:limit]))


def link_behind(token: str, *, now: datetime) -> HolderLink:
    """Find the link of a token while it is good; raises why it is not. Looking at it changes nothing."""
    link = HolderLink.objects.filter(token_sha256=visits.digest_of(token)).first()
    if link is None:
        raise LinkUnknown
    policy.require_link_good(link, now)
    return link


@use_case
def use_link(token: str, *, now: datetime) -> str:
    """Open a visit and return its token: the link is used up. Of two who use it at once, the second finds it used."""
    found = HolderLink.objects.select_for_update(no_key=True).filter(token_sha256=visits.digest_of(token))
    link = found.first()
    if link is None:
        raise LinkUnknown
    policy.require_link_good(link, now)
    link.used_at = now
    link.save(update_fields=["used_at"])
    return visits.open_visit(holder_id=link.holder_id, kind=VisitKind.LINK, purpose=link.purpose, now=now)


@use_case
def reopen_code(visit: HolderVisit, *, now: datetime) -> bool:
    """The holder, let in by a link of that purpose, opens his code path again; False if it was open."""
    policy.require_purpose(visit, LinkPurpose.REOPEN)
    holder = _locked(visit.holder_id)
    return codes.reopen(holder, actor=holder_at_page(holder.pk), now=now)


def reissue_code(visit: HolderVisit, card_number: str, *, now: datetime) -> bool:
    """The holder, let in by a link of that purpose, has a new code mailed, if he names the number of a card of his.

    Ten wrong numbers in a row close this way until an operator issues a code. False: sent a moment ago already.
    """
    sent = _reissued(visit, card_number, now=now)
    if sent is None:
        raise CardUnknown
    return sent


def forget_links(*, now: datetime) -> int:
    """Delete links a month after their end, and wishes a day after they were answered; return how many."""
    links, _each = HolderLink.objects.filter(expires_at__lt=now - _KEPT_FOR).delete()
    wishes = LinkRequest.objects.filter(asked_at__lt=now - timedelta(days=1), answered_at__isnull=False)
    return links + wishes.delete()[0]


@use_case
def _answer(pk: int, *, now: datetime) -> bool:
    waiting = LinkRequest.objects.select_for_update(no_key=True, skip_locked=True).filter(answered_at__isnull=True)
    wish = waiting.filter(pk=pk).first()
    if wish is None:
        return False
    wish.answered_at = now
    wish.save(update_fields=["answered_at"])
    holder = _locked(wish.holder_id) if wish.holder_id is not None else None
    if holder is None or not holder.email or _had_enough(holder, now):
        return False
    return _sent(holder, LinkPurpose(wish.purpose), now=now)


def _sent(holder: Holder, purpose: LinkPurpose, *, now: datetime) -> bool:
    """Send, or say in the log why not: nobody else's link waits for a mail that cannot be written."""
    try:
        with transaction.atomic():
            _send(holder, purpose, now=now)
    except NotificationError as refusal:
        log.error("link.refused", holder=holder.pk, error=str(refusal))  # noqa: TRY400 - a trace could show values
        return False
    return True


def _send(holder: Holder, purpose: LinkPurpose, *, now: datetime) -> None:
    """Links sent before stay good: whoever asks in another's name must not be able to spoil the holder's own."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    link = HolderLink.objects.create(
        token_sha256=visits.digest_of(token),
        holder=holder,
        purpose=purpose,
        created_at=now,
        expires_at=now + timedelta(hours=settings.CMS.holder_link_hours),
    )
    holder_letters.post(
        holder,
        Message.HOLDER_LINK,
        key=f"holder-link:{link.uid}",
        at=now,
        secrets={"link_url": f"{settings.BASE_URL}{reverse(LINK_PAGE, args=[token])}"},
        purpose=purpose.value,
        expires_at=link.expires_at.isoformat(),
    )
    holder_letters.record("holder-link.sent", holder, actor=SYSTEM, at=now)


def _had_enough(holder: Holder, now: datetime) -> bool:
    return holder.links.filter(created_at__gt=now - HOUR).count() >= settings.CMS.holder_links_an_hour


@use_case
@sensitive_variables("card_number")
def _reissued(visit: HolderVisit, card_number: str, *, now: datetime) -> bool | None:
    policy.require_purpose(visit, LinkPurpose.REISSUE)
    attempts = codes.locked_attempts(codes.subject_of(visit.holder.tax_code, kind="card"), now=now)
    holder = _locked(visit.holder_id)
    numbers = {_plain(serial) for serial in Card.objects.filter(holder=holder).values_list("serial", flat=True)}
    is_right = _plain(card_number) in numbers and attempts.closed_at is None
    attempts.holder_id = holder.pk  # a known person's counter is kept for as long as it is closed
    codes.count_try(attempts, is_right=is_right, now=now)
    if not is_right:
        return None
    return codes.send_new_code(holder, actor=holder_at_page(holder.pk), now=now)


def _locked(holder_id: int) -> Holder:
    return Holder.objects.select_for_update(no_key=True).get(pk=holder_id)


def _plain(number: str) -> str:
    """A card's number without the blanks and dashes of print."""
    return "".join(char for char in number.upper() if char.isalnum())


def _queue_up(caller: str) -> None:
    """Let wishes of one origin come one after the other, so that fifty at once are counted one by one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [caller])
