"""Rows of S/MIME, by noun."""

from smime.models.certificates import (
    BundleDownload,
    CaOrder,
    DownloadCode,
    KeyBundle,
    KeyVault,
    SmimeCertificate,
)
from smime.models.checks import Approval, Check, Consent, Finding, IssuanceLook, MailedLink
from smime.models.evidence import EvidenceContent, EvidenceFile, SignatureForm, SignatureReport, TrustedList
from smime.models.identity import IdentificationAttempt, ProviderDelivery
from smime.models.orders import Order, Slot, TermsAcceptance
from smime.models.revocation import RevocationList, RevocationSource

__all__ = [
    "Approval",
    "BundleDownload",
    "CaOrder",
    "Check",
    "Consent",
    "DownloadCode",
    "EvidenceContent",
    "EvidenceFile",
    "Finding",
    "IdentificationAttempt",
    "IssuanceLook",
    "KeyBundle",
    "KeyVault",
    "MailedLink",
    "Order",
    "ProviderDelivery",
    "RevocationList",
    "RevocationSource",
    "SignatureForm",
    "SignatureReport",
    "Slot",
    "SmimeCertificate",
    "TermsAcceptance",
    "TrustedList",
]
