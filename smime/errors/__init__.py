"""Refusals of S/MIME, each with its code."""

from smime.errors.checks import CheckChanged, CheckDecided, ChecksOpen
from smime.errors.orders import OrderClosed, OrderUnknown, SlotTaken, SlotUnknown, StepMissing, TermsNotAccepted

__all__ = [
    "CheckChanged",
    "CheckDecided",
    "ChecksOpen",
    "OrderClosed",
    "OrderUnknown",
    "SlotTaken",
    "SlotUnknown",
    "StepMissing",
    "TermsNotAccepted",
]
