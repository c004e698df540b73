"""The embedded CA behind the port of `pki.gateway`; what it raises are the port's failures and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.db import DatabaseError, InterfaceError, OperationalError
from psycopg import errors as postgres

from authority import queries, slices
from authority.models import LedgerEntry
from authority.services import issuance, status, status_batch
from authority.services import published as publications
from authority.states import State
from pki.batch import Order, Outcome
from pki.errors import GatewayRefused, GatewayUnavailable, OutcomeUnknown
from pki.gateway import (
    Capabilities,
    CertificateRef,
    CertificateStatus,
    IssuedCertificate,
    IssueRequest,
    LedgerLine,
    RevocationReason,
    StatusKind,
)
from pki.published import Published

# The statement was refused before it did anything, so asking again is safe.
_NOTHING_DONE = (postgres.LockNotAvailable, postgres.DeadlockDetected, postgres.SerializationFailure)


class EmbeddedGateway:
    """The CA of this installation. Orders run in a transaction of their own and refuse to run inside another one."""

    capabilities = Capabilities(
        hold=True,
        release=True,
        hold_then_revoke=True,
        find_by_request_id=True,
        find_by_public_key=True,
        enumerate=True,
        batch=True,
    )

    def issue(self, request: IssueRequest, *, at: datetime) -> IssuedCertificate:
        """Issue once per request id; the certificate is in the ledger before it is returned."""
        with _orders():
            return _issued(issuance.issue(request, at=at))

    def find_issued(
        self, *, request_id: UUID | None = None, spki_sha256: bytes | None = None, ref: CertificateRef | None = None
    ) -> IssuedCertificate | None:
        """Look up by exactly one key (`GatewayRefused` otherwise); by public key the newest of its certificates."""
        if [request_id, spki_sha256, ref].count(None) != 2:
            raise GatewayRefused("look a certificate up by exactly one key", code="lookup-ambiguous")
        entries = queries.ledger_entries().order_by("-pk")
        if request_id is not None:
            entries = entries.filter(request_id=request_id)
        elif spki_sha256 is not None:
            entries = entries.filter(spki_sha256=spki_sha256)
        elif ref is not None:
            entries = queries.named(entries, ref.issuer_key_id, ref.serial)
        with _reads():
            entry = entries.first()
        return None if entry is None else _issued(entry)

    def status(self, ref: CertificateRef) -> CertificateStatus:
        """Read the ledger."""
        with _reads():
            entry = queries.entry_by_serial(ref.issuer_key_id, ref.serial)
        return CertificateStatus(StatusKind.UNKNOWN) if entry is None else _status(entry)

    def published(self, ref: CertificateRef, *, at: datetime) -> Published:
        """Read the newest CRL and ask the OCSP responder, as relying parties do (`pki.published`)."""
        with _reads():
            return publications.published(ref, at=at)

    def hold(self, ref: CertificateRef, *, request_id: UUID, at: datetime) -> None:
        """Suspend; the CRLs are marked, publishing them is `authority.tasks.publish_crls`'s."""
        with _orders():
            status.hold(ref, request_id=request_id, at=at)

    def release(self, ref: CertificateRef, *, request_id: UUID, at: datetime) -> None:
        """Lift the hold."""
        with _orders():
            status.release(ref, request_id=request_id, at=at)

    def revoke(self, ref: CertificateRef, *, reason: RevocationReason, request_id: UUID, at: datetime) -> None:
        """Revoke for good."""
        with _orders():
            status.revoke(ref, reason=reason, request_id=request_id, at=at)

    def change_many(self, orders: Sequence[Order], *, at: datetime) -> Sequence[Outcome]:
        """Change the status of many certificates in one transaction."""
        with _orders():
            return status_batch.change_many(orders, at=at)

    def issuers(self) -> tuple[bytes, ...]:
        """Certificates of the CAs that issue to holders: CNS authentication, qualified signature, S/MIME."""
        with _reads():
            return tuple(bytes(each.certificate) for each in queries.issuing_authorities())

    def trust_anchors(self) -> tuple[bytes, ...]:
        """Certificate of the root."""
        with _reads():
            return tuple(bytes(each.certificate) for each in queries.roots())

    def statuses(self, refs: Sequence[CertificateRef]) -> dict[CertificateRef, CertificateStatus]:
        """Read the ledger about many certificates, in one statement for each issuer (`pki.ledger`)."""
        with _reads():
            return slices.statuses(refs)

    def ledger_after(self, position: int, size: int) -> list[tuple[int, LedgerLine]]:
        """Read on in the ledger; a position is a line's own number."""
        with _reads():
            return slices.lines_after(position, size)

    def ledger(self) -> Iterator[LedgerLine]:
        """Walk the ledger in chunks, with no transaction open in between."""
        with _reads():
            for entry in queries.in_order_of_issuance():
                yield _line(entry)


@contextmanager
def _orders() -> Iterator[None]:
    """Translate the database's failures: what may have been committed before the connection broke is unknown."""
    try:
        yield
    except (OperationalError, InterfaceError) as failure:
        if isinstance(failure.__cause__, _NOTHING_DONE):
            raise GatewayUnavailable("the CA's ledger is busy") from failure
        raise OutcomeUnknown("the CA's ledger was lost while it worked") from failure


@contextmanager
def _reads() -> Iterator[None]:
    try:
        yield
    except DatabaseError as failure:
        raise GatewayUnavailable("the CA's ledger does not answer") from failure


def _issued(entry: LedgerEntry) -> IssuedCertificate:
    chain = (bytes(entry.issuer.certificate),)
    return IssuedCertificate(entry.request_id, _ref(entry), bytes(entry.issued.certificate), chain)


def _line(entry: LedgerEntry) -> LedgerLine:
    return LedgerLine(entry.request_id, _ref(entry), bytes(entry.spki_sha256), _status(entry))


def _ref(entry: LedgerEntry) -> CertificateRef:
    return CertificateRef(bytes(entry.issuer.key_identifier), entry.serial)


_KINDS = slices.KINDS


def _status(entry: LedgerEntry) -> CertificateStatus:
    return CertificateStatus(_KINDS[State(entry.state)], entry.reason or None, entry.since)
