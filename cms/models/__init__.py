"""Rows of the register, by noun."""

from cms.models.certificates import (
    Card,
    CardFamily,
    CaRequest,
    CaRequestBody,
    Certificate,
    CertificateBody,
    Hold,
    Issuer,
    KnownKey,
    Pair,
)
from cms.models.events import Event
from cms.models.holders import Holder, Registration
from cms.models.organisations import Agreement, Centre, Membership, Service, User
from cms.models.stock import Stock, StockMovement

__all__ = [
    "Agreement",
    "CaRequest",
    "CaRequestBody",
    "Card",
    "CardFamily",
    "Centre",
    "Certificate",
    "CertificateBody",
    "Event",
    "Hold",
    "Holder",
    "Issuer",
    "KnownKey",
    "Membership",
    "Pair",
    "Registration",
    "Service",
    "Stock",
    "StockMovement",
    "User",
]
