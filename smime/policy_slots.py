"""Rules of purchased activations: who credits them, of what, how many, and which stock they hold."""

from __future__ import annotations

from cms import policy as cms_policy
from cms.models import Service, User
from cms.states import CertificateType, Flow, Role
from smime.errors import slots as errors
from smime.models import Slot
from smime.states import SlotState

MOST_AT_ONCE = 100
TERMS = (365, 730)
"""Days that a certificate is valid, less one second (decisions §9)."""


def stock_type(validation: str) -> CertificateType:
    """The kind of stock that an activation of this type holds, until its certificate is issued."""
    return CertificateType(f"smime-{validation}")


def require_creditor(operator: User, centre_id: int) -> None:
    """The centre's manager, or an administrator of the provider."""
    if not (operator.is_active and operator.is_administrator):
        cms_policy.require_member(operator, centre_id, {Role.MANAGER})


def require_sold(service: Service | None, validation: str, term_days: int) -> None:
    """Raise unless the service sells certificates of this type and term."""
    is_sold = service is not None and service.flow == Flow.SMIME and f"smime-{validation}" in service.types
    if not is_sold or term_days not in TERMS:
        raise errors.SlotTypeNotSold


def require_quantity(quantity: int, reference: str) -> None:
    """Raise unless a purchase may say this."""
    if not 1 <= quantity <= MOST_AT_ONCE or not reference:
        raise errors.SlotQuantityInvalid


def require_free(slot: Slot) -> None:
    """Raise unless nobody has begun an order with it."""
    if slot.state != SlotState.FREE:
        raise errors.SlotInUse
