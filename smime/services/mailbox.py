"""Control of the mailbox by a mail round trip (SBR 3.2.2.2): mailed, confirmed by a click, mailed again when old."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from cms.errors import LinkUsed
from cms.models import User
from runtime.transactions import use_case
from smime import policy, policy_links
from smime.models import Check, Order
from smime.services import checks, letters, links
from smime.services.acceptance import Accepted, accept_terms, must_recipient_accept
from smime.services.orders import locked_order
from smime.states import CheckKind, CheckState, LinkPurpose


def method() -> str:
    """Name the method and the version of the requirements under which it is carried out, as SBR 3.2.2 wants it kept."""
    return f"SBR 3.2.2.2 v{settings.SMIME.requirements_version}"


def begin(order: Order, check: Check, *, at: datetime) -> None:
    """Mail a fresh value to the order's mailbox, valid for 24 hours.

    Beyond the day's number of mails nothing is sent: the customer may ask again when the number allows it.
    """
    if links.is_day_full(order, LinkPurpose.MAILBOX, at):
        check.ask_customer(at=at)
        check.save()
        return
    _mail(order, check, at=at)


@use_case
def resend(order_uid: UUID, *, buyer: User, now: datetime) -> None:
    """The customer has the mail sent again, with a new value; refused within the cooldown or once confirmed."""
    _resend(locked_order(order_uid, buyer), now=now)


@use_case
@sensitive_variables("token")
def resend_by_link(token: str, *, now: datetime) -> None:
    """The reader of the mailbox, whose link has ended, asks for another one, to the same mailbox."""
    link = links.link_of_now(token, LinkPurpose.MAILBOX)
    _resend(Order.objects.select_for_update().get(pk=link.order_id), now=now)


@use_case
@sensitive_variables("token")
def confirm(token: str, *, address: str | None, now: datetime, accepted: Accepted | None = None) -> Order:
    """Whoever reads the mailbox confirms it. The link is used up; of two links of one round either is enough.

    `accepted`: the terms as shown, if he ticked them. Where he must (`must_recipient_accept`), `TermsNotAccepted` or
    `TermsOutdated` leave the link as it was.
    """
    link = links.use_link(token, LinkPurpose.MAILBOX, address=address, now=now)
    if must_recipient_accept(link.order):
        accept_terms(link.order, accepted, role="recipient", address=address, at=now)
    checks.pass_check(_check_of(link.order), at=now, method=method())
    return link.order


@use_case
def renew(order: Order, *, at: datetime) -> bool:
    """Begin the check anew if the mailbox was confirmed too long ago to issue on it at `at`; say whether.

    Earlier than the 30 days of SBR 4.2.1, so that nothing is signed on the last minute of a proof. The order's row is
    locked by the caller, who has sent it back to its checks.
    """
    check = _check_of(order)
    if not _must_be_renewed(check, at):
        return False
    checks.restart(check, at=at)
    return True


def is_too_old(order: Order, *, at: datetime) -> bool:
    """Whether `renew` would ask for the mailbox again before issuance at `at`."""
    return _must_be_renewed(_check_of(order), at)


def _must_be_renewed(check: Check, at: datetime) -> bool:
    renew_at = (check.passed_at or at) + timedelta(days=settings.SMIME.mailbox_renew_days)
    return check.state == CheckState.PASSED and at >= renew_at


def _resend(order: Order, *, now: datetime) -> None:
    policy.require_open(order)
    check = _check_of(order)
    if check.state == CheckState.PASSED:
        raise LinkUsed
    links.require_may_mail(order, LinkPurpose.MAILBOX, now=now)
    _mail(order, check, at=now)


def _mail(order: Order, check: Check, *, at: datetime) -> None:
    token = links.issue_link(order, LinkPurpose.MAILBOX, at=at)
    letters.post_verify_mailbox(order, links.address_of(LinkPurpose.MAILBOX, token), at=at)
    check.ask_customer(at=at, due_at=policy_links.link_expires_at(LinkPurpose.MAILBOX, at))
    check.save()


def _check_of(order: Order) -> Check:
    return Check.objects.select_related("order").get(order=order, kind=CheckKind.MAILBOX)
