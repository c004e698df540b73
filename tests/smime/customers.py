"""Customers with activations, and the wizard filled in as far as a test needs it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

from allauth.account.models import EmailAddress

from cms.models import Centre, Service, User
from smime import terms
from smime.codes import new_slot_code
from smime.models import Order, Slot
from smime.policy_data import Organisation, Person
from smime.services import descriptions, orders
from smime.services.acceptance import Accepted

PASSWORD = "una frase segreta"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_numbers = itertools.count(1)

ANNA = Person("Anna", "Prova", "anna.prova@posta.example.org")
BRUNO = Person("Bruno", "Esempio", "bruno@azienda.example.org")
COMPANY = Organisation(vat_number="07643520567", register_number="07643520567", country="IT")


def customer(**fields) -> User:
    """An account of the customer area, without access to the panel."""
    name = f"cliente{next(_numbers)}@cliente.example.org"
    user = User.objects.create_user(name, PASSWORD, full_name="Cliente di prova", **fields)
    EmailAddress.objects.create(user=user, email=name, verified=True, primary=True)
    return user


def himself(buyer: User, email: str = "") -> Person:
    """The buyer as the recipient of his own certificate, at an address that he has proven to read."""
    return Person("Anna", "Prova", email or buyer.email)


def proves(buyer: User, email: str) -> str:
    """The buyer has confirmed another address of his."""
    return EmailAddress.objects.create(user=buyer, email=email, verified=True).email


def slot_of(owner: User, validation: str = "mv") -> Slot:
    """An activation that can be started."""
    centre, _ = Centre.objects.get_or_create(
        code="cdrl-esempio", defaults={"name": "Ordine di Esempio", "email": "cdrl@cdrl.example.org"}
    )
    service, _ = Service.objects.get_or_create(
        code="smime-esempio", defaults={"name": "S/MIME", "types": ["authentication"]}
    )
    return Slot.objects.create(
        code=new_slot_code(), owner=owner, credited_at=NOW, centre=centre, service=service, validation=validation
    )


def started(validation: str = "mv", *, buyer: User | None = None) -> Order:
    """A draft in which nothing is filled in."""
    owner = buyer or customer()
    return orders.start_order(slot_of(owner, validation).code, buyer=owner, now=NOW)


def filled_in(validation: str = "mv", *, buyer: User | None = None, own: bool = True) -> Order:
    """A draft that can be submitted; `own`: the buyer is the recipient."""
    order = started(validation, buyer=buyer)
    owner = order.buyer
    who = himself(owner) if own else ANNA
    descriptions.describe_recipient(order.uid, who, is_buyer=own, buyer=owner, now=NOW)
    descriptions.confirm_recipient(order.uid, buyer=owner, now=NOW)
    descriptions.describe_technical_contact(order.uid, who, buyer=owner, now=NOW)
    if validation in {"ov", "sv"}:
        descriptions.describe_organisation_contact(order.uid, BRUNO, ground="", buyer=owner, now=NOW)
        descriptions.describe_organisation(order.uid, COMPANY, buyer=owner, now=NOW)
    if validation == "sv":
        Order.objects.filter(pk=order.pk).update(attestation_later=True)
    order.refresh_from_db()
    return order


def submitted(validation: str = "mv", *, own: bool = True) -> Order:
    """An order whose checks have begun."""
    order = filled_in(validation, own=own)
    return submit(order)


def submit(order: Order, *, at: datetime = NOW) -> Order:
    """Accept the terms in force."""
    text = terms.in_force()
    accepted = Accepted(text.version, text.sha256)
    return orders.submit_order(order.uid, accepted=accepted, address="192.0.2.7", buyer=order.buyer, now=at)
