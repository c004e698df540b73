"""Rows of the register, by noun."""

from cms.models.access import Invitation
from cms.models.campaigns import Campaign, CampaignEntry
from cms.models.certificates import (
    Card,
    CardFamily,
    Certificate,
    CertificateBody,
    Hold,
    Issuer,
    KnownKey,
    Pair,
)
from cms.models.checks import StatusCheck, StatusDifference
from cms.models.events import Event, EventSeal, SealCheck
from cms.models.holders import Holder, HolderWord, Registration
from cms.models.jobs import Job, JobFile, JobRow
from cms.models.organisations import Agreement, Centre, Membership, Service, User
from cms.models.requests import CaRequest, CaRequestBody, RevocationProposal
from cms.models.stock import PurchaseRequest, Stock, StockMovement
from cms.models.visits import CodeAttempts, HolderLink, HolderVisit, LinkRequest

__all__ = [
    "Agreement",
    "CaRequest",
    "CaRequestBody",
    "Campaign",
    "CampaignEntry",
    "Card",
    "CardFamily",
    "Centre",
    "Certificate",
    "CertificateBody",
    "CodeAttempts",
    "Event",
    "EventSeal",
    "Hold",
    "Holder",
    "HolderLink",
    "HolderVisit",
    "HolderWord",
    "Invitation",
    "Issuer",
    "Job",
    "JobFile",
    "JobRow",
    "KnownKey",
    "LinkRequest",
    "Membership",
    "Pair",
    "PurchaseRequest",
    "Registration",
    "RevocationProposal",
    "SealCheck",
    "Service",
    "StatusCheck",
    "StatusDifference",
    "Stock",
    "StockMovement",
    "User",
]
