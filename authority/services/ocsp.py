"""OCSP (RFC 6960, RFC 5019): the status of one certificate out of the ledger, signed when asked.

The ledger is read for every answer. A signature made for the same question about the same version of the ledger's row
is used again for some minutes, unless the question has a nonce (ADR 25).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.x509 import ocsp

from authority import policy, queries
from authority.models import CertificationAuthority, OcspSigner
from authority.queries import OcspFacts
from authority.services import ocsp_der
from authority.signer import signer_for
from authority.states import State
from pki.assembly import SignatureAlgorithm

MOST_REQUEST_OCTETS = 4096
MOST_NONCE_OCTETS = 32  # RFC 9654 §2.1: what every responder must take


class Life(NamedTuple):
    """How long an answer is worth: the instant it was given, and the two that stand in it."""

    at: datetime
    this_update: datetime
    next_update: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """An OCSPResponse (DER). `kept` is None where no cache may keep it: with a nonce, and all errors."""

    der: bytes
    kept: Life | None = None


class _Malformed(Exception):
    """The bytes are no request that we answer."""


class _Question(NamedTuple):
    """What is asked: the CertID as it came, and the nonce's content."""

    name_hash: bytes
    key_hash: bytes
    algorithm: str
    serial: int
    nonce: bytes | None


class _Signed(NamedTuple):
    """A signature that was made, for which facts and at which instant."""

    facts: OcspFacts
    at: datetime
    der: bytes


class _SignedAnswers:
    """Answers of this process, the latest for each question, at most `most`.

    One that was signed for other facts is never given out: the facts hold the version of the ledger's row, so that an
    answer from before a hold does not come back after the release either.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._answers: OrderedDict[_Question, _Signed] = OrderedDict()

    def get(self, question: _Question, facts: OcspFacts, at: datetime) -> _Signed | None:
        signed = self._answers.get(question)
        is_current = signed is not None and signed.facts == facts and signed.at <= at < signed.at + policy.OCSP_KEPT
        return signed if is_current else None

    def put(self, question: _Question, facts: OcspFacts, at: datetime, der: bytes) -> _Signed:
        signed = _Signed(facts, at, der)
        with self._lock:
            self._answers[question] = signed
            self._answers.move_to_end(question)
            if len(self._answers) > self._most:
                self._answers.popitem(last=False)
        return signed


_SIGNED = _SignedAnswers(most=4096)


def respond(role: str, der: bytes, *, at: datetime) -> Answer:
    """Answer a request for a certificate of this CA. Never raises for what a stranger sends.

    Junk, several certificates in one request or a nonce outside 1-32 octets: malformedRequest. Another CA's
    certificate, or a serial that this CA never issued: unknown, and never good (RFC 6960 §2.2).
    """
    try:
        question = _read(der)
    except _Malformed:
        return Answer(ocsp_der.failure(ocsp_der.MALFORMED_REQUEST))
    facts = queries.ocsp_facts(role, question.serial, at)
    if facts is None:
        return Answer(ocsp_der.failure(ocsp_der.INTERNAL_ERROR))
    signer, now = queries.ocsp_signer(facts.signer_id), at.replace(microsecond=0)
    if facts.state is None or not _asks_about(question, signer.authority):
        return Answer(_signed(signer, question, ocsp_der.UNKNOWN, now))
    if question.nonce is not None:
        return Answer(_signed(signer, question, _status(facts), now))
    signed = _SIGNED.get(question, facts, at) or _SIGNED.put(
        question, facts, now, _signed(signer, question, _status(facts), now)
    )
    return Answer(signed.der, Life(at, signed.at, signed.at + policy.OCSP_LIFE))


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
    hashed = ocsp_der.issuer_hashes(bytes(authority.certificate), question.algorithm)
    return (question.name_hash, question.key_hash) == hashed


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
    if facts.state == State.GOOD or facts.invalid_since is None or facts.reason is None:
        return ocsp_der.GOOD
    return ocsp_der.revoked(facts.invalid_since, facts.reason)
