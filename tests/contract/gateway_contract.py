"""What every certification authority behind the port must keep. One suite; each adapter runs it with its own gateway.

A test module inherits `GatewayContract` and offers a fixture `gateway`: a CA with an empty ledger.
"""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from pki.errors import GatewayConflict, GatewayRefused
from pki.gateway import (
    CertificateRef,
    CertificateStatus,
    Profile,
    RevocationReason,
    StatusKind,
    Validity,
)
from pki.x509 import read_certificate, require_issued_by
from tests.contract.status_contract import StatusContract
from tests.contract.wishes import (
    AT,
    FOREIGN_NAME,
    GOOD,
    HELD,
    LATER,
    LIFE,
    MAIL,
    SUBJECTS,
    csr_of,
    life_of,
    new_key,
    spki_of,
    wish,
)


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
