"""Mailed links: made for one mail each, looked at by GET, used by POST. The register keeps digests only (SBR 3.2.2.2).

A program that opens the links of mails (HEAD, GET, however often) changes nothing. One that runs the page and presses
its button cannot be told from a person; one that sends the form without the button's own value can, and is refused.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from cms.errors import LinkUnknown
from runtime.transactions import use_case
from smime import policy_links
from smime.errors.links import LinkOutdated
from smime.models import Check, MailedLink, Order
from smime.states import OPEN_STATES, LinkPurpose

TOKEN_BYTES = 32
PAGES = {
    LinkPurpose.MAILBOX: "casella",
    LinkPurpose.CONSENT: "consenso",
    LinkPurpose.IDENTIFICATION: "riconoscimento",
    LinkPurpose.ALTERNATIVE: "alternativa",
    LinkPurpose.DOWNLOAD: "ritiro",
}
"""Where below `link/` in the customer area the page of each purpose stands; a test compares it with the addresses."""
_KEPT_FOR = timedelta(days=90)


def issue_link(
    order: Order,
    purpose: LinkPurpose,
    *,
    at: datetime,
    attempt_id: int | None = None,
    expires_at: datetime | None = None,
) -> str:
    """Make a fresh value of 256 bits for one mail to the order's mailbox, and return it once, for that mail alone.

    Links sent before stay good until they end or their check starts anew. `expires_at`: where the purpose's own span
    would outlive what the link leads to. Runs in the caller's transaction.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    MailedLink.objects.create(
        order=order,
        purpose=purpose,
        round=_round_of(order, purpose),
        token_sha256=digest_of(token),
        sent_to=order.mailbox,
        created_at=at,
        expires_at=expires_at or policy_links.link_expires_at(purpose, at),
        attempt_id=attempt_id,
    )
    return token


@sensitive_variables("token")
def address_of(purpose: LinkPurpose, token: str) -> str:
    """Write the address of a link. The host is the installation's own setting, never what a request has said."""
    return f"{settings.BASE_URL}{settings.CUSTOMER_PATH}link/{PAGES[purpose]}/{token}/"


def return_addresses() -> dict[str, str]:
    """Where the identification provider sends people afterwards, under its names for them; nobody is named there."""
    page = f"{settings.BASE_URL}{settings.CUSTOMER_PATH}link/{PAGES[LinkPurpose.IDENTIFICATION]}/esito"
    ends = {"successUrl": "riuscito", "errorUrl": "fallito", "unverifiedUrl": "interrotto"}
    return {name: f"{page}/{end}/" for name, end in ends.items()}


@sensitive_variables("token")
def open_link(token: str, purpose: LinkPurpose, *, now: datetime) -> MailedLink:
    """Return the link with its order while it is good; raises why it is not. Looking at it changes nothing."""
    link = _found(token, purpose)
    _require_good(link, now)
    return link


@sensitive_variables("token")
def link_of_now(token: str, purpose: LinkPurpose) -> MailedLink:
    """Return a link, ended or used, that belongs to data as they are: its reader may have another mail sent there."""
    link = _found(token, purpose)
    if link.round != _round_of(link.order, purpose) or not _is_open(link.order, purpose):
        raise LinkOutdated
    return link


@use_case
@sensitive_variables("token")
def use_link(token: str, purpose: LinkPurpose, *, address: str | None, now: datetime) -> MailedLink:
    """Use a link up, in the transaction of what it is used for; its order is locked. Of two at once, one is refused."""
    found = _found(token, purpose)
    order = Order.objects.select_for_update(no_key=True).get(pk=found.order_id)
    link = MailedLink.objects.select_for_update(no_key=True).get(pk=found.pk)
    link.order = order
    _require_good(link, now)
    if link.used_at is None:
        link.used_at, link.used_from = now, address
        link.save(update_fields=["used_at", "used_from"])
    return link


def is_day_full(order: Order, purpose: LinkPurpose, now: datetime) -> bool:
    """Whether no more mails of this purpose go out today: corrected data must not become a way to fill a mailbox."""
    return policy_links.is_day_full(_sent(order, purpose, now), now)


def next_mail_at(order: Order, purpose: LinkPurpose, now: datetime) -> datetime:
    """Return from when on the customer may have another mail of this purpose sent; `now` when at once."""
    return policy_links.next_mail_at(_sent(order, purpose, now), now)


def require_may_mail(order: Order, purpose: LinkPurpose, *, now: datetime) -> None:
    """Refuse a resend within the cooldown or beyond the day's number. The order is locked by the caller."""
    policy_links.require_may_mail(_sent(order, purpose, now), now)


def forget_links(*, now: datetime) -> int:
    """Delete unused links long after their end; used ones are evidence of who confirmed what. Return how many."""
    return MailedLink.objects.filter(expires_at__lt=now - _KEPT_FOR, used_at__isnull=True).delete()[0]


@sensitive_variables("token")
def digest_of(token: str) -> str:
    """SHA-256 of a token, as the register keeps it: random bits need no salt and no stretching."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


@sensitive_variables("token")
def _found(token: str, purpose: LinkPurpose) -> MailedLink:
    rows = MailedLink.objects.select_related("order").filter(token_sha256=digest_of(token), purpose=purpose)
    link = rows.first()
    if link is None:
        raise LinkUnknown
    return link


def _require_good(link: MailedLink, now: datetime) -> None:
    purpose = LinkPurpose(link.purpose)
    round_, is_open = _round_of(link.order, purpose), _is_open(link.order, purpose)
    policy_links.require_link_good(link, round_=round_, is_order_open=is_open, now=now)


def _is_open(order: Order, purpose: LinkPurpose) -> bool:
    return order.state in policy_links.OPEN_FOR.get(purpose, OPEN_STATES)


def _round_of(order: Order, purpose: LinkPurpose) -> int:
    kind = policy_links.CHECK_OF.get(purpose)
    if kind is None:
        newest = order.certificates.handed_over().order_by("-edition").values_list("edition", flat=True).first()
        return newest or 1
    return Check.objects.values_list("round", flat=True).get(order_id=order.pk, kind=kind)


def _sent(order: Order, purpose: LinkPurpose, now: datetime) -> list[datetime]:
    recent = MailedLink.objects.filter(order=order, purpose=purpose, created_at__gt=now - policy_links.DAY)
    return list(recent.values_list("created_at", flat=True))
