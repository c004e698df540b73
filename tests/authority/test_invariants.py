"""The checker sees each kind of damage, and nothing where there is none."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from authority import invariants
from authority.services import publication
from pki.gateway import RevocationReason
from tests.authority import asking
from tests.authority.asking import AT, later


def breaches(at=AT):
    return invariants.breaches(at=at)


def test_a_life_of_orders_breaks_nothing(gateway):
    for kind in ("hold", "release", "revoke"):
        ref = gateway.issue(asking.request(), at=AT).ref
        gateway.hold(ref, request_id=uuid4(), at=AT)
        gateway.release(ref, request_id=uuid4(), at=AT)
        if kind == "revoke":
            gateway.revoke(ref, reason=RevocationReason.SUPERSEDED, request_id=uuid4(), at=AT)
        assert breaches() == []
        publication.publish_due(AT)
        assert breaches() == []


def test_a_list_in_force_too_long_is_named(gateway):
    assert breaches(later(hours=24)) == []
    assert len(breaches(later(hours=24) + timedelta(seconds=1))) == 7


FORGOTTEN_HOLD = """
    UPDATE authority_ledgerentry
       SET state = 'good', reason = '', since = NULL, invalid_since = NULL, crl_entry = NULL
"""


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (FORGOTTEN_HOLD, {"differs from the ledger", "journal says otherwise"}),
        ("DELETE FROM authority_journalentry WHERE kind = 'hold'", {"journal says otherwise"}),
        ("DELETE FROM authority_journalentry WHERE kind = 'issue'", {"no order of issuance"}),
        ("UPDATE authority_ledgerentry SET serial = 4711", {"differs from the ledger", "does not describe"}),
        ("UPDATE authority_issuedder SET certificate = '\\x3000'", {"does not describe"}),
        ("DELETE FROM authority_issuedder", {"does not describe"}),
    ],
    ids=["state", "order", "issuance", "serial", "bytes", "no-bytes"],
)
def test_damage_past_the_triggers_is_named(committed_gateway, superuser, damage, expected):
    gateway = committed_gateway
    gateway.hold(gateway.issue(asking.request(), at=AT).ref, request_id=uuid4(), at=AT)
    publication.publish_due(AT)
    assert breaches() == []

    with superuser.connect() as other, other.transaction():
        other.execute("SET LOCAL session_replication_role = replica")
        other.execute(damage)

    found = breaches()
    assert {part for part in expected for breach in found if part in breach} == expected
    assert all(any(part in breach for part in expected) for breach in found)
