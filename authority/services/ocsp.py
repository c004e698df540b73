"""OCSP (RFC 6960, RFC 5019): the status of one certificate out of the ledger, signed when asked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp

from authority import policy, queries
from authority.models import CertificationAuthority, OcspSigner
from authority.queries import OcspFacts
from authority.services import ocsp_der
from authority.signer import signer_for
from authority.states import State
from pki.assembly import SignatureAlgorithm

MOST_REQUEST_OCTETS = 4096
MOST_NONCE_OCTETS = 32  # RFC 8954 §2.1
_HASHES = {hashes.SHA1.name: hashlib.sha1, hashes.SHA256.name: hashlib.sha256}


@dataclass(frozen=True, slots=True)
class Answer:
    """An OCSPResponse (DER). `fresh_from` is None where no cache may keep it: with a nonce, and all errors."""

    der: bytes
    fresh_from: datetime | None = None


class _Malformed(Exception):
    """The bytes are no request that we answer."""


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked: the CertID as it came, and the nonce's content."""

    name_hash: bytes
    key_hash: bytes
    algorithm: str
    serial: int
    nonce: bytes | None


def respond(role: str, der: bytes, *, at: datetime) -> Answer:
    """Answer a request for a certificate of this CA. Never raises for what a stranger sends.

    Junk, several certificates in one request or a nonce outside 1-32 octets: malformedRequest. Another CA's
    certificate: unauthorized (RFC 5019 §2.2.3). A serial that this CA never issued: unknown, and never good.
    """
    try:
        question = _read(der)
    except _Malformed:
        return Answer(ocsp_der.failure(ocsp_der.MALFORMED_REQUEST))
    facts = queries.ocsp_facts(role, question.serial, at)
    if facts is None:
        return Answer(ocsp_der.failure(ocsp_der.INTERNAL_ERROR))
    signer = queries.ocsp_signer(facts.signer_id)
    if not _asks_about(question, signer.authority):
        return Answer(ocsp_der.failure(ocsp_der.UNAUTHORIZED))
    answer = _signed(signer, question, _status(facts), at.replace(microsecond=0))
    return Answer(answer, None if question.nonce is not None else at)


def nothing_for_now() -> Answer:
    """Tell a client to ask again: the ledger or the key is not at hand."""
    return Answer(ocsp_der.failure(ocsp_der.TRY_LATER))


def _read(der: bytes) -> _Question:
    if len(der) > MOST_REQUEST_OCTETS:
        raise _Malformed
    try:
        request = ocsp.load_der_ocsp_request(der)
        return _Question(
            request.issuer_name_hash,
            request.issuer_key_hash,
            request.hash_algorithm.name,
            request.serial_number,
            _nonce(request.extensions),
        )
    except Exception as junk:  # the parser names no closed list, and nothing from outside may raise here
        raise _Malformed from junk


def _nonce(extensions: x509.Extensions) -> bytes | None:
    try:
        nonce = extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    except x509.ExtensionNotFound:
        return None
    if not 1 <= len(nonce) <= MOST_NONCE_OCTETS:
        raise _Malformed
    return nonce


def _asks_about(question: _Question, authority: CertificationAuthority) -> bool:
    hashed = _HASHES.get(question.algorithm)
    if hashed is None:
        return False
    name_der, key_bits = ocsp_der.issuer_parts(bytes(authority.certificate))
    return question.name_hash == hashed(name_der).digest() and question.key_hash == hashed(key_bits).digest()


def _signed(signer: OcspSigner, question: _Question, status: bytes, at: datetime) -> bytes:
    single = ocsp_der.single_response(
        ocsp_der.cert_id(question.algorithm, question.name_hash, question.key_hash, question.serial),
        status,
        this_update=at,
        next_update=at + policy.OCSP_LIFE,
        archive_cutoff=signer.authority.not_before,  # EN 319 411-2 CSS-6.3.10-10: status is kept beyond expiry
    )
    tbs = ocsp_der.response_data(bytes(signer.key.key_identifier), at, single, question.nonce)
    signature = signer_for(signer.key).sign(tbs)
    algorithm = SignatureAlgorithm(signer.key.algorithm)
    return ocsp_der.success(tbs, algorithm, signature, bytes(signer.certificate))


def _status(facts: OcspFacts) -> bytes:
    """Encode the status; a certificate on hold is *revoked* with reason certificateHold (RFC 6960 §2.2)."""
    if facts.state is None:
        return ocsp_der.UNKNOWN
    if facts.state == State.GOOD or facts.invalid_since is None or facts.reason is None:
        return ocsp_der.GOOD
    return ocsp_der.revoked(facts.invalid_since, facts.reason)
