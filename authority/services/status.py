"""Changing a certificate's state: hold, release, revoke. Each order has an id; repeating it changes nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.db import IntegrityError, transaction

from authority import policy, queries
from authority.models import Crl, JournalEntry, LedgerEntry, UnpublishedChange
from authority.states import HOLD_REASON, Effect, Kind, State
from pki.assembly import crl_entry
from pki.errors import GatewayConflict, GatewayRefused
from pki.gateway import CertificateRef, RevocationReason

MOVED = ["state", "reason", "since", "invalid_since", "crl_entry"]


class Movable(Protocol):
    """What of a ledger entry decides and states its status."""

    serial: int
    state: str
    reason: str
    since: datetime | None
    invalid_since: datetime | None
    crl_entry: bytes | memoryview[int] | None


def hold(ref: CertificateRef, *, request_id: UUID, at: datetime) -> None:
    """Put on hold. `GatewayConflict` once revoked, `GatewayRefused` for one that is not ours or cannot be held."""
    _carry_out(Kind.HOLD, ref, HOLD_REASON, request_id, at)


def release(ref: CertificateRef, *, request_id: UUID, at: datetime) -> None:
    """Lift the hold; the next CRLs have no entry. `GatewayConflict` once revoked."""
    _carry_out(Kind.RELEASE, ref, "", request_id, at)


def revoke(ref: CertificateRef, *, reason: RevocationReason, request_id: UUID, at: datetime) -> None:
    """Revoke for good. Out of a hold, relying parties keep reading the hold's date: it was invalid from then on."""
    _carry_out(Kind.REVOKE, ref, RevocationReason(reason).value, request_id, at)


def _carry_out(kind: Kind, ref: CertificateRef, reason: str, request_id: UUID, at: datetime) -> None:
    """Lock the certificate, act once, and keep the order in the journal, also when it is refused."""
    try:
        with transaction.atomic(durable=True):
            entry = _locked(ref)
            effect = _done_before(kind, entry, request_id) or _act(kind, entry, reason, request_id, at)
    except IntegrityError:
        raise GatewayConflict("this request id was used for something else", code="request-id-reused") from None
    if effect is Effect.REFUSED:
        raise policy.refusal(kind, entry.profile)


def _locked(ref: CertificateRef) -> LedgerEntry:
    rows = LedgerEntry.objects.select_for_update(of=("self",))
    try:
        return queries.named(rows, ref.issuer_key_id, ref.serial).get()
    except LedgerEntry.DoesNotExist:
        raise GatewayRefused("this CA never issued such a certificate", code="certificate-unknown") from None


def _done_before(kind: Kind, entry: LedgerEntry, request_id: UUID) -> Effect | None:
    """Say what this order did when it came first."""
    row = JournalEntry.objects.filter(request_id=request_id).first()
    if row is None:
        return None
    if (row.kind, row.entry_id) != (kind, entry.pk):
        raise GatewayConflict("this request id was used for something else", code="request-id-reused")
    return Effect(row.effect)


def _act(kind: Kind, entry: LedgerEntry, reason: str, request_id: UUID, at: datetime) -> Effect:
    effect, state = policy.effect_of(kind, State(entry.state), entry.profile)
    if effect is Effect.DONE:
        move(entry, state, reason, at)
        entry.save(update_fields=MOVED)
        _mark(entry, at)
    JournalEntry.objects.create(
        at=at,
        kind=kind,
        effect=effect,
        request_id=request_id,
        entry=entry,
        authority_id=entry.issuer_id,
        reason=reason,
    )
    return effect


def move(entry: Movable, state: State, reason: str, at: datetime) -> None:
    """Set the state, its facts, and the bytes that the CRLs will carry; the caller stores them (`MOVED`)."""
    if state is State.GOOD:
        entry.since = entry.invalid_since = entry.crl_entry = None
    else:
        # Clocks may step back between two orders; a certificate was not invalid later than its state began.
        entry.since = at if entry.since is None else max(at, entry.since)
        entry.invalid_since = entry.invalid_since or entry.since
        entry.crl_entry = crl_entry(entry.serial, entry.invalid_since, reason)
    entry.state, entry.reason = state, reason


def _mark(entry: LedgerEntry, at: datetime) -> None:
    """Tell the publisher which lists are out of date: the certificate's shard and the issuer's complete list."""
    complete = Crl.objects.only("pk").get(issuer_id=entry.issuer_id, year=None)
    UnpublishedChange.objects.bulk_create(
        [UnpublishedChange(crl_id=crl_id, part=entry.part, at=at) for crl_id in (complete.pk, entry.shard_id)]
    )
