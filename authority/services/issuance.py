"""Issuing certificates: the same request id never yields two."""

from __future__ import annotations

import hashlib
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from authority import policy, queries
from authority.models import CertificationAuthority, Crl, IssuedDer, JournalEntry, LedgerEntry
from authority.services.publication import ensure_shard
from authority.signer import signer_for
from authority.states import ISSUER_OF, Kind
from pki import csr, keys, lint, profiles
from pki.assembly import SignatureAlgorithm, assemble, taken_apart, to_be_signed
from pki.csr import SigningRequest
from pki.errors import GatewayConflict, GatewayRefused, PkiError
from pki.gateway import IssueRequest

_ADDED_FIELDS = (
    "organization",
    "organization_identifier",
    "email",
    "title",
    "street",
    "locality",
    "state",
    "postal_code",
)


def issue(request: IssueRequest, *, at: datetime) -> LedgerEntry:
    """Issue a certificate, or return what this request id was given before.

    Gate, lint, signature and ledger are one transaction under a lock of the request id alone: calls with the same id
    queue, all others pass. The certificate leaves only after the commit, so a crash leaves nothing behind.
    Raises `GatewayConflict` for the same id with other content, `GatewayRefused` with the gate's or linter's code.
    """
    digest = digest_of(request)
    try:
        with transaction.atomic(durable=True):
            _queue_by_request(request.id)
            return _issued_before(request.id, digest) or _issue(request, digest, at)
    except IntegrityError:
        # The id was taken by an order of another kind, or a serial number was drawn twice; the lock excludes the rest.
        before = _issued_before(request.id, digest)
        if before is None:
            raise GatewayConflict("this request id was used for something else", code="request-id-reused") from None
        return before


def digest_of(request: IssueRequest) -> bytes:
    """Hash everything that the request asks for, each part under its length.

    What S/MIME has added goes in by name and only where there is some: requests from before keep their digest.
    """
    subject = request.subject
    added = ((name, getattr(subject, name)) for name in _ADDED_FIELDS)
    parts = (
        *_first_parts(request),
        *(text for name, value in added if value for text in (name, value)),
    )
    digest = hashlib.sha256()
    for part in parts:
        octets = part if isinstance(part, bytes) else part.encode()
        digest.update(len(octets).to_bytes(4, "big") + octets)
    return digest.digest()


def _first_parts(request: IssueRequest) -> tuple[bytes | str, ...]:
    subject = request.subject
    return (
        request.csr,
        request.profile.value,
        subject.common_name,
        subject.given_name,
        subject.surname,
        subject.serial_number,
        subject.dn_qualifier,
        subject.organizational_unit,
        subject.country,
        str(int(request.validity.not_before.timestamp())),
        str(int(request.validity.not_after.timestamp())),
    )


def _queue_by_request(request_id: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"authority.request:{request_id}"])


def _issued_before(request_id: UUID, digest: bytes) -> LedgerEntry | None:
    if not LedgerEntry.objects.filter(request_id=request_id).exists():  # nearly always, and this asks for one number
        return None
    entry = queries.ledger_entries().filter(request_id=request_id).first()
    if entry is not None and bytes(entry.request_sha256) != digest:
        raise GatewayConflict("this request id was given a certificate with other content", code="request-id-reused")
    return entry


def _issue(request: IssueRequest, digest: bytes, at: datetime) -> LedgerEntry:
    issuer = queries.authority_by_role(ISSUER_OF[request.profile])
    policy.require_fitting_validity(request.validity, issuer, at)
    asked = _gated(request.csr)
    serial, shard = policy.new_serial(), ensure_shard(issuer, at)
    certificate = _certified(request, asked, issuer, serial, shard)
    entry = LedgerEntry(
        request_id=request.id,
        request_sha256=digest,
        issuer=issuer,
        shard=shard,
        serial=serial,
        profile=request.profile.value,
        spki_sha256=asked.spki_sha256,
        not_before=request.validity.not_before,
        not_after=request.validity.not_after,
        issued_at=at,
    )
    return _record(entry, certificate)


def _gated(der: bytes) -> SigningRequest:
    """Read the request and pass its key through the gate; its subject is not looked at."""
    try:
        asked = csr.read_request(der)
        keys.require_new_key(asked.spki_der)
    except PkiError as refusal:
        raise GatewayRefused(str(refusal), code=refusal.code) from refusal
    return asked


def _certified(
    request: IssueRequest, asked: SigningRequest, issuer: CertificationAuthority, serial: int, shard: Crl
) -> bytes:
    """Build, lint, sign; what is signed are the linted bytes."""
    facts = profiles.issuer_facts(bytes(issuer.certificate), ocsp_url=issuer.ocsp_url, ca_url=issuer.ca_url)
    url = issuer.crl_url(shard.year)
    try:
        builder = profiles.build_leaf(
            request.profile, request.subject, asked.spki_der, request.validity, serial, facts, url
        )
        unsigned = to_be_signed(builder, SignatureAlgorithm(issuer.key.algorithm))
        lint.require_clean_certificate(unsigned.linted_der, request.profile)
    except PkiError as refusal:
        raise GatewayRefused(str(refusal), code=refusal.code) from refusal
    return assemble(unsigned, signer_for(issuer.key).sign(unsigned.tbs))


def _record(entry: LedgerEntry, certificate: bytes) -> LedgerEntry:
    entry.save(force_insert=True)
    entry.issued = IssuedDer(entry=entry, certificate=certificate)
    entry.issued.save(force_insert=True)
    tbs, _ = taken_apart(certificate)
    JournalEntry.objects.create(
        at=entry.issued_at,
        kind=Kind.ISSUE,
        request_id=entry.request_id,
        entry=entry,
        authority=entry.issuer,
        facts={"linter": lint.linter(), "tbs_sha256": hashlib.sha256(tbs).hexdigest()},
    )
    return entry
