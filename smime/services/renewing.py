"""Following an ending certificate with another: a new order with another activation, and the data of the one before."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from cms.models import User
from runtime.transactions import use_case
from smime import errors, policy_issuance, policy_renewal, queries
from smime.errors.renewal import ActivationMissing
from smime.models import Order, Slot
from smime.services import orders
from smime.states import SlotState


@use_case
def renew_order(order_uid: UUID, *, buyer: User, now: datetime, language: str = "it") -> Order:
    """Begin the order that follows an issued one, filled in as that was; with one under way, return it.

    Proofs, acceptances and confirmations are not taken over, and the certificate before stays valid to its end. Raises
    `CertificateNotRenewable`, `ActivationMissing`, `SlotTaken` if the activation was begun with at this moment.
    """
    old = orders.locked_order(order_uid, buyer)
    under_way = queries.renewal_of(old)
    if under_way is not None:
        return under_way
    policy_renewal.require_due(old, policy_issuance.handed_over(old).order_by("-edition").first(), now)
    order = orders.start_order(_free_slot_for(old, buyer).code, buyer=buyer, now=now, language=language)
    order.renews = old
    for name, value in policy_renewal.taken_over(old, queries.own_mailboxes_of(buyer)).items():
        setattr(order, name, value)
    order.save()
    return order


def _free_slot_for(old: Order, buyer: User) -> Slot:
    """Lock the activation to begin with: `start_order` would lead to the order of one that is in use."""
    chosen = queries.free_slot_like(old, buyer)
    if chosen is None:
        raise ActivationMissing
    slot = Slot.objects.select_for_update(no_key=True).filter(pk=chosen.pk, state=SlotState.FREE).first()
    if slot is None:
        raise errors.SlotTaken
    return slot
