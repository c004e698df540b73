"""Facts of a certificate, read once and typed; and whether one of our issuers signed it."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pki.errors import BadSignature, MalformedInput
from pki.keys import spki_sha256

LARGEST_CERTIFICATE = 16_384
_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What the register keeps of a certificate. Instants are aware UTC; absent attributes are empty.

    `fingerprint` is SHA-256 of the DER; `issuer_key_id` the raw authorityKeyIdentifier. `is_signature` means the key
    usage nonRepudiation, `is_authentication` the extended key usage clientAuth.
    """

    der: bytes
    fingerprint: bytes
    serial: int
    issuer_key_id: bytes
    spki_der: bytes
    spki_sha256: bytes
    not_before: datetime
    not_after: datetime
    subject_cn: str
    subject_serial_number: str
    is_signature: bool
    is_authentication: bool
    key_kind: Literal["rsa", "ec"]
    key_bits: int


def serves_mail_only(certificate: bytes) -> bool:
    """Tell whether a CA (DER) is limited to S/MIME by its extended key usages: then it vouches for no card."""
    try:
        purposes = x509.load_der_x509_certificate(certificate).extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return False
    return list(purposes.value) == [ExtendedKeyUsageOID.EMAIL_PROTECTION]


def read_certificate(der: bytes) -> CertificateFacts:
    """Read a certificate (DER); `MalformedInput` for anything else. Nothing is verified here."""
    if len(der) > LARGEST_CERTIFICATE:
        raise MalformedInput("larger than 16384 bytes", code="certificate-malformed")
    try:
        return _facts(der, x509.load_der_x509_certificate(der))
    except MalformedInput:
        raise
    except Exception as unreadable:  # the library names no closed list of exceptions
        raise MalformedInput("not a readable certificate", code="certificate-malformed") from unreadable


def _facts(der: bytes, certificate: x509.Certificate) -> CertificateFacts:
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise MalformedInput("neither an RSA nor an EC key", code="certificate-malformed")
    spki_der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    _ = certificate.issuer  # the library parses names when they are asked for: a broken one is refused here
    usage = _extension(certificate, x509.KeyUsage)
    extended_usage = _extension(certificate, x509.ExtendedKeyUsage)
    return CertificateFacts(
        der=der,
        fingerprint=hashlib.sha256(der).digest(),
        serial=certificate.serial_number,
        issuer_key_id=_issuer_key_id(certificate),
        spki_der=spki_der,
        spki_sha256=spki_sha256(spki_der),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        subject_cn=_attribute(certificate, NameOID.COMMON_NAME),
        subject_serial_number=_attribute(certificate, NameOID.SERIAL_NUMBER),
        is_signature=usage is not None and usage.content_commitment,
        is_authentication=extended_usage is not None and ExtendedKeyUsageOID.CLIENT_AUTH in extended_usage,
        key_kind="rsa" if isinstance(key, rsa.RSAPublicKey) else "ec",
        key_bits=key.key_size,
    )


def _extension(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _attribute(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    """Read an attribute itself, never a stringified name: the common name of a CNS holds `/`, `.`, `+` and `=`."""
    values = [str(attribute.value) for attribute in certificate.subject.get_attributes_for_oid(oid)]
    return values[0] if values else ""


def _issuer_key_id(certificate: x509.Certificate) -> bytes:
    extension = _extension(certificate, x509.AuthorityKeyIdentifier)
    return (extension and extension.key_identifier) or b""


def subject_key_id(der: bytes) -> bytes:
    """Return the raw subjectKeyIdentifier of a CA certificate (DER); `MalformedInput` when it has none."""
    extension = _extension(_issuer(der), x509.SubjectKeyIdentifier)
    if extension is None:
        raise MalformedInput("a CA certificate without key identifier", code="certificate-malformed")
    return extension.digest


def require_issued_by(der: bytes, issuers: Sequence[bytes]) -> None:
    """Verify the certificate's signature with the issuer (DER certificates) that its key identifier and name say.

    `BadSignature` with `issuer-unknown` when no issuer fits, `certificate-signature-invalid` when its key did not sign;
    `MalformedInput` when `der` is no certificate. Dates and status are not looked at.
    """
    read_issued_certificate(der, issuers)


def read_issued_certificate(der: bytes, issuers: Sequence[bytes]) -> CertificateFacts:
    """Do the same and return what the certificate says, read once."""
    facts = read_certificate(der)
    certificate = x509.load_der_x509_certificate(der)
    candidates = [issuer for issuer in _parsed(issuers) if _fits(certificate, facts.issuer_key_id, issuer)]
    if not candidates:
        raise BadSignature("no issuer of ours has this key identifier and name", code="issuer-unknown")
    if not any(_has_signed(issuer, certificate) for issuer in candidates):
        raise BadSignature("not signed by the issuer that it names", code="certificate-signature-invalid")
    return facts


def _fits(certificate: x509.Certificate, key_id: bytes, issuer: x509.Certificate) -> bool:
    own_id = _extension(issuer, x509.SubjectKeyIdentifier)
    return certificate.issuer == issuer.subject and own_id is not None and own_id.digest == key_id


def _has_signed(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except Exception:  # noqa: BLE001 (ValueError, TypeError, InvalidSignature, unsupported algorithms)
        return False
    return True


def _parsed(issuers: Sequence[bytes]) -> Iterable[x509.Certificate]:
    return (_issuer(issuer) for issuer in issuers)


@functools.lru_cache(maxsize=64)
def _issuer(der: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError as unreadable:
        raise MalformedInput("not a readable CA certificate", code="certificate-malformed") from unreadable
