"""Acceptance of the terms: what was shown, in which version, by whom and from where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from runtime.transactions import use_case
from smime import errors, policy, terms
from smime.models import Order, TermsAcceptance

_RECIPIENT = "recipient"


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a form says was shown when its box was ticked."""

    version: str
    sha256: str


@use_case
def accept_terms(
    order: Order,
    accepted: Accepted | None,
    *,
    role: str,
    address: str | None,
    at: datetime,
    actor_id: int | None = None,
) -> None:
    """Store the acceptance, once per text and role (`buyer` or `recipient`); a recipient's once per mailbox too.

    Raises `TermsNotAccepted` without a ticked box, `TermsOutdated` if another version was shown than is in force now.
    """
    if accepted is None:
        raise errors.TermsNotAccepted
    text = terms.in_force()
    if (accepted.version, accepted.sha256) != (text.version, text.sha256):
        raise errors.TermsOutdated
    TermsAcceptance.objects.get_or_create(
        order=order,
        text=text.kind,
        version=text.version,
        role=role,
        mailbox=_mailbox_of(order, role),
        defaults={"sha256": text.sha256, "actor_id": actor_id, "address": address, "at": at},
    )


def must_recipient_accept(order: Order) -> bool:
    """Whether the reader of the order's mailbox has to accept the terms in force when he confirms it (SBR 9.6.3).

    A recipient who has not bought is the subscriber. Where he consents to be identified he accepts with that; an MV or
    OV order asks nothing else of him. Whoever has accepted this version at this mailbox is not asked again.
    """
    if order.recipient_is_buyer or order.validation in policy.WITH_PERSON:
        return False
    text = terms.in_force()
    said = TermsAcceptance.objects.filter(order=order, text=text.kind, version=text.version, role=_RECIPIENT)
    return not said.filter(mailbox=_mailbox_of(order, _RECIPIENT)).exists()


def _mailbox_of(order: Order, role: str) -> str:
    """Who reads another mailbox is another person, although the order and the role stay."""
    return order.mailbox if role == _RECIPIENT else ""
