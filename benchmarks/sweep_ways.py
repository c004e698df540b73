"""The ways to suspend certificates that the sweep's benchmark compares; each does all of it for the same cases.

Product: its sweep and its worker. Peers, written as one writes them: the ORM row by row, locked and committed each; the
ORM's `bulk_update` and `bulk_create`. Both also write hold, status, event, mail, and the CA's ledger with its CRL entry
and journal; neither stores a wish before it asks. Limit: bare UPDATEs of the rows whose state changes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import connection, transaction

from authority import queries
from authority.models import JournalEntry, LedgerEntry
from authority.services import status
from authority.states import HOLD_REASON, Kind, State
from cms import ca, events
from cms.actors import SYSTEM
from cms.models import Certificate, Event, Hold
from cms.services import certificates, requests
from cms.states import HoldCause
from notifications import services as notifications
from pki.batch import Order, Outcome
from renewals import sweeps
from renewals.models import RenewalCase
from renewals.queries import CASE_IN_ROUND
from renewals.services import cases, notices, rounds

BATCH = 1000
_HOLD_FIELDS = ["status", "held_at"]


class _Timed:
    """The configured CA, timed."""

    def __init__(self) -> None:
        self._ca: Any = ca.gateway()
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ca, name)

    def change_many(self, orders: Sequence[Order], *, at: datetime) -> Sequence[Outcome]:
        """The same, timed."""
        begun = time.perf_counter()
        try:
            return list(self._ca.change_many(orders, at=at))
        finally:
            self.seconds += time.perf_counter() - begun


def product(at: datetime) -> dict[str, float]:
    """Sweep, then carry out what it wishes; seconds of each part."""
    begun = time.perf_counter()
    sweeps.suspend_unauthorised(now=at)
    swept = time.perf_counter()
    timed = _Timed()
    installed: AbstractContextManager[Any] = ca.installed(timed)
    with installed:
        while requests.carry_out_due(at=at):
            pass
    done = time.perf_counter()
    return {"register": swept - begun, "CA": timed.seconds, "claim and settle": done - swept - timed.seconds}


def row_by_row(ids: Sequence[int], at: datetime) -> float:
    """One transaction a case; seconds."""
    begun = time.perf_counter()
    for pk in ids:
        with transaction.atomic():
            rows = RenewalCase.objects.select_for_update(of=("self",), no_key=True)
            case = rows.select_related(*CASE_IN_ROUND).get(pk=pk)
            rounds.suspend(case, at)
            case.save(update_fields=[*rounds.SUSPENDED_FIELDS])
            events.record_many([cases.event_of("case.suspension-due", case, actor=SYSTEM, at=at)])
            for half in Certificate.objects.select_for_update(no_key=True).filter(pair=case.new_pair_id).order_by("pk"):
                _placed(case, half, at).save()
                half.hold(at=at)
                half.save(update_fields=_HOLD_FIELDS)
                Event.objects.create(**_event(case, half, at))
                (entry,) = _entries([half])
                status.move(entry, State.HELD, HOLD_REASON, at)
                entry.save(update_fields=status.MOVED)
                _journal(entry, at).save()
            notifications.post_all([_letter(case, at)], at=at)
    return time.perf_counter() - begun


def in_bulk(ids: Sequence[int], at: datetime) -> float:
    """`bulk_update` and `bulk_create`, a thousand cases at a time; seconds."""
    begun = time.perf_counter()
    for first in range(0, len(ids), BATCH):
        with transaction.atomic():
            _bulk(ids[first : first + BATCH], at)
    return time.perf_counter() - begun


def _bulk(ids: Sequence[int], at: datetime) -> None:
    locked = RenewalCase.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    rows = list(locked.select_related(*CASE_IN_ROUND).filter(pk__in=ids))
    by_pair = {case.new_pair_id: case for case in rows}
    halves = list(Certificate.objects.select_for_update(no_key=True).filter(pair_id__in=by_pair).order_by("pk"))
    entries = _entries(halves)
    for case in rows:
        rounds.suspend(case, at)
    for half in halves:
        half.hold(at=at)
    for entry in entries:
        status.move(entry, State.HELD, HOLD_REASON, at)
    RenewalCase.objects.bulk_update(rows, rounds.SUSPENDED_FIELDS)
    Certificate.objects.bulk_update(halves, _HOLD_FIELDS)
    LedgerEntry.objects.bulk_update(entries, status.MOVED)
    Hold.objects.bulk_create([_placed(by_pair[half.pair_id], half, at) for half in halves])
    JournalEntry.objects.bulk_create([_journal(entry, at) for entry in entries])
    events.record_many([cases.event_of("case.suspension-due", case, actor=SYSTEM, at=at) for case in rows])
    events.record_many([_event(by_pair[half.pair_id], half, at) for half in halves])
    notifications.post_all([_letter(case, at) for case in rows], at=at)


def bare(ids: Sequence[int], at: datetime) -> float:
    """Three UPDATEs of the rows whose state changes, in one transaction; seconds."""
    halves = Certificate.objects.filter(pair__born_in__in=ids).values_list("pk", "serial")
    pks = [pk for pk, _ in halves]
    serials = [int(serial, 16) for _, serial in halves]
    begun = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE renewals_renewalcase SET suspended_at = %s, due_kind = '', due_at = NULL WHERE id = ANY (%s)",
            [at, list(ids)],
        )
        cursor.execute("UPDATE cms_certificate SET status = 'held', held_at = %s WHERE id = ANY (%s)", [at, pks])
        cursor.execute(
            "UPDATE authority_ledgerentry SET state = 'held', reason = 'certificateHold', since = %s,"
            " invalid_since = %s, crl_entry = sha256(request_sha256) WHERE serial = ANY (%s::numeric[])"
            " AND issuer_id = (SELECT id FROM authority_certificationauthority WHERE role = 'cns')",
            [at, at, serials],
        )
    return time.perf_counter() - begun


def _entries(halves: Sequence[Certificate]) -> list[LedgerEntry]:
    """Lock these certificates' lines in the CA's ledger, by its index."""
    issuer = queries.issuer_ids()[bytes.fromhex(halves[0].issuer_key_id)]
    serials = [int(half.serial, 16) for half in halves]
    return list(LedgerEntry.objects.select_for_update().filter(issuer_id=issuer, serial__in=serials).order_by("pk"))


def _placed(case: RenewalCase, half: Certificate, at: datetime) -> Hold:
    lapses_at = case.due_at or at
    return Hold(certificate=half, cause=HoldCause.MISSING_APPROVAL, placed_at=at, lapses_at=lapses_at)


def _event(case: RenewalCase, half: Certificate, at: datetime) -> dict[str, Any]:
    event = cases.event_of("certificate.held", case, actor=SYSTEM, at=at)
    return event | {"certificate_id": half.pk, "reason": "missing-approval", "facts": {"type": half.type}}


def _journal(entry: LedgerEntry, at: datetime) -> JournalEntry:
    return JournalEntry(
        at=at, kind=Kind.HOLD, request_id=uuid4(), entry=entry, authority_id=entry.issuer_id, reason=HOLD_REASON
    )


def _letter(case: RenewalCase, at: datetime) -> notifications.Draft:
    said = notices.suspension(case, at=at)
    if said is None:
        raise AssertionError("every holder of this register has a mailbox")
    return certificates.draft_of({name: getattr(said, name) for name in said.__slots__}, case.code)
