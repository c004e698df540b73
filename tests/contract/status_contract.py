"""What every certification authority must keep about status and its changes, asked singly or in batches."""

from __future__ import annotations

from uuid import uuid4

import pytest

from pki.errors import GatewayConflict, GatewayRefused
from pki.gateway import (
    CertificateRef,
    CertificateStatus,
    Profile,
    RevocationReason,
    StatusKind,
)
from tests.contract.wishes import (
    AT,
    GOOD,
    HELD,
    LATER,
    LATEST,
    MAIL,
    STRICT_MAIL,
    Certified,
    wish,
)


class StatusContract(Certified):
    """Claims on status and its changes, which hold for single calls and for batches alike."""

    # Status

    def test_new_certificate_is_good(self, gateway, ref):
        assert gateway.status(ref) == GOOD

    def test_serial_that_was_never_issued_is_unknown(self, gateway, ref):
        for stranger in (CertificateRef(ref.issuer_key_id, ref.serial + 1), CertificateRef(bytes(20), ref.serial)):
            assert gateway.status(stranger).kind is StatusKind.UNKNOWN

    @pytest.mark.parametrize("order", ["hold", "release", "revoke"])
    def test_orders_for_a_stranger_are_refused(self, gateway, ref, order):
        stranger = CertificateRef(ref.issuer_key_id, ref.serial + 1)
        reason = {"reason": RevocationReason.SUPERSEDED} if order == "revoke" else {}
        with pytest.raises(GatewayRefused):
            getattr(gateway, order)(stranger, request_id=uuid4(), at=LATER, **reason)
        assert gateway.status(stranger).kind is StatusKind.UNKNOWN

    def test_hold_suspends_from_that_instant(self, gateway, ref):
        gateway.hold(ref, request_id=uuid4(), at=LATER)
        assert gateway.status(ref) == HELD

    def test_second_hold_keeps_the_first_instant(self, gateway, ref):
        gateway.hold(ref, request_id=uuid4(), at=LATER)
        gateway.hold(ref, request_id=uuid4(), at=LATEST)
        assert gateway.status(ref) == HELD

    def test_release_lifts_the_hold(self, gateway, ref):
        gateway.hold(ref, request_id=uuid4(), at=LATER)
        gateway.release(ref, request_id=uuid4(), at=LATEST)
        assert gateway.status(ref) == GOOD

    def test_release_of_a_good_certificate_changes_nothing(self, gateway, ref):
        gateway.release(ref, request_id=uuid4(), at=LATER)
        assert gateway.status(ref) == GOOD

    def test_released_certificate_can_be_held_again(self, gateway, ref):
        gateway.hold(ref, request_id=uuid4(), at=AT)
        gateway.release(ref, request_id=uuid4(), at=AT)
        gateway.hold(ref, request_id=uuid4(), at=LATER)
        assert gateway.status(ref) == HELD

    @pytest.mark.parametrize("reason", RevocationReason)
    def test_revocation_says_reason_and_instant(self, gateway, ref, reason):
        gateway.revoke(ref, reason=reason, request_id=uuid4(), at=LATER)
        assert gateway.status(ref) == CertificateStatus(StatusKind.REVOKED, reason.value, LATER)

    def test_held_certificate_can_be_revoked(self, gateway, ref):
        gateway.hold(ref, request_id=uuid4(), at=LATER)
        gateway.revoke(ref, reason=RevocationReason.PRIVILEGE_WITHDRAWN, request_id=uuid4(), at=LATEST)
        assert gateway.status(ref) == CertificateStatus(StatusKind.REVOKED, "privilegeWithdrawn", LATEST)

    def test_revocation_is_final(self, gateway, ref):
        gateway.revoke(ref, reason=RevocationReason.SUPERSEDED, request_id=uuid4(), at=LATER)
        before = gateway.status(ref)
        for order in (gateway.hold, gateway.release):
            with pytest.raises(GatewayConflict):
                order(ref, request_id=uuid4(), at=LATEST)
        gateway.revoke(ref, reason=RevocationReason.KEY_COMPROMISE, request_id=uuid4(), at=LATEST)
        assert gateway.status(ref) == before

    # Orders that come twice

    def test_repeated_hold_does_not_undo_the_release_in_between(self, gateway, ref):
        hold = uuid4()
        gateway.hold(ref, request_id=hold, at=AT)
        gateway.release(ref, request_id=uuid4(), at=LATER)
        gateway.hold(ref, request_id=hold, at=LATEST)
        assert gateway.status(ref) == GOOD

    def test_repeated_release_does_not_undo_the_hold_in_between(self, gateway, ref):
        release = uuid4()
        gateway.hold(ref, request_id=uuid4(), at=AT)
        gateway.release(ref, request_id=release, at=AT)
        gateway.hold(ref, request_id=uuid4(), at=LATER)
        gateway.release(ref, request_id=release, at=LATEST)
        assert gateway.status(ref) == HELD

    def test_repeated_revocation_keeps_the_first_instant(self, gateway, ref):
        order = uuid4()
        for at in (LATER, LATEST):
            gateway.revoke(ref, reason=RevocationReason.SUPERSEDED, request_id=order, at=at)
        assert gateway.status(ref).since == LATER

    def test_repeated_hold_after_a_revocation_keeps_it_revoked(self, gateway, ref):
        hold = uuid4()
        gateway.hold(ref, request_id=hold, at=AT)
        gateway.revoke(ref, reason=RevocationReason.SUPERSEDED, request_id=uuid4(), at=LATER)
        gateway.hold(ref, request_id=hold, at=LATEST)
        assert gateway.status(ref) == CertificateStatus(StatusKind.REVOKED, "superseded", LATER)

    def test_order_id_used_for_something_else_is_a_conflict(self, gateway, ref):
        order, other = uuid4(), gateway.issue(wish(), at=AT).ref
        gateway.hold(ref, request_id=order, at=LATER)
        with pytest.raises(GatewayConflict):
            gateway.release(ref, request_id=order, at=LATEST)
        with pytest.raises(GatewayConflict):
            gateway.hold(other, request_id=order, at=LATEST)
        assert (gateway.status(ref), gateway.status(other)) == (HELD, GOOD)

    def test_one_certificate_does_not_change_the_other_of_a_pair(self, gateway):
        profiles = (Profile.CNS_AUTHENTICATION, Profile.QUALIFIED_SIGNATURE, MAIL)
        refs = [gateway.issue(wish(profile), at=AT).ref for profile in profiles]
        gateway.hold(refs[0], request_id=uuid4(), at=LATER)
        assert [gateway.status(ref) for ref in refs] == [HELD, GOOD, GOOD]

    # S/MIME

    def test_a_mail_certificate_is_held_released_and_revoked_like_any_other(self, gateway):
        ref = gateway.issue(wish(MAIL), at=AT).ref
        gateway.hold(ref, request_id=uuid4(), at=LATER)
        assert gateway.status(ref) == HELD
        gateway.release(ref, request_id=uuid4(), at=LATER)
        assert gateway.status(ref) == GOOD
        gateway.revoke(ref, reason=RevocationReason.AFFILIATION_CHANGED, request_id=uuid4(), at=LATER)
        assert gateway.status(ref) == CertificateStatus(StatusKind.REVOKED, "affiliationChanged", LATER)

    def test_a_strict_mail_certificate_is_never_suspended_however_often_it_is_asked(self, gateway):
        ref, order = gateway.issue(wish(STRICT_MAIL), at=AT).ref, uuid4()
        for again in (order, order, uuid4()):
            with pytest.raises(GatewayRefused) as refused:
                gateway.hold(ref, request_id=again, at=LATER)
            assert refused.value.code == "hold-not-allowed"
            assert gateway.status(ref) == GOOD
        gateway.revoke(ref, reason=RevocationReason.KEY_COMPROMISE, request_id=uuid4(), at=LATER)
        assert gateway.status(ref).kind is StatusKind.REVOKED
