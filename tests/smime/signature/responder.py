"""A CA's OCSP responder, honest and otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from config.demo.trust_scheme import Identity
from tests.smime.signature import world

ADDRESS = "http://ocsp.example.org/firma"


@dataclass(frozen=True)
class Said:
    """What an answer says, and who signs it; the defaults are the CA itself, an hour ago, for a day."""

    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD
    reason: x509.ReasonFlags | None = None
    since: datetime = world.NOW - timedelta(hours=1)
    until: datetime | None = world.NOW + timedelta(hours=23)
    by: Identity | None = None
    issuer: Identity | None = None
    carried: tuple[Identity, ...] = ()


def answer(about: Identity, said: Said = Said()) -> bytes:
    """Answer about one certificate, DER."""
    issuer = said.issuer or world.scheme().authority
    by = said.by or issuer
    is_revoked = said.status is ocsp.OCSPCertStatus.REVOKED
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            cert=about.certificate,
            issuer=issuer.certificate,
            algorithm=hashes.SHA1(),  # noqa: S303 - as most responders name certificates
            cert_status=said.status,
            this_update=said.since,
            next_update=said.until,
            revocation_time=said.since if is_revoked else None,
            revocation_reason=said.reason if is_revoked else None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.NAME, by.certificate)
    )
    if said.carried:
        builder = builder.certificates([each.certificate for each in said.carried])
    return builder.sign(by.key, hashes.SHA256()).public_bytes(Encoding.DER)


def delegate(
    issuer: Identity | None = None,
    *,
    purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.OCSP_SIGNING,
    life: timedelta = timedelta(days=365),
) -> Identity:
    """A responder of its own, certified by the CA."""
    by = issuer or world.scheme().authority
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Risponditore di prova")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(by.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(world.ISSUED_AT)
        .not_valid_after(world.ISSUED_AT + life)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.OCSPNoCheck(), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return Identity(key, builder.sign(by.key, hashes.SHA256()))
