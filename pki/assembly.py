"""To-be-signed bytes first, signature later: what is linted is what is signed, byte for byte."""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from pki import der

HOLD = "certificateHold"
_REASONS = {flag.value: flag for flag in x509.ReasonFlags if flag is not x509.ReasonFlags.unspecified}
_DISTRIBUTION_POINT, _ISSUING_DISTRIBUTION_POINT = "2.5.29.31", "2.5.29.28"
_CRL_NUMBER, _AUTHORITY_KEY_ID, _EXPIRED_CERTS_ON_CRL = "2.5.29.20", "2.5.29.35", "2.5.29.60"
_ENTRY_REASON = "2.5.29.21"
_MAX_CRL_NUMBER_OCTETS = 20
_NEVER = "a key that only passes bytes on cannot do this"


class SignatureAlgorithm(enum.StrEnum):
    """Algorithms that our CAs sign with."""

    RSA_SHA256 = "rsa-sha256"
    ECDSA_P256_SHA256 = "ecdsa-p256-sha256"

    @property
    def identifier(self) -> bytes:
        """AlgorithmIdentifier as DER (RFC 4055 §5 with NULL parameters, RFC 5758 §3.2 without)."""
        return _IDENTIFIERS[self]


_IDENTIFIERS = {
    SignatureAlgorithm.RSA_SHA256: der.sequence(der.oid("1.2.840.113549.1.1.11"), b"\x05\x00"),
    SignatureAlgorithm.ECDSA_P256_SHA256: der.sequence(der.oid("1.2.840.10045.4.3.2")),
}
_DUMMY_SIGNATURES = {
    SignatureAlgorithm.RSA_SHA256: b"\x01" * 256,
    SignatureAlgorithm.ECDSA_P256_SHA256: utils.encode_dss_signature(1, 1),
}


@dataclass(frozen=True, slots=True)
class Unsigned:
    """Bytes waiting for a signature."""

    tbs: bytes
    algorithm: SignatureAlgorithm

    @property
    def linted_der(self) -> bytes:
        """The same bytes under a dummy signature, for the linter; made anew at each call, for a CRL can be large."""
        return _envelope(self.tbs, self.algorithm, _DUMMY_SIGNATURES[self.algorithm])


class _PassingRSAKey(rsa.RSAPrivateKey):
    """A private key that hands what is to be signed to a function; it holds no secret."""

    def __init__(self, sign: Callable[[bytes], bytes], public_key: rsa.RSAPublicKey | None) -> None:
        self._sign = sign
        self._public_key = public_key

    def sign(
        self,
        data: bytes | bytearray | memoryview,
        padding: padding.AsymmetricPadding,  # noqa: ARG002 (the algorithm is fixed)
        algorithm: utils.Prehashed | hashes.HashAlgorithm | utils.NoDigestInfo,  # noqa: ARG002
    ) -> bytes:
        return self._sign(bytes(data))

    def public_key(self) -> rsa.RSAPublicKey:
        return self._public_key or self._refuse()

    @property
    def key_size(self) -> int:
        return self.public_key().key_size

    def _refuse(self, *args: object, **kwargs: object) -> NoReturn:
        raise NotImplementedError(_NEVER)

    decrypt = private_numbers = private_bytes = __copy__ = __deepcopy__ = _refuse


class _PassingECKey(ec.EllipticCurvePrivateKey):
    """The same on P-256."""

    def __init__(self, sign: Callable[[bytes], bytes], public_key: ec.EllipticCurvePublicKey | None) -> None:
        self._sign = sign
        self._public_key = public_key

    def sign(
        self,
        data: bytes | bytearray | memoryview,
        signature_algorithm: ec.EllipticCurveSignatureAlgorithm,  # noqa: ARG002 (the algorithm is fixed)
    ) -> bytes:
        return self._sign(bytes(data))

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._public_key or self._refuse()

    @property
    def curve(self) -> ec.EllipticCurve:
        return ec.SECP256R1()

    @property
    def key_size(self) -> int:
        return 256

    def _refuse(self, *args: object, **kwargs: object) -> NoReturn:
        raise NotImplementedError(_NEVER)

    exchange = private_numbers = private_bytes = __copy__ = __deepcopy__ = _refuse


def passing_key(
    public_key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey, sign: Callable[[bytes], bytes]
) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    """Give a private key for the library's builders (OCSP answers) whose signature value comes from `sign(tbs)`.

    `sign` must use PKCS #1 v1.5 or ECDSA on P-256, with SHA-256.
    """
    if isinstance(public_key, rsa.RSAPublicKey):
        return _PassingRSAKey(sign, public_key)
    return _PassingECKey(sign, public_key)


@functools.cache
def _recording_key(algorithm: SignatureAlgorithm) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    dummy = _DUMMY_SIGNATURES[algorithm]
    if algorithm is SignatureAlgorithm.RSA_SHA256:
        return _PassingRSAKey(lambda _tbs: dummy, None)
    return _PassingECKey(lambda _tbs: dummy, None)


def to_be_signed(builder: x509.CertificateBuilder, algorithm: SignatureAlgorithm) -> Unsigned:
    """Build the certificate's to-be-signed bytes for a CA key of this algorithm, without that key."""
    certificate = builder.sign(_recording_key(algorithm), hashes.SHA256())
    return Unsigned(certificate.tbs_certificate_bytes, algorithm)


def assemble(unsigned: Unsigned, signature: bytes) -> bytes:
    """Put exactly the linted bytes and the real signature value together; certificate or CRL as DER."""
    return _envelope(unsigned.tbs, unsigned.algorithm, signature)


def taken_apart(signed: bytes) -> tuple[memoryview, bytes]:
    """Give the to-be-signed bytes and the signature value of a certificate or CRL; `ValueError` for something else."""
    _, start, end = der.read(signed, 0, len(signed))
    _, _, tbs_end = der.read(signed, start, end)
    _, _, algorithm_end = der.read(signed, tbs_end, end)
    tag, value, value_end = der.read(signed, algorithm_end, end)
    if tag != der.BIT_STRING or value_end != end:
        raise ValueError("neither a certificate nor a CRL")
    return memoryview(signed)[start:tbs_end], signed[value + 1 : value_end]


def _envelope(tbs: bytes, algorithm: SignatureAlgorithm, signature: bytes) -> bytes:
    return der.sequence(tbs, algorithm.identifier, der.tlv(der.BIT_STRING, b"\x00" + signature))


def crl_entry(serial: int, revoked_at: datetime, reason: str) -> bytes:
    """Encode one revokedCertificates entry (RFC 5280 §5.1.2.6) with its reason (§5.3.1) by name.

    `reason` is a `RevocationReason` or `HOLD`; `ValueError` for others, `unspecified` too (omitted, never written).
    """
    if reason not in _REASONS or reason == x509.ReasonFlags.remove_from_crl.value:
        msg = f"no CRL entry carries the reason {reason}"
        raise ValueError(msg)
    return der.sequence(der.integer(serial), _entry_tail(revoked_at, reason))


@functools.lru_cache(maxsize=64)
def _entry_tail(revoked_at: datetime, reason: str) -> bytes:
    """Encode what entries of one instant and reason have in common: a sweep makes thousands of them."""
    value = x509.CRLReason(_REASONS[reason]).public_bytes()
    return der.time(revoked_at) + der.sequence(der.extension(_ENTRY_REASON, value))


def unsigned_crl(  # noqa: PLR0913 (the fields of a TBSCertList)
    issuer_name_der: bytes,
    key_id: bytes,
    this_update: datetime,
    next_update: datetime,
    number: int,
    entries: Iterable[der.Octets],
    *,
    shard_url: str | None,
    expired_certs_since: datetime | None,
    algorithm: SignatureAlgorithm,
) -> Unsigned:
    """Encode a v2 TBSCertList (RFC 5280 §5.1.2) out of entries made by `crl_entry`; a million of them is a join.

    `shard_url` puts a critical IssuingDistributionPoint equal to the certificates' distribution point (§5.2.5);
    `expired_certs_since` says from when on expired certificates stay listed (X.509 ExpiredCertsOnCRL; AgID §4.4).
    """
    listed = tuple(entries)
    size = sum(map(len, listed))
    tbs = der.sequence(
        der.integer(1),
        algorithm.identifier,
        issuer_name_der,
        der.time(this_update),
        der.time(next_update),
        *((der.header(der.SEQUENCE, size), *listed) if size else ()),  # absent when nothing is revoked
        der.tlv(0xA0, der.sequence_of(_crl_extensions(key_id, number, shard_url, expired_certs_since))),
    )
    return Unsigned(tbs, algorithm)


def _crl_extensions(
    key_id: bytes, number: int, shard_url: str | None, expired_certs_since: datetime | None
) -> Iterable[bytes]:
    if not 0 <= number < 1 << (8 * _MAX_CRL_NUMBER_OCTETS - 1):
        msg = "a CRL number has at most 20 octets"
        raise ValueError(msg)
    yield der.extension(_AUTHORITY_KEY_ID, x509.AuthorityKeyIdentifier(key_id, None, None).public_bytes())
    yield der.extension(_CRL_NUMBER, x509.CRLNumber(number).public_bytes())
    if shard_url is not None:
        point = x509.IssuingDistributionPoint(
            full_name=[x509.UniformResourceIdentifier(shard_url)],
            relative_name=None,
            only_contains_user_certs=False,
            only_contains_ca_certs=False,
            only_some_reasons=None,
            indirect_crl=False,
            only_contains_attribute_certs=False,
        )
        yield der.extension(_ISSUING_DISTRIBUTION_POINT, point.public_bytes(), critical=True)
    if expired_certs_since is not None:
        yield der.extension(_EXPIRED_CERTS_ON_CRL, der.generalized_time(expired_certs_since.astimezone(UTC)))
