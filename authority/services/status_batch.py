"""Changing the state of many certificates in one transaction: the same decisions as `status`, in five statements.

A thousand holds cost five round trips and one commit, and mark each list that they concern once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from authority import policy, queries
from authority.models import PART_BITS, Crl, UnpublishedChange
from authority.services import status
from authority.states import HOLD_REASON, Effect, Kind, State
from pki.batch import Order, OrderKind, Outcome
from pki.errors import GatewayConflict, GatewayError, GatewayRefused

_LOCK = """
    SELECT entry.issuer_id, entry.serial, entry.id, entry.shard_id, entry.state, entry.reason, entry.since,
           entry.invalid_since, entry.profile
      FROM unnest(%(issuers)s::bigint[], %(serials)s::numeric[]) AS asked (issuer_id, serial)
      JOIN authority_ledgerentry AS entry USING (issuer_id, serial)
     ORDER BY entry.id
       FOR UPDATE OF entry
"""
_KNOWN = "SELECT request_id, kind, entry_id, effect FROM authority_journalentry WHERE request_id = ANY (%s::uuid[])"
_MOVE = """
    UPDATE authority_ledgerentry AS entry
       SET state = new.state, reason = new.reason, since = new.since, invalid_since = new.invalid_since,
           crl_entry = new.crl_entry
      FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::bytea[])
           AS new (id, state, reason, since, invalid_since, crl_entry)
     WHERE entry.id = new.id
"""
_JOURNAL = """
    INSERT INTO authority_journalentry (at, kind, effect, request_id, entry_id, authority_id, reason, facts)
    SELECT %s, new.*, '{}'
      FROM unnest(%s::text[], %s::text[], %s::uuid[], %s::bigint[], %s::bigint[], %s::text[]) AS new
"""


@dataclass(slots=True)
class _Entry:
    """What is read of a ledger entry, and how it then stands."""

    issuer_id: int
    serial: int
    pk: int
    shard_id: int
    state: str
    reason: str
    since: datetime | None
    invalid_since: datetime | None
    profile: str
    crl_entry: bytes | memoryview[int] | None = None


@dataclass(slots=True)
class _Batch:
    """Entries under lock by issuer and number, orders that came before by id, and what is to be written."""

    at: datetime
    issuers: dict[bytes, int]
    entries: dict[tuple[int, int], _Entry]
    known: dict[UUID, tuple[str, int, str]]
    moved: dict[int, _Entry] = field(default_factory=dict)
    journal: list[tuple[object, ...]] = field(default_factory=list)


def change_many(orders: Sequence[Order], *, at: datetime) -> list[Outcome]:
    """Carry out each order as if it came alone, in their order; a refused one hinders no other."""
    try:
        with transaction.atomic(durable=True):
            batch = _locked(orders, at)
            outcomes = [_outcome(batch, order) for order in orders]
            _write(batch)
    except IntegrityError:
        # Somebody has just used one of these ids for another certificate: alone, each finds out for itself.
        return [_alone(order, at) for order in orders]
    return outcomes


def _locked(orders: Sequence[Order], at: datetime) -> _Batch:
    """Lock by id, then read the journal: the second statement sees what whoever held the locks has committed."""
    issuers = queries.issuer_ids()
    asked = {(issuers[order.ref.issuer_key_id], order.ref.serial) for order in orders if _has_issuer(order, issuers)}
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, {"issuers": [pair[0] for pair in asked], "serials": [pair[1] for pair in asked]})
        found = [_Entry(issuer, int(serial), *more) for issuer, serial, *more in cursor.fetchall()]
        cursor.execute(_KNOWN, [[order.request_id for order in orders]])
        known = {request_id: (kind, entry_id, effect) for request_id, kind, entry_id, effect in cursor.fetchall()}
    return _Batch(at, issuers, {(entry.issuer_id, entry.serial): entry for entry in found}, known)


def _has_issuer(order: Order, issuers: dict[bytes, int]) -> bool:
    return order.ref.issuer_key_id in issuers and queries.is_possible_serial(order.ref.serial)


def _outcome(batch: _Batch, order: Order) -> Outcome:
    failure: GatewayError | None = None
    entry = batch.entries.get((batch.issuers.get(order.ref.issuer_key_id, 0), order.ref.serial))
    if entry is None:
        failure = GatewayRefused("this CA never issued such a certificate", code="certificate-unknown")
    else:
        kind, effect = Kind(order.kind.value), _effect(batch, order, entry)
        if effect is None:
            failure = GatewayConflict("this request id was used for something else", code="request-id-reused")
        elif effect is Effect.REFUSED:
            failure = policy.refusal(kind, entry.profile)
    return Outcome(order.request_id, failure)


def _effect(batch: _Batch, order: Order, entry: _Entry) -> Effect | None:
    """Act, or say what the same order did before; None for an id that was used for something else."""
    kind = Kind(order.kind.value)
    known = batch.known.get(order.request_id)
    if known is not None:
        return Effect(known[2]) if known[:2] == (kind, entry.pk) else None
    effect, state = policy.effect_of(kind, State(entry.state), entry.profile)
    reason = _reason(order)
    if effect is Effect.DONE:
        status.move(entry, state, reason, batch.at)
        batch.moved[entry.pk] = entry
    batch.known[order.request_id] = (kind, entry.pk, effect)
    batch.journal.append((kind.value, effect.value, order.request_id, entry.pk, entry.issuer_id, reason))
    return effect


def _reason(order: Order) -> str:
    if order.reason is not None:
        return order.reason.value
    return HOLD_REASON if order.kind is OrderKind.HOLD else ""


def _write(batch: _Batch) -> None:
    moved = list(batch.moved.values())
    with connection.cursor() as cursor:
        if moved:
            cursor.execute(_MOVE, _columns(_stored(entry) for entry in moved))
            _mark(moved, batch.at)
        if batch.journal:
            cursor.execute(_JOURNAL, [batch.at, *_columns(batch.journal)])


def _stored(entry: _Entry) -> tuple[object, ...]:
    return (entry.pk, str(entry.state), entry.reason, entry.since, entry.invalid_since, entry.crl_entry)


def _columns(rows: Iterable[tuple[object, ...]]) -> list[Any]:
    return [list(column) for column in zip(*rows, strict=True)]


def _mark(moved: list[_Entry], at: datetime) -> None:
    """Tell the publisher once of each part that is out of date: of the shards and of the issuers' complete lists."""
    issuers = {entry.issuer_id for entry in moved}
    complete = dict(Crl.objects.filter(issuer_id__in=issuers, year=None).values_list("issuer_id", "pk"))
    parts = {(crl, entry.pk >> PART_BITS) for entry in moved for crl in (entry.shard_id, complete[entry.issuer_id])}
    UnpublishedChange.objects.bulk_create(
        [UnpublishedChange(crl_id=crl, part=part, at=at) for crl, part in sorted(parts)]
    )


def _alone(order: Order, at: datetime) -> Outcome:
    try:
        if order.reason is not None:
            status.revoke(order.ref, reason=order.reason, request_id=order.request_id, at=at)
        elif order.kind is OrderKind.HOLD:
            status.hold(order.ref, request_id=order.request_id, at=at)
        else:
            status.release(order.ref, request_id=order.request_id, at=at)
    except GatewayError as failure:
        return Outcome(order.request_id, failure)
    return Outcome(order.request_id)
