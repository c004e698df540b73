"""Who acts, and through which door: both stand in every event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cms.states import Channel

if TYPE_CHECKING:
    from cms.models import User


class HasKey(Protocol):
    """A stored row: this level does not know what kind."""

    pk: int


@dataclass(frozen=True, slots=True)
class Actor:
    """The author of a change. `id`: an operator's account, the holder's id at the client, None for the system."""

    kind: str
    channel: Channel
    id: int | None = None


SYSTEM = Actor("system", Channel.AUTOMATIC)
IMPORTER = Actor("system", Channel.IMPORT)
UNKNOWN_AT_CLIENT = Actor("unknown", Channel.CLIENT)
"""Somebody at the card client who has proven nothing."""


def operator(user: User) -> Actor:
    """An operator at the panel."""
    return Actor("operator", Channel.PANEL, user.pk)


def holder_at_client(holder_id: int) -> Actor:
    """A holder who has proven possession of the old key through the card client."""
    return Actor("holder", Channel.CLIENT, holder_id)


def holder_at_page(holder_id: int) -> Actor:
    """A holder at the public pages, known by case code, *codice utente* or a link to his mailbox."""
    return Actor("holder", Channel.HOLDER_PAGE, holder_id)


def customer(user: User) -> Actor:
    """A buyer at the customer area."""
    return Actor("customer", Channel.CUSTOMER_AREA, user.pk)


def recipient(order: HasKey) -> Actor:
    """Who acts on an order by a link mailed to its mailbox: he has no account, so the order's id stands for him."""
    return Actor("recipient", Channel.MAILED_LINK, order.pk)


def importing(user: User) -> Actor:
    """An operator whose import job does the work."""
    return Actor("operator", Channel.IMPORT, user.pk)
