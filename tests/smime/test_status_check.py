"""The check from outside walks the certificates for mail too, and knows them from those of cards."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from authority.services import publication
from cms import ca
from cms.actors import SYSTEM
from cms.models import StatusCheck, StatusDifference
from pki.gateway import RevocationReason
from renewals import invariants
from smime.models import CaOrder
from smime.services import admission, issuance, revocation
from smime.states import RevocationGround
from tests.authority import asking
from tests.authority.founding import found
from tests.cms.outside import InnerWire
from tests.cms.walks import LAG, ref, tampered, walked
from tests.smime.issuing import LATER, Willing, ready

AT = LATER + timedelta(minutes=10)


@pytest.fixture(autouse=True)
def authority(committed, settings):
    settings.SMIME = settings.SMIME.model_copy(update={"bundle_iterations": 2000})
    found("p-256")
    with admission.asking(Willing()):
        yield


@pytest.fixture
def wire():
    return InnerWire()


@pytest.fixture
def certificate():
    order = ready("mv", key_kind="ec-p256")
    issuance.carry_out(CaOrder.objects.get(order=order, kind="issue").pk, at=LATER)
    publication.publish_due(LATER)
    return order.certificates.get()


def breaches():
    return [str(each) for each in invariants.breaches(now=AT)]


def test_active_suspended_and_revoked_ones_that_all_agree_about_are_no_differences(certificate, clock, wire):
    assert walked(clock, wire, at=AT) == []
    assert breaches() == []
    for step, ask in enumerate((revocation.request_hold, revocation.request_release, withdraw), start=1):
        at = AT + step * timedelta(hours=1)
        revocation.carry_out(ask(certificate.pk, actor=SYSTEM, now=at).pk, at=at)
        assert walked(clock, wire, at=at) == []

    check = StatusCheck.objects.latest("pk")
    assert (check.checked, check.total) == (1, 1)
    assert {name.rpartition("/pki/")[2] for name in check.lists} >= {"crl/smime.crl", "crl/smime/2026.crl"}
    assert any(address.endswith("/ocsp/smime") for address in wire.asked)


def withdraw(pk, *, actor, now):
    return revocation.request_revocation(pk, ground=RevocationGround.KEY_COMPROMISE, actor=actor, now=now)


def test_one_that_is_revoked_in_the_register_alone_differs(certificate, clock, wire):
    tampered(certificate, status="revoked", revoked_at=LATER, ground="key-compromise")

    assert walked(clock, wire, at=AT) == [("ledger", None, "revoked", "good", "good", "good")]
    assert StatusDifference.objects.get().serial == certificate.serial
    assert [each.split(" ", 1)[0] for each in breaches()] == ["I6"]


def test_one_that_is_revoked_at_the_ca_alone_differs(certificate, clock, wire):
    ca.gateway().revoke(ref(certificate), reason=RevocationReason.KEY_COMPROMISE, request_id=uuid4(), at=LATER)

    assert walked(clock, wire, at=AT) == [("ledger", None, "active", "revoked", "revoked", "revoked")]


def test_one_that_the_ca_never_issued_is_found(certificate, clock, wire):
    mine = certificate.serial
    tampered(certificate, serial="7f")

    found = walked(clock, wire, at=AT)

    assert [(kind, here, there) for kind, _, here, there, *_ in found] == [
        ("unknown-to-ca", "active", "unknown"),
        ("unknown-to-register", "", "good"),
    ]
    assert {each.serial for each in StatusDifference.objects.all()} == {"7f", mine}
    assert [each.split(" ", 1)[0] for each in breaches()] == ["I3", "I3"]


def test_one_that_stands_in_no_register_is_found_though_cards_have_one(certificate, clock, wire):
    stray = ca.gateway().issue(asking.request(asking.MAIL, private_key=asking.key("p-256")), at=LATER)

    assert walked(clock, wire, at=AT) == [("unknown-to-register", None, "", "good", "good", "good")]
    assert StatusDifference.objects.get().serial == f"{stray.ref.serial:x}"


def test_a_list_that_still_calls_it_good_differs(certificate, clock, wire):
    wire.faults = {f"crl/{name}.crl": InnerWire().get(f"/pki/crl/{name}.crl") for name in ("smime", "smime/2026")}
    revocation.carry_out(withdraw(certificate.pk, actor=SYSTEM, now=AT).pk, at=AT)

    assert walked(clock, wire, at=AT) == [("crl", None, "revoked", "revoked", "good", "revoked")]


@pytest.mark.parametrize("is_answered", [False, True])
def test_what_the_ca_is_being_asked_for_is_no_difference(certificate, clock, wire, is_answered):
    order = withdraw(certificate.pk, actor=SYSTEM, now=AT)
    if is_answered:  # and the answer was lost
        CaOrder.objects.filter(pk=order.pk).update(state="sent")
        ca.gateway().revoke(ref(certificate), reason=RevocationReason.KEY_COMPROMISE, request_id=order.uid, at=AT)

    assert walked(clock, wire, at=AT) == []


def test_what_was_just_issued_and_is_not_stored_yet_is_no_stranger(certificate, clock, wire):
    issuance.reissue(certificate.order.uid, actor=SYSTEM, now=AT)
    order = CaOrder.objects.get(kind="issue", edition=2)
    request = asking.request(asking.MAIL, request_id=order.uid, private_key=asking.key("p-256"))
    ca.gateway().issue(request, at=AT)

    assert walked(clock, wire, at=AT) == []
    order.refresh_from_db()
    CaOrder.objects.filter(pk=order.pk).update(state="cancelled", settled_at=AT)
    assert [kind for kind, *_ in walked(clock, wire, at=AT + LAG)] == ["unknown-to-register"]
