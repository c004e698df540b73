"""Hold, release, revoke: every pair of state and order, once per order id, and revoked for good."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import connections

from authority.models import Crl, JournalEntry, LedgerEntry, UnpublishedChange
from authority.policy import MOVES
from authority.states import CHANGES, Effect, Kind, State
from pki.errors import GatewayConflict, GatewayRefused
from pki.gateway import CertificateRef, RevocationReason, StatusKind
from tests.authority import asking
from tests.authority.asking import AT, later

REASON = RevocationReason.PRIVILEGE_WITHDRAWN
PATHS = {State.GOOD: [], State.HELD: [Kind.HOLD], State.REVOKED: [Kind.REVOKE]}


def order(gateway, kind, ref, at=AT, request_id=None):
    ids = {"request_id": request_id or uuid4(), "at": at}
    if kind == Kind.REVOKE:
        gateway.revoke(ref, reason=REASON, **ids)
    else:
        getattr(gateway, kind)(ref, **ids)


def test_a_refused_hold_of_a_strict_certificate_is_in_the_journal(gateway):
    ref, asked = gateway.issue(asking.request(asking.STRICT_MAIL), at=AT).ref, uuid4()

    for _ in range(2):
        with pytest.raises(GatewayRefused) as refused:
            gateway.hold(ref, request_id=asked, at=AT)
        assert refused.value.code == "hold-not-allowed"

    row = JournalEntry.objects.get(request_id=asked)
    assert (row.kind, row.effect, row.entry.serial) == (Kind.HOLD, Effect.REFUSED, ref.serial)
    assert not UnpublishedChange.objects.exists()


def test_the_table_of_moves_is_complete():
    assert set(MOVES) == {(kind, state) for kind in CHANGES for state in State}


@pytest.mark.parametrize(("pair", "move"), MOVES.items(), ids="-".join)
def test_each_order_in_each_state_does_what_the_table_says(gateway, issued, pair, move):
    (kind, state), (effect, after) = pair, move
    for step in PATHS[state]:
        order(gateway, step, issued.ref)

    if effect == Effect.REFUSED:
        with pytest.raises(GatewayConflict):
            order(gateway, kind, issued.ref)
    else:
        order(gateway, kind, issued.ref)

    assert gateway.status(issued.ref).kind == StatusKind(after.value)
    assert JournalEntry.objects.filter(kind=kind).latest("pk").effect == effect


def test_a_hold_states_its_reason_and_instant(gateway, issued):
    gateway.hold(issued.ref, request_id=uuid4(), at=AT)

    status = gateway.status(issued.ref)

    assert (status.kind, status.reason, status.since) == (StatusKind.HELD, "certificateHold", AT)


def test_after_a_release_nothing_is_left_of_the_hold_but_the_journal(gateway, issued):
    gateway.hold(issued.ref, request_id=uuid4(), at=AT)
    gateway.release(issued.ref, request_id=uuid4(), at=later(hours=1))

    status = gateway.status(issued.ref)

    assert (status.kind, status.reason, status.since) == (StatusKind.GOOD, None, None)
    assert [row.kind for row in JournalEntry.objects.filter(entry__isnull=False).order_by("pk")] == [
        Kind.ISSUE,
        Kind.HOLD,
        Kind.RELEASE,
    ]


def test_revoked_out_of_a_hold_relying_parties_keep_reading_the_holds_date(gateway, issued):
    gateway.hold(issued.ref, request_id=uuid4(), at=AT)
    gateway.revoke(issued.ref, reason=REASON, request_id=uuid4(), at=later(days=121))

    entry = LedgerEntry.objects.get()

    assert (entry.since, entry.invalid_since) == (later(days=121), AT)
    assert gateway.status(issued.ref).since == later(days=121)


def test_the_first_revocations_date_and_reason_stay(gateway, issued):
    gateway.revoke(issued.ref, reason=REASON, request_id=uuid4(), at=AT)
    gateway.revoke(issued.ref, reason=RevocationReason.KEY_COMPROMISE, request_id=uuid4(), at=later(days=1))

    status = gateway.status(issued.ref)

    assert (status.reason, status.since) == (REASON, AT)


@pytest.mark.parametrize("kind", CHANGES)
def test_an_order_repeated_with_its_id_changes_nothing(gateway, issued, kind):
    request_id = uuid4()
    if kind == Kind.RELEASE:
        order(gateway, Kind.HOLD, issued.ref)
    order(gateway, kind, issued.ref, request_id=request_id)
    before = (gateway.status(issued.ref), JournalEntry.objects.count(), UnpublishedChange.objects.count())

    order(gateway, kind, issued.ref, at=later(days=1), request_id=request_id)

    after = (gateway.status(issued.ref), JournalEntry.objects.count(), UnpublishedChange.objects.count())
    assert after == before


def test_an_old_hold_that_comes_again_after_the_release_does_not_hold(gateway, issued):
    first = uuid4()
    gateway.hold(issued.ref, request_id=first, at=AT)
    gateway.release(issued.ref, request_id=uuid4(), at=AT)

    gateway.hold(issued.ref, request_id=first, at=later(minutes=1))

    assert gateway.status(issued.ref).kind == StatusKind.GOOD


def test_a_refused_order_is_in_the_journal_and_is_refused_again(gateway, issued):
    gateway.revoke(issued.ref, reason=REASON, request_id=uuid4(), at=AT)
    request_id = uuid4()

    for _ in range(2):
        with pytest.raises(GatewayConflict) as refusal:
            gateway.hold(issued.ref, request_id=request_id, at=AT)
        assert refusal.value.code == "certificate-revoked"

    assert JournalEntry.objects.get(request_id=request_id).effect == Effect.REFUSED


def test_an_id_serves_one_order_on_one_certificate(gateway, issued, signed):
    request_id = uuid4()
    gateway.hold(issued.ref, request_id=request_id, at=AT)

    for kind, ref in ((Kind.RELEASE, issued.ref), (Kind.HOLD, signed.ref)):
        with pytest.raises(GatewayConflict) as refusal:
            order(gateway, kind, ref, request_id=request_id)
        assert refusal.value.code == "request-id-reused"

    assert gateway.status(signed.ref).kind == StatusKind.GOOD


@pytest.mark.parametrize("kind", CHANGES)
def test_a_certificate_that_this_ca_never_issued_is_refused(gateway, issued, kind):
    for ref in (CertificateRef(issued.ref.issuer_key_id, 4711), CertificateRef(b"\x00" * 20, issued.ref.serial)):
        with pytest.raises(GatewayRefused) as refusal:
            order(gateway, kind, ref)
        assert refusal.value.code == "certificate-unknown"
        assert gateway.status(ref).kind == StatusKind.UNKNOWN


@pytest.mark.parametrize("serial", [0, -1, 1 << 159, 1 << 20_000], ids=["0", "-1", "2^159", "2^20000"])
def test_impossible_serial_numbers_are_unknown(gateway, issued, serial):
    ref = CertificateRef(issued.ref.issuer_key_id, serial)

    assert gateway.status(ref).kind == StatusKind.UNKNOWN
    assert gateway.find_issued(ref=ref) is None
    with pytest.raises(GatewayRefused):
        gateway.hold(ref, request_id=uuid4(), at=AT)


def test_a_change_marks_the_shard_and_the_complete_list_and_no_other(gateway, issued):
    gateway.hold(issued.ref, request_id=uuid4(), at=AT)

    marked = Crl.objects.filter(unpublished__isnull=False).values_list("issuer__role", "year")

    assert set(marked) == {("cns", None), ("cns", 2026)}


def test_an_order_that_changes_nothing_marks_nothing(gateway, issued):
    gateway.release(issued.ref, request_id=uuid4(), at=AT)

    assert not UnpublishedChange.objects.exists()


def test_one_of_two_opposite_orders_at_once_wins_and_the_ledger_stays_legal(committed_gateway):
    gateway, rounds = committed_gateway, 20

    for _ in range(rounds):
        ref = gateway.issue(asking.request(), at=AT).ref
        gateway.hold(ref, request_id=uuid4(), at=AT)
        start = threading.Barrier(2)

        def act(kind, ref=ref, start=start):
            start.wait()
            try:
                order(gateway, kind, ref)
            except GatewayConflict:
                return "conflict"
            finally:
                connections.close_all()
            return "done"

        with ThreadPoolExecutor(2) as pool:
            revoked, _released = pool.map(act, [Kind.REVOKE, Kind.RELEASE])

        assert revoked == "done"
        assert gateway.status(ref).kind == StatusKind.REVOKED


def test_the_number_of_statements_is_fixed(gateway, django_assert_num_queries):
    ref = gateway.issue(asking.request(), at=AT).ref

    for kind in CHANGES:
        with django_assert_num_queries(8):
            order(gateway, kind, ref)
