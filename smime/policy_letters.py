"""Which role reads which mail. Buyer, recipient, technical and organisational contact are four persons (the guide)."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from notifications.catalog import Message
from smime.models import Order
from smime.states import CheckKind


class Reader(enum.Enum):
    """A role of an order that mails go to."""

    RECIPIENT = "recipient"
    TECHNICAL = "technical"
    ORGANISATION = "organisation"
    BUYER = "buyer"


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom a mail greets, and where it goes."""

    reader: Reader
    name: str
    address: str


# The recipient reads what is about himself; only he may consent, be identified, and hold the password (SBR 3.2.2.2:
# the value of the mailbox check goes to no other mailbox). Account matters are the buyer's: he alone enters the area.
READERS: Mapping[Message, tuple[Reader, ...]] = MappingProxyType(
    {
        Message.SMIME_VERIFY_MAILBOX: (Reader.RECIPIENT,),
        Message.SMIME_CONSENT: (Reader.RECIPIENT,),
        Message.SMIME_IDENTIFICATION: (Reader.RECIPIENT,),
        Message.SMIME_IDENTIFICATION_PASSED: (Reader.RECIPIENT,),
        Message.SMIME_IDENTIFICATION_FAILED: (Reader.RECIPIENT,),
        Message.SMIME_ALTERNATIVE: (Reader.RECIPIENT,),
        Message.SMIME_FORM_RECEIVED: (Reader.RECIPIENT,),
        Message.SMIME_ORGANISATION_CHECK: (Reader.ORGANISATION,),
        Message.SMIME_PAPERS_MISSING: (Reader.RECIPIENT, Reader.BUYER),
        Message.SMIME_REFUSED: (Reader.RECIPIENT,),
        Message.SMIME_ISSUED: (Reader.RECIPIENT,),
        Message.SMIME_ISSUED_OWN_KEY: (Reader.RECIPIENT,),
        Message.SMIME_ISSUED_NOTICE: (Reader.TECHNICAL,),
        Message.SMIME_EXPIRING: (Reader.RECIPIENT, Reader.TECHNICAL),
        Message.SMIME_REVOKED: (Reader.RECIPIENT, Reader.TECHNICAL),
        Message.SMIME_SLOTS_CREDITED: (Reader.BUYER,),
        Message.SMIME_OWN_MAILBOX: (Reader.BUYER,),
        Message.SMIME_DOWNLOAD_CODE: (Reader.BUYER,),
        Message.SMIME_DOWNLOAD_LINK: (Reader.RECIPIENT,),
        Message.SMIME_DOWNLOADED: (Reader.RECIPIENT,),
    }
)
_OF_THE_ORGANISATION = frozenset({CheckKind.ORGANISATION, CheckKind.AUTHORITY})


def readers_of(message: Message, check: str = "") -> tuple[Reader, ...]:
    """Roles that read a mail; papers of the organisation are asked of its contact and of the buyer, who sends them."""
    if message == Message.SMIME_PAPERS_MISSING and check in _OF_THE_ORGANISATION:
        return (Reader.ORGANISATION, Reader.BUYER)
    return READERS[message]


def addressees(order: Order, readers: tuple[Reader, ...]) -> list[Addressee]:
    """Name and mailbox of each role, once per mailbox: whoever has two roles gets the mail of the first."""
    found: dict[str, Addressee] = {}
    for reader in readers:
        who = _person(order, reader)
        if who.address:
            found.setdefault(who.address.lower(), who)
    return list(found.values())


def _person(order: Order, reader: Reader) -> Addressee:
    name, address = {
        Reader.RECIPIENT: (f"{order.given_name} {order.surname}", order.mailbox),
        Reader.TECHNICAL: (f"{order.technical_given_name} {order.technical_surname}", order.technical_email),
        Reader.ORGANISATION: (f"{order.contact_given_name} {order.contact_surname}", order.contact_email),
        Reader.BUYER: (order.buyer.full_name, order.buyer.email),
    }[reader]
    return Addressee(reader, name.strip() or address, address)
