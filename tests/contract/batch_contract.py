"""What every certification authority must keep about many orders in one call, and gateways that take them so or not."""

from __future__ import annotations

import dataclasses
from uuid import uuid4

from pki import batch
from pki.batch import Order, OrderKind
from pki.errors import GatewayConflict, GatewayRefused
from pki.gateway import (
    CertificateRef,
    CertificateStatus,
    RevocationReason,
    StatusKind,
)
from tests.contract.wishes import (
    AT,
    GOOD,
    HELD,
    LATER,
    LATEST,
    Certified,
    wish,
)


class InBatches:
    """A gateway whose changes of status all go as batches, each among orders that must change nothing of its fate."""

    def __init__(self, behind):
        self._behind = behind

    def __getattr__(self, name):
        return getattr(self._behind, name)

    def hold(self, ref, *, request_id, at):
        self._change(Order(OrderKind.HOLD, ref, request_id), at)

    def release(self, ref, *, request_id, at):
        self._change(Order(OrderKind.RELEASE, ref, request_id), at)

    def revoke(self, ref, *, reason, request_id, at):
        self._change(Order(OrderKind.REVOKE, ref, request_id, reason), at)

    def _change(self, order, at):
        stranger = CertificateRef(b"another issuer", 7)
        orders = [Order(OrderKind.HOLD, stranger, uuid4()), order, Order(OrderKind.RELEASE, stranger, uuid4())]
        before, outcome, after = batch.change_many(self._behind, orders, at=at)
        assert isinstance(before.failure, GatewayRefused)
        assert isinstance(after.failure, GatewayRefused)
        assert outcome.request_id == order.request_id
        if outcome.failure is not None:
            raise outcome.failure


class AloneOnly:
    """The same CA, which takes one order at a time."""

    def __init__(self, behind):
        self._behind = behind
        self.capabilities = dataclasses.replace(behind.capabilities, batch=False)

    def __getattr__(self, name):
        assert name != "change_many"
        return getattr(self._behind, name)


class BatchContract(Certified):
    """Claims on many orders in one call."""

    def test_each_order_has_its_own_outcome_and_none_hinders_another(self, gateway):
        refs = [gateway.issue(wish(), at=AT).ref for _ in range(5)]
        gateway.hold(refs[1], request_id=uuid4(), at=AT)
        gateway.revoke(refs[3], reason=RevocationReason.SUPERSEDED, request_id=uuid4(), at=AT)
        orders = [
            Order(OrderKind.HOLD, refs[0], uuid4()),
            Order(OrderKind.RELEASE, refs[1], uuid4()),
            Order(OrderKind.REVOKE, refs[2], uuid4(), RevocationReason.KEY_COMPROMISE),
            Order(OrderKind.HOLD, refs[3], uuid4()),
            Order(OrderKind.HOLD, CertificateRef(refs[4].issuer_key_id, refs[4].serial + 1), uuid4()),
            Order(OrderKind.RELEASE, refs[4], uuid4()),
        ]

        for _ in range(2):
            outcomes = batch.change_many(gateway, orders, at=LATER)

            assert [outcome.request_id for outcome in outcomes] == [order.request_id for order in orders]
            kinds = [type(outcome.failure) for outcome in outcomes]
            assert kinds == [*[type(None)] * 3, GatewayConflict, GatewayRefused, type(None)]
            revoked = CertificateStatus(StatusKind.REVOKED, "keyCompromise", LATER)
            withdrawn = CertificateStatus(StatusKind.REVOKED, "superseded", AT)
            assert [gateway.status(ref) for ref in refs] == [HELD, GOOD, revoked, withdrawn, GOOD]

    def test_orders_for_one_certificate_are_carried_out_in_their_order(self, gateway, ref):
        orders = [
            Order(OrderKind.HOLD, ref, uuid4()),
            Order(OrderKind.RELEASE, ref, uuid4()),
            Order(OrderKind.HOLD, ref, uuid4()),
        ]
        assert [outcome.failure for outcome in batch.change_many(gateway, orders, at=LATER)] == [None] * 3
        assert gateway.status(ref) == HELD

    def test_an_id_that_comes_twice_in_a_batch_acts_once(self, gateway, ref):
        other, order = gateway.issue(wish(), at=AT).ref, Order(OrderKind.HOLD, ref, uuid4())
        orders = [order, order, dataclasses.replace(order, ref=other)]
        outcomes = batch.change_many(gateway, orders, at=LATER)
        assert [type(outcome.failure) for outcome in outcomes] == [type(None), type(None), GatewayConflict]
        assert (gateway.status(ref), gateway.status(other)) == (HELD, GOOD)

    def test_what_was_asked_alone_is_known_in_a_batch_and_the_other_way_round(self, gateway, ref):
        hold, release = uuid4(), uuid4()
        gateway.hold(ref, request_id=hold, at=AT)
        batch.change_many(gateway, [Order(OrderKind.RELEASE, ref, release)], at=LATER)
        batch.change_many(gateway, [Order(OrderKind.HOLD, ref, hold)], at=LATEST)
        assert gateway.status(ref) == GOOD
        gateway.hold(ref, request_id=uuid4(), at=LATER)
        gateway.release(ref, request_id=release, at=LATEST)
        assert gateway.status(ref) == HELD

    def test_no_orders_are_no_work(self, gateway):
        assert list(batch.change_many(gateway, [], at=AT)) == []
