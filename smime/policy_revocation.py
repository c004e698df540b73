"""Rules of revocation: which reason a ground publishes, and how long the CA may take (SBR 4.9.1.1). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from pki.gateway import RevocationReason
from smime.errors import revocation as errors
from smime.models import SmimeCertificate
from smime.states import CaOrderKind, CaOrderState, CertificateStatus, Generation, RevocationGround

ONE_DAY, FIVE_DAYS = timedelta(hours=24), timedelta(days=5)

REASON_OF: Mapping[RevocationGround, RevocationReason] = MappingProxyType(
    {
        RevocationGround.SUBSCRIBER_REQUEST: RevocationReason.CESSATION_OF_OPERATION,
        RevocationGround.UNAUTHORISED_REQUEST: RevocationReason.PRIVILEGE_WITHDRAWN,
        RevocationGround.KEY_COMPROMISE: RevocationReason.KEY_COMPROMISE,
        RevocationGround.MAILBOX_UNRELIABLE: RevocationReason.PRIVILEGE_WITHDRAWN,
        RevocationGround.MAILBOX_LOST: RevocationReason.CESSATION_OF_OPERATION,
        RevocationGround.AFFILIATION_CHANGED: RevocationReason.AFFILIATION_CHANGED,
        RevocationGround.WRONG_DATA: RevocationReason.AFFILIATION_CHANGED,
        RevocationGround.MISUSE: RevocationReason.PRIVILEGE_WITHDRAWN,
        RevocationGround.MISISSUANCE: RevocationReason.PRIVILEGE_WITHDRAWN,
        RevocationGround.SUPERSEDED: RevocationReason.SUPERSEDED,
    }
)
"""RFC 5280 §5.3.1; never *unspecified*, never anybody's free choice."""

WITHIN_A_DAY = frozenset(
    {
        RevocationGround.SUBSCRIBER_REQUEST,
        RevocationGround.UNAUTHORISED_REQUEST,
        RevocationGround.KEY_COMPROMISE,
        RevocationGround.MAILBOX_UNRELIABLE,
    }
)
BY_CUSTOMER = (
    RevocationGround.SUBSCRIBER_REQUEST,
    RevocationGround.KEY_COMPROMISE,
    RevocationGround.MAILBOX_LOST,
    RevocationGround.AFFILIATION_CHANGED,
    RevocationGround.WRONG_DATA,
)
"""What a customer may say; the rest is for officers to find."""


def clock_of(ground: RevocationGround) -> timedelta:
    """How long after the request the certificate must be revoked at the latest."""
    return ONE_DAY if ground in WITHIN_A_DAY else FIVE_DAYS


def require_not_final(certificate: SmimeCertificate) -> None:
    """Raise `CertificateFinal` where it is revoked, or its revocation has been asked for."""
    asked = certificate.ca_orders.filter(kind=CaOrderKind.REVOKE).exclude(
        state__in=[CaOrderState.REFUSED, CaOrderState.CANCELLED]
    )
    if certificate.status == CertificateStatus.REVOKED or asked.exists():
        raise errors.CertificateFinal


def require_holdable(certificate: SmimeCertificate) -> None:
    """Raise `HoldNotAllowed` for a strict certificate, `CertificateFinal` for one that is revoked."""
    if certificate.order.generation == Generation.STRICT:
        raise errors.HoldNotAllowed
    require_not_final(certificate)
