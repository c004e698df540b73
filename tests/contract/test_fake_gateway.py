"""The fake keeps the port's contract, and its weather is what it says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from pki import batch, lint
from pki.batch import Order, OrderKind
from pki.errors import (
    GatewayNotAllowed,
    GatewayPending,
    GatewayRefused,
    GatewayUnavailable,
    OutcomeUnknown,
)
from pki.fake import FakeAuthority
from pki.gateway import Profile, RevocationReason
from tests.contract.batch_contract import AloneOnly, BatchContract, InBatches
from tests.contract.gateway_contract import GatewayContract
from tests.contract.status_contract import StatusContract
from tests.contract.wishes import AT, GOOD, HELD, LATER, wish


@pytest.fixture
def gateway():
    return FakeAuthority()


class TestFakeAuthority(GatewayContract):
    pass


class TestFakeAuthorityInBatches(StatusContract):
    @pytest.fixture
    def gateway(self, gateway):
        return InBatches(gateway)


class TestBatchesOfTheFakeAuthority(BatchContract):
    pass


class TestAnAuthorityWithoutBatches(BatchContract):
    """Asked one by one behind the same call."""

    @pytest.fixture
    def gateway(self, gateway):
        return AloneOnly(gateway)


def issue_into(weather, gateway, error):
    setattr(gateway, weather, True)
    request = wish()
    with pytest.raises(error):
        gateway.issue(request, at=AT)
    setattr(gateway, weather, False)
    return request


@pytest.mark.parametrize(
    ("weather", "error"),
    [
        ("is_away", GatewayUnavailable),
        ("refuses", GatewayRefused),
        ("is_forbidden", GatewayNotAllowed),
        ("loses_requests", OutcomeUnknown),
    ],
)
def test_weather_that_leaves_nothing_behind(gateway, weather, error):
    request = issue_into(weather, gateway, error)
    assert gateway.issued == []
    assert gateway.find_issued(request_id=request.id) is None
    assert gateway.issue(request, at=AT) == gateway.issued[0]


def test_dropped_answer_is_found_again_and_nothing_is_issued_twice(gateway):
    request = issue_into("drops_answers", gateway, OutcomeUnknown)
    assert gateway.find_issued(request_id=request.id) == gateway.issue(request, at=LATER)
    assert len(gateway.issued) == 1


def test_pending_request_comes_when_the_wait_is_over(gateway):
    gateway.is_pending = True
    request = wish()
    for _ in range(2):
        with pytest.raises(GatewayPending):
            gateway.issue(request, at=AT)
    with pytest.raises(GatewayPending):
        gateway.find_issued(request_id=request.id)
    assert gateway.issued == []
    gateway.is_pending = False
    assert gateway.find_issued(request_id=request.id) == gateway.issue(request, at=LATER)
    assert len(gateway.issued) == 1


@pytest.mark.parametrize(("weather", "status"), [("drops_answers", HELD), ("loses_requests", GOOD)])
def test_hold_in_bad_weather_may_or_may_not_have_happened(gateway, weather, status):
    ref, order = gateway.issue(wish(), at=AT).ref, uuid4()
    setattr(gateway, weather, True)
    with pytest.raises(OutcomeUnknown):
        gateway.hold(ref, request_id=order, at=LATER)
    setattr(gateway, weather, False)
    assert gateway.status(ref) == status
    gateway.hold(ref, request_id=order, at=LATER)
    assert gateway.status(ref) == HELD


def test_ca_that_is_away_answers_nothing(gateway):
    ref = gateway.issue(wish(), at=AT).ref
    gateway.is_away = True
    questions = (
        lambda: gateway.status(ref),
        lambda: gateway.find_issued(ref=ref),
        lambda: list(gateway.ledger()),
        lambda: gateway.release(ref, request_id=uuid4(), at=AT),
        lambda: gateway.revoke(ref, reason=RevocationReason.SUPERSEDED, request_id=uuid4(), at=AT),
    )
    for ask in questions:
        with pytest.raises(GatewayUnavailable):
            ask()


def test_lookup_wants_exactly_one_key(gateway):
    with pytest.raises(GatewayRefused):
        gateway.find_issued()
    with pytest.raises(GatewayRefused):
        gateway.find_issued(request_id=uuid4(), spki_sha256=bytes(32))


def test_guard_sees_every_call_first():
    seen = []
    gateway = FakeAuthority(before_each=seen.append)
    gateway.status(gateway.issue(wish(), at=AT).ref)
    assert seen == gateway.calls == ["issue", "status"]


def test_fifty_callers_with_one_id_get_one_certificate(gateway):
    request = wish()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: gateway.issue(request, at=AT), range(50)))
    assert len({answer.ref for answer in answers}) == len(gateway.issued) == 1


@pytest.mark.parametrize("profile", Profile)
def test_its_certificates_pass_the_linter(gateway, profile):
    lint.require_clean_certificate(gateway.issue(wish(profile), at=AT).certificate, profile)
    for authority in (*gateway.issuers(), *gateway.trust_anchors()):
        lint.require_clean_authority(authority)


@pytest.mark.parametrize(("weather", "error"), [("is_away", GatewayUnavailable), ("is_forbidden", GatewayNotAllowed)])
def test_a_line_that_fails_is_not_asked_for_the_rest_of_a_batch(gateway, weather, error):
    orders = [Order(OrderKind.HOLD, gateway.issue(wish(), at=AT).ref, uuid4()) for _ in range(3)]
    setattr(gateway, weather, True)
    outcomes = batch.change_many(AloneOnly(gateway), orders, at=LATER)
    assert [type(outcome.failure) for outcome in outcomes] == [error] * 3
    assert gateway.calls.count("hold") == 1
    with pytest.raises(error):
        batch.change_many(gateway, orders, at=LATER)


@pytest.mark.parametrize("reason", [None, RevocationReason.SUPERSEDED])
def test_a_revocation_and_nothing_else_has_a_reason(gateway, reason):
    kind = OrderKind.HOLD if reason else OrderKind.REVOKE
    with pytest.raises(ValueError, match="reason"):
        Order(kind, gateway.issue(wish(), at=AT).ref, uuid4(), reason)
