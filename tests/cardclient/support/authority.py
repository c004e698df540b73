"""A small authority that publishes: its own certificate, answers by OCSP, and a list; held in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

DER = serialization.Encoding.DER
NOW = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
BASE = "http://ca.example.org"


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class PublishingAuthority:
    def __init__(self, title="Prova CA 2"):
        self.title, self.key = title, ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._builder(title, self.key.public_key()).sign(self.key, hashes.SHA256())
        self.revoked = {}
        self.posted = []

    def _builder(self, subject, public, serial=None):
        return (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name(self.title))
            .public_key(public)
            .serial_number(serial or x509.random_serial_number())
            .not_valid_before(NOW - timedelta(days=100))
            .not_valid_after(NOW + timedelta(days=100))
        )

    def issue(self, public, *, ocsp_at=True, crl_at=True, signed_by=None, aia=True):
        builder = self._builder("MARIO ROSSI", public)
        uri = x509.UniformResourceIdentifier
        places = (
            [x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, uri(f"{BASE}/ca.cer"))] if aia else []
        )
        if ocsp_at:
            places.append(x509.AccessDescription(AuthorityInformationAccessOID.OCSP, uri(f"{BASE}/ocsp")))
        if places:
            builder = builder.add_extension(x509.AuthorityInformationAccess(places), critical=False)
        if crl_at:
            point = x509.DistributionPoint([uri(f"{BASE}/2026.crl")], None, None, None)
            builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
        return builder.sign(signed_by or self.key, hashes.SHA256())

    def responder(self, *, usage=ExtendedKeyUsageOID.OCSP_SIGNING):
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder("Responder", key.public_key())
        return key, builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False).sign(
            self.key, hashes.SHA256()
        )

    def ocsp(self, certificate, *, status=ocsp.OCSPCertStatus.GOOD, at=NOW, signer=None, reason=None):
        key, responder = signer or (self.key, self.certificate)
        names = hashes.SHA1()  # noqa: S303 - as the client asks
        revoked = status is ocsp.OCSPCertStatus.REVOKED
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=certificate, issuer=self.certificate, algorithm=names, cert_status=status, this_update=at,
            next_update=at + timedelta(hours=1), revocation_time=at if revoked else None, revocation_reason=reason,
        ).responder_id(ocsp.OCSPResponderEncoding.HASH, responder)  # fmt: skip
        if responder != self.certificate:
            builder = builder.certificates([responder])
        return builder.sign(key, hashes.SHA256()).public_bytes(DER)

    def crl(self, *entries, at=NOW, key=None):
        builder = x509.CertificateRevocationListBuilder().issuer_name(name(self.title))
        builder = builder.last_update(at).next_update(at + timedelta(hours=24))
        for serial, reason in entries:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at)
            if reason:
                entry = entry.add_extension(x509.CRLReason(reason), critical=False)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(key or self.key, hashes.SHA256()).public_bytes(DER)


class MemoryWeb:
    """What is published, by address; an address that is missing is unreachable."""

    def __init__(self, **pages):
        self.pages, self.asked = {f"{BASE}/{path.replace('_', '.')}": body for path, body in pages.items()}, []

    def get(self, address):
        self.asked.append(address)
        return self.pages.get(address)

    def post(self, address, body, kind):
        del body
        self.asked.append(f"{address} {kind}")
        return self.pages.get(address)
