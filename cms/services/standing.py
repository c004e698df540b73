"""How a certificate stands for everybody: our register, the CA's own record, the newest CRL, the OCSP responder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import Q

from cms import ca
from cms.models import CaRequest, Certificate
from cms.states import CertificateStatus, RequestState
from pki import x509
from pki.errors import GatewayError
from pki.gateway import CertificateRef, StatusKind
from pki.published import Published

# The list follows a change within seconds; only after this long is its silence an alarm.
PUBLISHED_WITHIN = timedelta(minutes=5)
_AT_CA = {
    CertificateStatus.ISSUED: StatusKind.GOOD,
    CertificateStatus.ACTIVE: StatusKind.GOOD,
    CertificateStatus.HELD: StatusKind.HELD,
    CertificateStatus.REVOKED: StatusKind.REVOKED,
}


@dataclass(frozen=True, slots=True)
class Sight:
    """What one source says; `kind` is None for a source that gives no answer. `drifts`: it contradicts the register."""

    source: str
    kind: StatusKind | None
    since: datetime | None = None
    drifts: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """All sources of one certificate. `is_ours`: our CA issued it, or cannot be asked.

    `is_changing`: the CA is at work, or did what was asked so recently that its list need not say so yet.
    """

    certificate: Certificate
    sights: tuple[Sight, ...]
    is_ours: bool
    is_changing: bool

    @property
    def drifts(self) -> bool:
        """Whether some source contradicts the register."""
        return any(sight.drifts for sight in self.sights)


def standing_of(certificate: Certificate, *, at: datetime, ours: frozenset[str]) -> Standing:
    """Ask every source. `ours` are the key ids of our CA's issuers (`our_issuers`); it is asked about no other's."""
    ref = CertificateRef(bytes.fromhex(certificate.issuer_key_id), int(certificate.serial, 16))
    expected = _AT_CA[CertificateStatus(certificate.status)]
    here = Sight("register", expected, certificate.revoked_at or certificate.held_at)
    if certificate.issuer_key_id not in ours:
        silent = tuple(Sight(source, None) for source in ("ca", "crl", "ocsp"))
        return Standing(certificate, (here, *silent), is_ours=not ours, is_changing=False)
    told = (_record(ref), *_publications(ref, at))
    compared = tuple(replace(sight, drifts=sight.kind not in {None, expected}) for sight in told)
    return Standing(certificate, (here, *compared), is_ours=True, is_changing=_is_changing(certificate, compared, at))


def _is_changing(certificate: Certificate, told: tuple[Sight, ...], at: datetime) -> bool:
    explained = Q(state__in=[RequestState.PLANNED, RequestState.SENT])
    if any(sight.drifts for sight in told):
        explained |= Q(settled_at__gt=at - PUBLISHED_WITHIN)
    return CaRequest.objects.filter(explained, certificate=certificate).exists()


def our_issuers() -> frozenset[str]:
    """Key ids of the CA that this installation may ask; empty while it does not answer."""
    try:
        return frozenset(x509.subject_key_id(der).hex() for der in ca.gateway().issuers())
    except GatewayError:
        return frozenset()


def _record(ref: CertificateRef) -> Sight:
    try:
        status = ca.gateway().status(ref)
    except GatewayError:
        return Sight("ca", None)
    return Sight("ca", status.kind, status.since)


def _publications(ref: CertificateRef, at: datetime) -> tuple[Sight, Sight]:
    reader = ca.publications()
    try:
        told = reader.published(ref, at=at) if reader else Published()
    except GatewayError:
        told = Published()
    crl = Sight("crl", told.crl.kind, told.crl_at) if told.crl else Sight("crl", None)
    answered = told.ocsp
    return crl, Sight("ocsp", answered.kind, answered.since) if answered else Sight("ocsp", None)
