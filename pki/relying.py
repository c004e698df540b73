"""Reading what a CA publishes as a stranger does, who has nothing but the issuer's certificate.

A list or an answer counts when its signature fits; how old it is, is told apart from what it says.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from pki import der
from pki.errors import BadSignature, MalformedInput
from pki.gateway import StatusKind

SKEW = timedelta(minutes=1)
"""What is dated so little into the future is a clock's fault, not a lie."""
_HOLD = 6
_REASON_EXTENSION = bytes.fromhex("0603551d1504030a01")  # OID and value of reasonCode, all but its last octet
_SHORT = 0x80
_CONTEXT_0 = 0xA0


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a certificate says that its status is told."""

    lists: tuple[str, ...]
    responder: str


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A CRL whose signature fits. `reasons`: the content octets of each serial number, and its reason code."""

    number: int
    this_update: datetime
    next_update: datetime
    points: tuple[str, ...]
    reasons: Mapping[bytes, int]

    def status(self, serial: int) -> StatusKind:
        """Say what it says of a number: nothing means good."""
        return listed_as(self.reasons.get(octets(serial)))

    def is_stale(self, at: datetime) -> bool:
        """Whether a relying party must refuse it at this instant."""
        return not self.this_update - SKEW <= at <= self.next_update


@dataclass(frozen=True, slots=True)
class Answer:
    """An OCSP answer whose signature fits, about the certificate that was asked for."""

    status: StatusKind
    this_update: datetime
    next_update: datetime | None

    def is_stale(self, at: datetime) -> bool:
        """Whether a relying party must refuse it at this instant."""
        return self.this_update - SKEW > at or (self.next_update is not None and at > self.next_update)


def listed_as(reason: int | None) -> StatusKind:
    """Say what a list means by a reason code; None for a number that it does not hold."""
    if reason is None:
        return StatusKind.GOOD
    return StatusKind.HELD if reason == _HOLD else StatusKind.REVOKED


def octets(serial: int) -> bytes:
    """Write a serial number as the content of a DER INTEGER: what lists are searched by."""
    return serial.to_bytes(serial.bit_length() // 8 + 1, "big")


def addresses_of(certificate: bytes) -> Addresses:
    """Read distribution points and responder; `MalformedInput` for what is no certificate."""
    extensions = _certificate(certificate).extensions
    try:
        points = extensions.get_extension_for_class(x509.CRLDistributionPoints).value
        lists = tuple(str(name.value) for point in points for name in point.full_name or ())
    except x509.ExtensionNotFound:
        lists = ()
    try:
        access = extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
        responders = [e.access_location.value for e in access if e.access_method == AuthorityInformationAccessOID.OCSP]
    except x509.ExtensionNotFound:
        responders = []
    return Addresses(lists, str(responders[0]) if responders else "")


def read_list(encoded: bytes, issuer: bytes) -> RevocationList:
    """Read a CRL; `BadSignature` unless this issuer has signed it, `MalformedInput` for what is no CRL."""
    try:
        crl = x509.load_der_x509_crl(encoded)
        signer = _certificate(issuer)
        is_signed = crl.issuer == signer.subject and crl.is_signature_valid(_key(signer))
        number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        this_update, next_update = crl.last_update_utc, crl.next_update_utc
        points = _points(crl)
    except (ValueError, TypeError, x509.ExtensionNotFound, UnsupportedAlgorithm) as unreadable:
        raise MalformedInput("not a CRL that a relying party understands") from unreadable
    if not is_signed:
        raise BadSignature("the issuer did not sign this CRL")
    if next_update is None:
        raise MalformedInput("a CRL without nextUpdate")
    return RevocationList(number, this_update, next_update, points, _reasons(encoded))


def question(serial: int, issuer: bytes, nonce: bytes) -> bytes:
    """Ask about one certificate, with a nonce, so that no stored answer can serve."""
    name_hash, key_hash = _hashes(issuer)
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(name_hash, key_hash, serial, hashes.SHA256())
    return builder.add_extension(x509.OCSPNonce(nonce), critical=False).build().public_bytes(Encoding.DER)


def read_answer(encoded: bytes, serial: int, issuer: bytes, nonce: bytes, *, at: datetime) -> Answer:
    """Read what was answered; `BadSignature` where issuer or its responder did not sign it for this question.

    `MalformedInput` for junk, errors of the responder, and answers about something else.
    """
    try:
        answer = ocsp.load_der_ocsp_response(encoded)
        if answer.response_status != ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise MalformedInput(f"the responder says {answer.response_status.name.lower()}")
        _require_about(answer, serial, issuer, nonce)
        _require_signed(answer, issuer, at)
        status, updates = _answered(answer), (answer.this_update_utc, answer.next_update_utc)
    except (ValueError, TypeError, x509.ExtensionNotFound, UnsupportedAlgorithm) as unreadable:
        raise MalformedInput("not an OCSP answer that a relying party understands") from unreadable
    return Answer(status, updates[0].astimezone(UTC), updates[1].astimezone(UTC) if updates[1] else None)


def _require_about(answer: ocsp.OCSPResponse, serial: int, issuer: bytes, nonce: bytes) -> None:
    if (answer.serial_number, answer.issuer_name_hash, answer.issuer_key_hash) != (serial, *_hashes(issuer)):
        raise MalformedInput("an answer about another certificate")
    try:
        given = answer.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    except x509.ExtensionNotFound:
        return  # a responder may leave it out (RFC 9654 §2.1); its dates then say how old the answer is
    if given != nonce:
        raise BadSignature("an answer to another question")


def _require_signed(answer: ocsp.OCSPResponse, issuer: bytes, at: datetime) -> None:
    """By the issuer itself, or by a responder that the issuer has certified for this (RFC 6960 §4.2.2.2)."""
    signers = [issuer, *(each.public_bytes(Encoding.DER) for each in answer.certificates)]
    for signer in signers:
        if _may_answer(signer, issuer) and _is_in_date(signer, at) and _fits(answer, signer):
            return
    raise BadSignature("neither the issuer nor a responder of his signed this answer")


@functools.lru_cache(maxsize=64)
def _may_answer(signer: bytes, issuer: bytes) -> bool:
    if signer == issuer:
        return True
    certificate = _certificate(signer)
    try:
        certificate.verify_directly_issued_by(_certificate(issuer))
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return ExtendedKeyUsageOID.OCSP_SIGNING in usage


def _is_in_date(signer: bytes, at: datetime) -> bool:
    certificate = _certificate(signer)
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _fits(answer: ocsp.OCSPResponse, signer: bytes) -> bool:
    key, algorithm = _key(_certificate(signer)), answer.signature_hash_algorithm
    if algorithm is None:
        return False
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(answer.signature, answer.tbs_response_bytes, padding.PKCS1v15(), algorithm)
        else:
            key.verify(answer.signature, answer.tbs_response_bytes, ec.ECDSA(algorithm))
    except InvalidSignature:
        return False
    return True


def _answered(answer: ocsp.OCSPResponse) -> StatusKind:
    if answer.certificate_status == ocsp.OCSPCertStatus.GOOD:
        return StatusKind.GOOD
    if answer.certificate_status == ocsp.OCSPCertStatus.UNKNOWN:
        return StatusKind.UNKNOWN
    is_held = answer.revocation_reason == x509.ReasonFlags.certificate_hold
    return StatusKind.HELD if is_held else StatusKind.REVOKED


@functools.lru_cache(maxsize=256)
def _certificate(encoded: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(encoded)
    except ValueError as unreadable:
        raise MalformedInput("not a certificate") from unreadable


def _key(certificate: x509.Certificate) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
    key = certificate.public_key()
    if not isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)):
        raise MalformedInput("neither an RSA nor an EC key")
    return key


@functools.lru_cache(maxsize=64)
def _hashes(issuer: bytes) -> tuple[bytes, bytes]:
    """Hash name and key as the CertID of RFC 6960 wants them, with SHA-256."""
    certificate = _certificate(issuer)
    key = _key(certificate)
    if isinstance(key, rsa.RSAPublicKey):
        bits = key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    else:
        bits = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return hashlib.sha256(certificate.subject.public_bytes()).digest(), hashlib.sha256(bits).digest()


def _points(crl: x509.CertificateRevocationList) -> tuple[str, ...]:
    """Addresses for which alone this list speaks; none for a complete one."""
    try:
        point = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(name.value) for name in point.full_name or ())


def _reasons(crl: bytes) -> dict[bytes, int]:
    """Scan the entries: an object of the library for each of a million would take most of the night's check."""
    try:
        offset, end = _entries(crl)
        found: dict[bytes, int] = {}
        while offset < end:
            start, stop = _entry(crl, offset, end)
            size = crl[start + 1]
            # RFC 5280 §5.3.1: no reason code means unspecified; other extensions may stand beside it.
            reason = crl.find(_REASON_EXTENSION, start, stop)
            found[crl[start + 2 : start + 2 + size]] = crl[reason + len(_REASON_EXTENSION)] if reason >= 0 else 0
            offset = stop
    except (ValueError, IndexError) as wrong:
        raise MalformedInput("entries that are no DER") from wrong
    return found


def _entry(crl: bytes, offset: int, end: int) -> tuple[int, int]:
    """Where an entry's content starts, and where it ends; nearly all are shorter than the long form begins."""
    if crl[offset + 1] < _SHORT:
        start = offset + 2
        stop = start + crl[offset + 1]
    else:
        _, start, stop = der.read(crl, offset, end)
    if crl[offset] != der.SEQUENCE or stop > end or crl[start] != der.INTEGER or crl[start + 1] >= _SHORT:
        raise ValueError("an entry without a serial number")
    return start, stop


def _entries(crl: bytes) -> tuple[int, int]:
    """Find the list of entries: behind version, algorithm, issuer and the dates; nowhere when nothing is revoked."""
    _, start, end = der.read(crl, 0, len(crl))
    _, offset, end = der.read(crl, start, end)
    for _ in range(5):
        _, _, offset = der.read(crl, offset, end)
    if offset >= end:
        return 0, 0
    tag, start, stop = der.read(crl, offset, end)
    return (0, 0) if tag == _CONTEXT_0 else (start, stop)
