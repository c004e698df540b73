"""DER of OCSP responses (RFC 6960 §4.2.1); the library's builder knows no extension of a single response."""

from __future__ import annotations

import functools
import hashlib
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pki import der
from pki.assembly import SignatureAlgorithm

MALFORMED_REQUEST, INTERNAL_ERROR, TRY_LATER, UNAUTHORIZED = 1, 2, 3, 6
GOOD, UNKNOWN = b"\x80\x00", b"\x82\x00"
_SUCCESSFUL = 0
_ENUMERATED = 0x0A
_NULL = b"\x05\x00"
_BASIC = der.oid("1.3.6.1.5.5.7.48.1.1")
_NONCE, _ARCHIVE_CUTOFF = "1.3.6.1.5.5.7.48.1.2", "1.3.6.1.5.5.7.48.1.6"
# What a CertID may be hashed with; the reader of requests knows no others (RFC 6960 §4.1.1, RFC 5754 §2).
_HASH_OIDS = {
    "sha1": "1.3.14.3.2.26",
    "sha224": "2.16.840.1.101.3.4.2.4",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}
# RFC 5280 §5.3.1 CRLReason
_REASONS = {
    "keyCompromise": 1,
    "affiliationChanged": 3,
    "superseded": 4,
    "cessationOfOperation": 5,
    "certificateHold": 6,
    "privilegeWithdrawn": 9,
}


def failure(status: int) -> bytes:
    """Encode an unsigned error response."""
    return der.sequence(der.tlv(_ENUMERATED, bytes((status,))))


def success(tbs: bytes, algorithm: SignatureAlgorithm, signature: bytes, certificate: bytes) -> bytes:
    """Wrap signed response data and the responder's certificate."""
    basic = der.sequence(
        tbs,
        algorithm.identifier,
        der.tlv(der.BIT_STRING, b"\x00" + signature),
        der.tlv(0xA0, der.sequence(certificate)),
    )
    answer = der.tlv(0xA0, der.sequence(_BASIC, der.tlv(der.OCTET_STRING, basic)))
    return der.sequence(der.tlv(_ENUMERATED, bytes((_SUCCESSFUL,))), answer)


def response_data(key_id: bytes, produced_at: datetime, single: bytes, nonce: bytes | None) -> bytes:
    """Encode what is signed: responder by key, instant, one answer, the nonce as it came (RFC 9654 §2.1)."""
    extensions = b""
    if nonce is not None:
        extension = der.extension(_NONCE, der.tlv(der.OCTET_STRING, nonce))
        extensions = der.tlv(0xA1, der.sequence(extension))
    responder = der.tlv(0xA2, der.tlv(der.OCTET_STRING, key_id))
    return der.sequence(responder, der.generalized_time(produced_at), der.sequence(single), extensions)


def single_response(
    cert_id: bytes, status: bytes, *, this_update: datetime, next_update: datetime, archive_cutoff: datetime
) -> bytes:
    """Encode the answer for one certificate."""
    extension = der.extension(_ARCHIVE_CUTOFF, der.generalized_time(archive_cutoff))
    return der.sequence(
        cert_id,
        status,
        der.generalized_time(this_update),
        der.tlv(0xA0, der.generalized_time(next_update)),
        der.tlv(0xA1, der.sequence(extension)),
    )


def cert_id(algorithm: str, name_hash: bytes, key_hash: bytes, serial: int) -> bytes:
    """Encode a CertID; a serial may come in negative or zero, and goes back as it came."""
    size = (serial if serial >= 0 else ~serial).bit_length() // 8 + 1
    return der.sequence(
        der.sequence(der.oid(_HASH_OIDS[algorithm]), _NULL),
        der.tlv(der.OCTET_STRING, name_hash),
        der.tlv(der.OCTET_STRING, key_hash),
        der.tlv(der.INTEGER, serial.to_bytes(size, "big", signed=True)),
    )


def revoked(since: datetime, reason: str) -> bytes:
    """Encode RevokedInfo, implicitly tagged."""
    named = der.tlv(0xA0, der.tlv(_ENUMERATED, bytes((_REASONS[reason],))))
    return der.tlv(0xA1, der.generalized_time(since) + named)


@functools.lru_cache(maxsize=64)
def issuer_hashes(certificate: bytes, algorithm: str) -> tuple[bytes, bytes]:
    """Hash a CA certificate's name (DER) and public key bits: how a CertID names the issuer."""
    issuer = x509.load_der_x509_certificate(certificate)
    key = issuer.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        bits = key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    else:
        bits = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return hashlib.new(algorithm, issuer.subject.public_bytes()).digest(), hashlib.new(algorithm, bits).digest()
