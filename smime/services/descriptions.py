"""What an order says about persons, organisation and key: filled in step by step, corrected while checks run.

After submission a correction restarts the checks that it touches, and no others; what officers had verified about the
old data is forgotten, so that it cannot reach a certificate.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from cms import events
from cms.actors import customer
from cms.models import User
from pki.csr import read_request
from pki.errors import PkiError
from pki.smime_profiles import require_mail_key
from runtime.transactions import use_case
from smime import errors, policy, policy_data, queries
from smime.models import Check, Order, SmimeCertificate
from smime.policy import Data
from smime.policy_data import Organisation, Person
from smime.services import checks
from smime.services.orders import locked_order
from smime.states import BundleFormat, KeyKind, KeyOrigin, OrderState, SameContact

EDITABLE = (OrderState.DRAFT, OrderState.CHECKING)
DATA_OF = {
    "given_name": Data.NAME,
    "surname": Data.NAME,
    "mailbox": Data.MAILBOX,
    **dict.fromkeys(
        ("technical_given_name", "technical_surname", "technical_email", "technical_phone"), Data.TECHNICAL
    ),
    **dict.fromkeys(("contact_given_name", "contact_surname", "contact_email", "same_contact_ground"), Data.CONTACT),
    **dict.fromkeys(("vat_number", "register_number", "rea_number", "country"), Data.ORGANISATION),
}
"""To which kind of data a column belongs; a D-U-N-S number proves nothing and touches nothing."""
VERIFIED_FROM = {
    Data.NAME: {"role_title": ""},
    Data.ORGANISATION: {"organisation_name": "", "organisation_identifier": "", "role_title": ""},
}


@use_case
def describe_recipient(order_uid: UUID, person: Person, *, is_buyer: bool, buyer: User, now: datetime) -> Order:
    """Say who will use the certificate, and its mailbox.

    `is_buyer` decides who downloads the key, so it is believed of the buyer's own verified addresses alone. Asked once
    per mailbox of an order: an address removed from the account afterwards was the buyer's when the order was made,
    and its reader confirms it by mail before every certificate.

    Raises what is wrong with the data, `MailboxNotOwn`, `RecipientFixed`, `OrderClosed` once a certificate says it.
    """
    order = _editable(order_uid, buyer)
    if order.certificates.handed_over().exists():
        raise errors.OrderClosed
    checked = policy_data.checked_person(person)
    if order.state != OrderState.DRAFT and order.recipient_is_buyer != is_buyer:
        raise errors.RecipientFixed
    if is_buyer and (order.mailbox, order.recipient_is_buyer) != (checked.email, True):
        policy_data.require_own_mailbox(checked.email, queries.own_mailboxes_of(buyer))
    values = {
        "given_name": checked.given_name,
        "surname": checked.surname,
        "mailbox": checked.email,
        "recipient_is_buyer": is_buyer,
    }
    return _store(order, values, buyer, now)


@use_case
def confirm_recipient(order_uid: UUID, *, buyer: User, now: datetime) -> Order:
    """The customer has looked at the recipient's data again: `Conferma e prosegui`. Raises `StepMissing`."""
    order = _editable(order_uid, buyer)
    if not order.mailbox:
        raise errors.StepMissing
    if order.recipient_confirmed_at is None:
        order.recipient_confirmed_at = now
        order.save(update_fields=["recipient_confirmed_at"])
    return order


@use_case
def describe_technical_contact(order_uid: UUID, person: Person, *, buyer: User, now: datetime) -> Order:
    """Say who is told of issuance, renewal and revocation; afterwards it touches no check."""
    order = _editable(order_uid, buyer)
    checked = policy_data.checked_person(person)
    values = {
        "technical_given_name": checked.given_name,
        "technical_surname": checked.surname,
        "technical_email": checked.email,
        "technical_phone": checked.phone,
    }
    policy.require_contacts_differ(order, {**values, **_contact_of(order)}, order.same_contact_ground)
    return _store(order, values, buyer, now)


@use_case
def describe_organisation_contact(order_uid: UUID, person: Person, *, ground: str, buyer: User, now: datetime) -> Order:
    """Say who answers for the organisation. The technical contact may do so on a declared ground only (step 4)."""
    order = _editable(order_uid, buyer)
    checked = policy_data.checked_person(person)
    values = {
        "contact_given_name": checked.given_name,
        "contact_surname": checked.surname,
        "contact_email": checked.email,
    }
    is_same = policy.is_same_contact(order, values)
    values["same_contact_ground"] = SameContact(ground).value if ground and is_same else ""
    policy.require_contacts_differ(order, values, values["same_contact_ground"])
    return _store(order, values, buyer, now)


@use_case
def describe_organisation(order_uid: UUID, organisation: Organisation, *, buyer: User, now: datetime) -> Order:
    """Say which organisation applies; the officer verifies it and writes what the certificate will say."""
    order = _editable(order_uid, buyer)
    checked = policy_data.checked_organisation(organisation)
    values = {
        "vat_number": checked.vat_number,
        "register_number": checked.register_number,
        "rea_number": checked.rea_number,
        "country": checked.country,
        "duns": checked.duns,
    }
    return _store(order, values, buyer, now)


@use_case
def choose_key(
    order_uid: UUID, *, kind: KeyKind, bundle_format: BundleFormat, csr: bytes | None, buyer: User, now: datetime
) -> Order:
    """Have a key of a kind made here, or take the public key of an uploaded request (DER): nothing else of it counts.

    An order that was sent back for its key alone goes on to issuance. Raises `CsrUnfit`, with the key gate's own code
    where it is the key, and `CsrNotOfRecipient` where another person will use the certificate.
    """
    order = _editable(order_uid, buyer)
    if csr is not None:
        _require_fit(csr)
        policy_data.require_key_of_recipient(is_uploaded=True, is_buyer=order.recipient_is_buyer)
    order.key_origin = KeyOrigin.SERVER if csr is None else KeyOrigin.CSR
    order.key_kind, order.bundle_format, order.csr = kind, bundle_format, csr
    order.save(update_fields=["key_origin", "key_kind", "bundle_format", "csr"])
    if order.state == OrderState.CHECKING:
        checks.settle(order, at=now)
        order.refresh_from_db()
    return order


def _editable(order_uid: UUID, buyer: User) -> Order:
    order = locked_order(order_uid, buyer)
    if order.state not in EDITABLE:
        raise errors.OrderClosed
    return order


def _store(order: Order, values: Mapping[str, Any], buyer: User, now: datetime) -> Order:
    changed = [name for name, value in values.items() if getattr(order, name) != value]
    if not changed:
        return order
    for name in changed:
        setattr(order, name, values[name])
    if order.state == OrderState.DRAFT:
        if {"given_name", "surname", "mailbox", "recipient_is_buyer"} & set(changed):
            order.recipient_confirmed_at = None
        order.save()
        return order
    kinds = {DATA_OF[name] for name in changed if name in DATA_OF}
    _forget_verified(order, kinds)
    order.changed_at = now
    order.save()
    facts = {"data": sorted(kind.value for kind in kinds)}
    events.record("smime.data-changed", actor=customer(buyer), at=now, facts=facts, **checks.scope(order))
    _restart_touched(order, kinds, now)
    return order


def _forget_verified(order: Order, kinds: set[Data]) -> None:
    for kind in kinds:
        for name, value in VERIFIED_FROM.get(kind, {}).items():
            setattr(order, name, value)


def _restart_touched(order: Order, kinds: set[Data], now: datetime) -> None:
    touched = {check for kind in kinds for check in policy.TOUCHED[kind]}
    for check in Check.objects.filter(order=order).order_by("pk"):
        if check.kind in touched:
            checks.restart(check, at=now)


def _contact_of(order: Order) -> dict[str, str]:
    return {name: getattr(order, name) for name in ("contact_given_name", "contact_surname", "contact_email")}


def _require_fit(csr: bytes) -> None:
    try:
        request = read_request(csr)
        require_mail_key(request.spki_der)
    except PkiError as unfit:
        raise errors.CsrUnfit(code=unfit.code) from unfit
    if SmimeCertificate.objects.filter(spki_sha256=request.spki_sha256.hex()).exists():
        raise errors.CsrUnfit(code="key-known")
