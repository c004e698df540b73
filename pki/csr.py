"""Certification requests (PKCS #10, RFC 2986): read, and the requester's possession of the key proven."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import SignatureAlgorithmOID

from pki.errors import BadSignature, MalformedInput
from pki.keys import spki_sha256

LARGEST_REQUEST = 8192
_ALLOWED_ALGORITHMS = frozenset(
    {
        SignatureAlgorithmOID.RSA_WITH_SHA256,
        SignatureAlgorithmOID.RSA_WITH_SHA384,
        SignatureAlgorithmOID.RSA_WITH_SHA512,
        SignatureAlgorithmOID.ECDSA_WITH_SHA256,
        SignatureAlgorithmOID.ECDSA_WITH_SHA384,
        SignatureAlgorithmOID.ECDSA_WITH_SHA512,
    }
)


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """A request whose signature verified. `spki_der` is the key in its canonical encoding; the subject is not kept."""

    der: bytes
    spki_der: bytes
    spki_sha256: bytes
    public_key: PublicKeyTypes


def read_request(der: bytes) -> SigningRequest:
    """Read a request and verify its signature with its own key (EN 319 411-1 REG-6.3.1-01); the key gate comes after.

    `MalformedInput` (csr-invalid) for anything unreadable, `BadSignature` (csr-signature-invalid) for a signature that
    does not verify or uses an algorithm that we do not accept.
    """
    if len(der) > LARGEST_REQUEST:
        raise MalformedInput("larger than 8192 bytes", code="csr-invalid")
    try:
        request = x509.load_der_x509_csr(der)
        key = request.public_key()
        spki_der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        algorithm = request.signature_algorithm_oid
    except Exception as unreadable:  # the library names no closed list of exceptions
        raise MalformedInput("not a readable certification request", code="csr-invalid") from unreadable
    if algorithm not in _ALLOWED_ALGORITHMS or not _is_signed_by_its_key(request):
        raise BadSignature("the request is not signed by its key", code="csr-signature-invalid")
    return SigningRequest(der, spki_der, spki_sha256(spki_der), key)


def _is_signed_by_its_key(request: x509.CertificateSigningRequest) -> bool:
    try:
        return request.is_signature_valid
    except Exception:  # noqa: BLE001 (a key and an algorithm that do not fit each other raise what they like)
        return False
