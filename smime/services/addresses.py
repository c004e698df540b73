"""The addresses that a customer has proven to read: *Io* is believed of them alone.

Nothing is stored before the proof: the mailed link is signed, names account, address and end, and counts in that
account's own session only. A stranger who presses it adds nothing to anybody, and its reader must log in as the buyer.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from cms import events
from cms.actors import customer
from cms.contacts import email_key
from cms.errors import LinkExpired, LinkUnknown
from cms.models import User
from runtime.transactions import use_case
from smime import policy_data, queries
from smime.errors.addresses import AddressesFixed, AddressKnown, AddressNeeded, AddressTaken
from smime.models import Slot
from smime.services import letters

_SALT = "smime.address"


@use_case
def ask(typed: str, *, buyer: User, now: datetime) -> str:
    """Mail a link to another address of the buyer's, good for `mailbox_link_hours`; returns the address.

    Says the same whether or not another account has it. Raises what is wrong with it, `AddressKnown`, `AddressesFixed`.
    """
    _require_customer(buyer)
    address = policy_data.mailbox(typed)
    if email_key(address) in {email_key(each) for each in queries.own_mailboxes_of(buyer)}:
        raise AddressKnown
    slot = Slot.objects.filter(owner=buyer).select_related("centre").order_by("-pk").first()
    if slot is None:  # nothing was ever bought: there is nothing to use an address for, and no centre to write
        raise AddressesFixed
    ends = now + timedelta(hours=settings.SMIME.mailbox_link_hours)
    letters.post_own_mailbox(slot, address, _link_to(buyer, address, ends), expires=ends, at=now)
    return address


@sensitive_variables("token")
def address_behind(token: str, *, buyer: User, now: datetime) -> str:
    """The address of a link; raises `LinkUnknown`, in another account's session too, or `LinkExpired`."""
    try:
        said = signing.Signer(salt=_SALT).unsign_object(token)
    except (signing.BadSignature, ValueError) as forged:
        raise LinkUnknown from forged
    if said["account"] != buyer.pk:
        raise LinkUnknown
    if now >= datetime.fromtimestamp(said["end"], tz=UTC):
        raise LinkExpired
    return str(said["address"])


@use_case
@sensitive_variables("token")
def confirm(token: str, *, buyer: User, now: datetime) -> str:
    """Add the address to the account, and return it; twice is once. Raises as `address_behind`, `AddressTaken`."""
    _require_customer(buyer)
    address = address_behind(token, buyer=buyer, now=now).lower()
    if EmailAddress.objects.filter(user=buyer, email=address, verified=True).exists():
        return address
    try:
        with transaction.atomic():
            EmailAddress.objects.update_or_create(user=buyer, email=address, defaults={"verified": True})
    except IntegrityError as taken:  # an address is verified in one account at a time
        raise AddressTaken from taken
    _record("smime.address-confirmed", buyer, now)
    return address


@use_case
def remove(address: str, *, buyer: User, now: datetime) -> None:
    """Take an address off the account; orders that were made for it stay the buyer's. Twice is once."""
    _require_customer(buyer)
    row = EmailAddress.objects.select_for_update().filter(user=buyer, email=address).first()
    if row is None:
        return
    if row.primary or row.email == buyer.email:
        raise AddressNeeded
    row.delete()
    _record("smime.address-removed", buyer, now)


def _require_customer(buyer: User) -> None:
    if buyer.is_staff:
        raise AddressesFixed


@sensitive_variables()
def _link_to(buyer: User, address: str, ends: datetime) -> str:
    said = {"account": buyer.pk, "address": address, "end": int(ends.timestamp())}
    token = signing.Signer(salt=_SALT).sign_object(said, compress=True)
    return f"{settings.BASE_URL}{reverse('smime:own_address', args=[token])}"


def _record(verb: str, buyer: User, now: datetime) -> None:
    events.record(verb, actor=customer(buyer), at=now, facts={"account": buyer.pk})
