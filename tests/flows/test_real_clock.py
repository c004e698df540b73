"""No injected time: real beat, worker and web server suspend an unapproved pair within a minute of the old one's end."""

from __future__ import annotations

import contextlib
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from authority.gateway import EmbeddedGateway
from authority.services import ceremony
from runtime import clock
from tests.authority.founding import found
from tests.flows.installation import HttpClient, Installation
from tests.flows.programs import lack
from tests.flows.relying_party import RelyingParty
from tests.renewals.checking import assert_invariants
from tests.renewals.enrolment import Enrolment
from tests.renewals.keys import key
from tests.renewals.world import TYPES, World

LACK = lack("openssl")
pytestmark = pytest.mark.skipif(LACK is not None, reason=f"package missing: {LACK}")

LIFE_LEFT = timedelta(seconds=60)
ALLOWED = timedelta(seconds=60)


@pytest.fixture
def world(committed):
    """A CA and a centre that wants to authorise each renewal; the card's keys are made before its minute begins."""
    for name in (f"card-1-{slot}{suffix}" for slot in TYPES for suffix in ("", "-new")):
        key(name)
    at = clock.now()
    found(at=at)
    return World(EmbeddedGateway(), at)


@pytest.fixture
def installation(world, tmp_path):
    """The whole product, running."""
    with Installation(tmp_path) as running:
        running.worker()
        running.beat()
        running.web()
        yield running


def test_an_unapproved_pair_is_on_hold_within_a_minute_of_the_old_end(world, installation, tmp_path):
    end = clock.now().replace(microsecond=0) + LIFE_LEFT
    card = world.card(not_after=end, first_issued_on=(end - timedelta(days=700)).date())
    with contextlib.closing(HttpClient(installation.address)) as client:
        enrolment = Enrolment(card, client).until("done")
        pair = enrolment.certificates()
    assert enrolment.case["state_label"] == "Completato"
    moved = (ceremony.DEFAULT_BASE_URL, f"{installation.address}/pki")
    party = RelyingParty(tmp_path / "party", world.ca.trust_anchors()[0], moved=moved)
    wait_until(end - timedelta(seconds=5))
    assert seen(party, pair) == {("good", None)}
    assert {party.verify(der).is_accepted for der in pair.values()} == {True}

    on_hold = {("revoked certificateHold", x509.ReasonFlags.certificate_hold)}
    while seen(party, pair) != on_hold:
        assert datetime.now(UTC) < end + ALLOWED, "not suspended within a minute"
        time.sleep(0.5)

    assert datetime.now(UTC) > end
    assert {party.verify(der).is_accepted for der in pair.values()} == {False}
    assert_invariants(clock.now())


def wait_until(instant: datetime) -> None:
    """Sleep; there must be something left to sleep for."""
    left = (instant - datetime.now(UTC)).total_seconds()
    assert left > 0, "the renewal took longer than the old certificate had to live"
    time.sleep(left)


def seen(party: RelyingParty, pair: dict[str, bytes]) -> set[tuple[str, x509.ReasonFlags | None]]:
    """What OCSP and CRL say of both halves."""
    return {(party.ocsp(der, "-nonce"), party.listed_as(der)) for der in pair.values()}
