"""Reads of the ledger in slices, for who compares it with something else: plain columns, a million rows are many."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from authority.models import LedgerEntry
from authority.models.fields import SERIAL_BITS
from authority.queries import issuing_authorities
from authority.states import State
from pki.gateway import CertificateRef, CertificateStatus, LedgerLine, StatusKind

KINDS = {State.GOOD: StatusKind.GOOD, State.HELD: StatusKind.HELD, State.REVOKED: StatusKind.REVOKED}
_BY_VALUE = {state.value: kind for state, kind in KINDS.items()}
_GOOD = CertificateStatus(StatusKind.GOOD)


def statuses(refs: Sequence[CertificateRef]) -> dict[CertificateRef, CertificateStatus]:
    """Say what the ledger says of these, by the unique index; what was never issued is not there."""
    by_issuer: dict[bytes, dict[int, CertificateRef]] = {}
    for ref in refs:
        if 0 < ref.serial < 1 << SERIAL_BITS:
            by_issuer.setdefault(ref.issuer_key_id, {})[ref.serial] = ref
    found = {}
    for issuer in issuing_authorities():
        asked = by_issuer.get(bytes(issuer.key_identifier), {})
        rows = LedgerEntry.objects.filter(issuer=issuer, serial__in=list(asked))
        for serial, state, reason, since in rows.values_list("serial", "state", "reason", "since"):
            found[asked[serial]] = _status(state, reason, since)
    return found


def lines_after(position: int, size: int) -> list[tuple[int, LedgerLine]]:
    """Read the next lines behind a number, each with its own."""
    keys = {issuer.pk: bytes(issuer.key_identifier) for issuer in issuing_authorities()}
    rows = LedgerEntry.objects.filter(pk__gt=position).order_by("pk")
    columns = ("pk", "request_id", "issuer_id", "serial", "spki_sha256", "state", "reason", "since")
    return [
        (pk, LedgerLine(request_id, CertificateRef(keys[issuer], serial), bytes(spki), _status(state, reason, since)))
        for pk, request_id, issuer, serial, spki, state, reason, since in rows.values_list(*columns)[:size]
    ]


def _status(state: str, reason: str, since: datetime | None) -> CertificateStatus:
    if state == State.GOOD.value:
        return _GOOD
    return CertificateStatus(_BY_VALUE[state], reason or None, since)
