"""Reading our own publications as a relying party does: the list's bytes and the responder's answer, not the ledger."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import CRLEntryExtensionOID

from authority import queries
from authority.models import LedgerEntry
from authority.services.ocsp import respond
from pki.gateway import CertificateRef, CertificateStatus, StatusKind
from pki.published import Published


def published(ref: CertificateRef, *, at: datetime) -> Published:
    """What the shard's newest CRL and the OCSP responder say; nothing for a certificate that is not ours."""
    entries = queries.ledger_entries().select_related("shard")
    entry = queries.named(entries, ref.issuer_key_id, ref.serial).first()
    if entry is None:
        return Published()
    found = queries.crl_with_bytes(entry.issuer.role, entry.shard.year)
    if found is None:
        return Published(ocsp=_answered(entry, at))
    version, der = found
    return Published(crl=_listed(der, entry.serial), crl_at=version.this_update, ocsp=_answered(entry, at))


def _listed(der: bytes, serial: int) -> CertificateStatus:
    line = x509.load_der_x509_crl(der).get_revoked_certificate_by_serial_number(serial)
    if line is None:
        return CertificateStatus(StatusKind.GOOD)
    reason = line.extensions.get_extension_for_oid(CRLEntryExtensionOID.CRL_REASON).value
    assert isinstance(reason, x509.CRLReason)  # noqa: S101 - the type of what stands under this number
    return _withdrawn(reason.reason, line.revocation_date_utc)


def _answered(entry: LedgerEntry, at: datetime) -> CertificateStatus | None:
    certificate = x509.load_der_x509_certificate(bytes(entry.issued.certificate))
    issuer = x509.load_der_x509_certificate(bytes(entry.issuer.certificate))
    question = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA256()).build()
    answer = ocsp.load_der_ocsp_response(respond(entry.issuer.role, question.public_bytes(Encoding.DER), at=at).der)
    if answer.response_status != ocsp.OCSPResponseStatus.SUCCESSFUL:
        return None
    if answer.certificate_status == ocsp.OCSPCertStatus.REVOKED:
        return _withdrawn(answer.revocation_reason, answer.revocation_time_utc)
    is_good = answer.certificate_status == ocsp.OCSPCertStatus.GOOD
    return CertificateStatus(StatusKind.GOOD if is_good else StatusKind.UNKNOWN)


def _withdrawn(reason: x509.ReasonFlags | None, since: datetime | None) -> CertificateStatus:
    kind = StatusKind.HELD if reason == x509.ReasonFlags.certificate_hold else StatusKind.REVOKED
    return CertificateStatus(kind, reason.value if reason else None, since.astimezone(UTC) if since else None)
