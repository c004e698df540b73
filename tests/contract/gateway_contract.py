"""What every certification authority behind the port must keep. One suite; each adapter runs it with its own gateway.

A test module inherits `GatewayContract` and offers a fixture `gateway`: a CA with an empty ledger.
"""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from pki import batch
from pki.batch import Order, OrderKind
from pki.errors import GatewayConflict, GatewayRefused
from pki.gateway import (
    CertificateRef,
    CertificateStatus,
    IssueRequest,
    Profile,
    RevocationReason,
    StatusKind,
    Subject,
    Validity,
)
from pki.smime_profiles import term
from pki.x509 import read_certificate, require_issued_by
from tests.pki.mail import MAIL_PROFILES, subject_of

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
LATEST = AT + timedelta(days=120)
LIFE = Validity(AT, datetime(2029, 4, 30, 21, 59, 59, tzinfo=UTC))
SUBJECTS = {
    Profile.QUALIFIED_SIGNATURE: Subject(
        common_name="Mario Rossi",
        given_name="Mario",
        surname="Rossi",
        serial_number="TINIT-RSSMRA80A01H501U",
        dn_qualifier="2026000123",
    ),
    Profile.CNS_AUTHENTICATION: Subject(
        common_name="RSSMRA80A01H501U/7430001234567890.4hG+x1b/Zq0dJf8lq2W3c7T5u9A=",
        serial_number="TINIT-RSSMRA80A01H501U",
        organizational_unit="Ente emettitore di prova",
    ),
}
SUBJECTS |= {profile: subject_of(profile) for profile in MAIL_PROFILES}
MAIL, STRICT_MAIL = Profile.SMIME_SPONSOR_MULTIPURPOSE, Profile.SMIME_MAILBOX_STRICT
HELD = CertificateStatus(StatusKind.HELD, "certificateHold", LATER)
GOOD = CertificateStatus(StatusKind.GOOD)
FOREIGN_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a name of the requester's own choice")])


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key on P-256: quick to make."""
    return ec.generate_private_key(ec.SECP256R1())


def spki_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Its public half."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def csr_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A request for it, under a name that no CA may take over."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(FOREIGN_NAME)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def wish(profile: Profile = Profile.QUALIFIED_SIGNATURE, *, key=None, request_id: UUID | None = None) -> IssueRequest:
    """A request that every CA must grant."""
    return IssueRequest(request_id or uuid4(), csr_of(key or new_key()), profile, SUBJECTS[profile], life_of(profile))


def life_of(profile: Profile) -> Validity:
    """A life that the profile allows: certificates for mail live two years at most."""
    return term(AT, 730) if profile in MAIL_PROFILES else LIFE


class _Certified:
    """One certificate to try things with."""

    @pytest.fixture
    def issued(self, gateway):
        return gateway.issue(wish(), at=AT)

    @pytest.fixture
    def ref(self, issued) -> CertificateRef:
        return issued.ref


class StatusContract(_Certified):
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


class GatewayContract(StatusContract):
    """All claims on single calls."""

    # Issuing

    @pytest.mark.parametrize("profile", Profile)
    def test_certificate_says_what_was_asked(self, gateway, profile):
        key = new_key()
        request = wish(profile, key=key)
        issued = gateway.issue(request, at=AT)
        facts = read_certificate(issued.certificate)
        assert issued.request_id == request.id
        assert issued.ref == CertificateRef(facts.issuer_key_id, facts.serial)
        assert facts.spki_der == spki_of(key)
        assert facts.subject_cn == request.subject.common_name
        assert (facts.not_before, facts.not_after) == dataclasses.astuple(life_of(profile))
        assert facts.is_signature == (profile is Profile.QUALIFIED_SIGNATURE)
        assert facts.is_authentication == (profile is Profile.CNS_AUTHENTICATION)

    def test_a_mail_certificate_names_its_one_mailbox_beside_the_subject(self, gateway):
        issued = gateway.issue(wish(MAIL), at=AT)
        extensions = x509.load_der_x509_certificate(issued.certificate).extensions
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.RFC822Name) == [SUBJECTS[MAIL].email]
        assert len(names) == 1

    def test_what_is_no_mailbox_is_refused(self, gateway):
        for email in ("", "nicolò@example.org", "anna@example.org\r\nBcc: carla@example.org"):
            request = wish(MAIL)
            with pytest.raises(GatewayRefused):
                gateway.issue(
                    dataclasses.replace(request, subject=dataclasses.replace(request.subject, email=email)), at=AT
                )
        assert list(gateway.ledger()) == []

    def test_subject_is_the_registers_never_the_requesters(self, issued):
        assert FOREIGN_NAME.rfc4514_string().encode() not in issued.certificate
        assert b"choice" not in issued.certificate

    def test_certificate_chains_to_a_trust_anchor(self, gateway, issued):
        require_issued_by(issued.certificate, gateway.issuers())
        assert issued.chain[0] in gateway.issuers()
        require_issued_by(issued.chain[-1], gateway.trust_anchors())

    def test_same_id_yields_the_same_certificate(self, gateway):
        request = wish()
        first = gateway.issue(request, at=AT)
        assert gateway.issue(request, at=LATER) == first
        assert len(list(gateway.ledger())) == 1

    @pytest.mark.parametrize("other", ["csr", "profile", "subject", "validity"])
    def test_same_id_with_other_content_is_a_conflict(self, gateway, other):
        request = wish()
        gateway.issue(request, at=AT)
        changes = {
            "csr": csr_of(new_key()),
            "profile": Profile.CNS_AUTHENTICATION,
            "subject": dataclasses.replace(request.subject, given_name="Maria"),
            "validity": Validity(LIFE.not_before, LIFE.not_after - timedelta(seconds=1)),
        }
        with pytest.raises(GatewayConflict):
            gateway.issue(dataclasses.replace(request, **{other: changes[other]}), at=AT)
        assert len(list(gateway.ledger())) == 1

    def test_two_ids_yield_two_certificates_even_for_one_key(self, gateway):
        key = new_key()
        first, second = gateway.issue(wish(key=key), at=AT), gateway.issue(wish(key=key), at=AT)
        assert first.ref != second.ref
        assert first.ref.issuer_key_id == second.ref.issuer_key_id

    def test_serial_numbers_are_large_and_positive(self, issued):
        assert 1 << 63 <= issued.ref.serial < 1 << 159

    @pytest.mark.parametrize("csr", [b"", b"\x30\x00", b"no request"])
    def test_unreadable_request_is_refused_and_leaves_nothing(self, gateway, csr):
        request = dataclasses.replace(wish(), csr=csr)
        with pytest.raises(GatewayRefused):
            gateway.issue(request, at=AT)
        assert list(gateway.ledger()) == []
        assert gateway.find_issued(request_id=request.id) is None

    def test_request_not_signed_by_its_key_is_refused(self, gateway):
        csr = csr_of(new_key())
        with pytest.raises(GatewayRefused):
            gateway.issue(dataclasses.replace(wish(), csr=csr[:-1] + bytes((csr[-1] ^ 1,))), at=AT)

    def test_weak_key_is_refused(self, gateway):
        weak = ec.generate_private_key(ec.SECP256K1())
        with pytest.raises(GatewayRefused):
            gateway.issue(wish(key=weak), at=AT)

    def test_certificate_does_not_outlive_its_issuer(self, gateway):
        forever = Validity(AT, datetime(9000, 1, 1, tzinfo=UTC))
        with pytest.raises(GatewayRefused):
            gateway.issue(dataclasses.replace(wish(), validity=forever), at=AT)

    def test_certificate_is_not_issued_for_the_past(self, gateway):
        with pytest.raises(GatewayRefused):
            gateway.issue(wish(), at=LIFE.not_after + timedelta(seconds=1))

    def test_refused_request_may_be_corrected_under_the_same_id(self, gateway):
        request = wish()
        with pytest.raises(GatewayRefused):
            gateway.issue(dataclasses.replace(request, csr=b""), at=AT)
        assert gateway.issue(request, at=AT).request_id == request.id

    # Looking up

    def test_certificate_is_found_by_each_of_its_keys(self, gateway):
        key, request_id = new_key(), uuid4()
        issued = gateway.issue(wish(key=key, request_id=request_id), at=AT)
        gateway.issue(wish(), at=AT)
        assert gateway.find_issued(request_id=request_id) == issued
        assert gateway.find_issued(spki_sha256=hashlib.sha256(spki_of(key)).digest()) == issued
        assert gateway.find_issued(ref=issued.ref) == issued

    def test_what_was_never_issued_is_not_found(self, gateway, ref):
        assert gateway.find_issued(request_id=uuid4()) is None
        assert gateway.find_issued(spki_sha256=bytes(32)) is None
        assert gateway.find_issued(ref=CertificateRef(ref.issuer_key_id, ref.serial + 1)) is None
        assert gateway.find_issued(ref=CertificateRef(b"another issuer", ref.serial)) is None

    # Ledger

    def test_ledger_lists_every_certificate_in_order_with_its_status(self, gateway):
        keys = [new_key() for _ in range(4)]
        issued = [gateway.issue(wish(key=key), at=AT) for key in keys]
        gateway.hold(issued[1].ref, request_id=uuid4(), at=LATER)
        gateway.revoke(issued[2].ref, reason=RevocationReason.SUPERSEDED, request_id=uuid4(), at=LATER)
        lines = list(gateway.ledger())
        assert [line.request_id for line in lines] == [certificate.request_id for certificate in issued]
        assert [line.ref for line in lines] == [certificate.ref for certificate in issued]
        assert [line.spki_sha256 for line in lines] == [hashlib.sha256(spki_of(key)).digest() for key in keys]
        revoked = CertificateStatus(StatusKind.REVOKED, "superseded", LATER)
        assert [line.status for line in lines] == [GOOD, HELD, revoked, GOOD]

    def test_empty_ledger_is_empty(self, gateway):
        assert list(gateway.ledger()) == []

    def test_capabilities_are_declared(self, gateway):
        assert all(isinstance(value, bool) for value in dataclasses.astuple(gateway.capabilities))


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


class BatchContract(_Certified):
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
