"""OCSP: the ledger's word, signed by the delegate; nothing from outside makes it stumble."""

from __future__ import annotations

import random
import secrets
from datetime import timedelta
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authority import policy, signer
from authority.services.ocsp import respond
from pki import lint
from pki.gateway import RevocationReason
from tests.authority import asking
from tests.authority.asking import AT, later

SHA1 = hashes.SHA1()  # noqa: S303 (what clients send: RFC 5019 §2.1.1)
ARCHIVE_CUTOFF = ObjectIdentifier("1.3.6.1.5.5.7.48.1.6")


def question(answer, algorithm=None, nonce: bytes | None = None, serial: int | None = None) -> bytes:
    certificate, issuer = (x509.load_der_x509_certificate(der) for der in (answer.certificate, answer.chain[0]))
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, algorithm or SHA1)
    if serial is not None:
        asked = builder.build()
        builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
            asked.issuer_name_hash, asked.issuer_key_hash, serial, algorithm or SHA1
        )
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def told(der: bytes, role="cns", at=AT) -> ocsp.OCSPResponse:
    return ocsp.load_der_ocsp_response(respond(role, der, at=at).der)


@pytest.mark.parametrize("algorithm", [SHA1, hashes.SHA256()], ids=lambda each: each.name)
def test_a_good_certificate_is_good_whichever_hash_names_it(gateway, issued, algorithm):
    response = told(question(issued, algorithm))

    assert response.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL
    assert response.certificate_status is ocsp.OCSPCertStatus.GOOD
    assert response.serial_number == issued.ref.serial
    assert response.hash_algorithm.name == algorithm.name


def test_a_hold_is_revoked_with_its_reason_and_good_again_after_the_release(gateway, issued):
    gateway.hold(issued.ref, request_id=uuid4(), at=AT)
    held = told(question(issued), at=later(seconds=1))
    gateway.release(issued.ref, request_id=uuid4(), at=later(seconds=2))
    released = told(question(issued), at=later(seconds=3))

    assert held.certificate_status is ocsp.OCSPCertStatus.REVOKED
    assert held.revocation_reason is x509.ReasonFlags.certificate_hold
    assert held.revocation_time_utc == AT
    assert released.certificate_status is ocsp.OCSPCertStatus.GOOD


@pytest.mark.parametrize("reason", RevocationReason)
def test_a_revocation_tells_its_reason(gateway, issued, reason):
    gateway.revoke(issued.ref, reason=reason, request_id=uuid4(), at=AT)

    response = told(question(issued))

    assert response.revocation_reason.value == reason
    lint.require_clean_ocsp(respond("cns", question(issued), at=AT).der)


def test_a_thousand_random_serials_are_never_good(gateway, issued):
    for _ in range(1000):
        serial = random.choice([policy.new_serial(), secrets.randbits(64) + 1, issued.ref.serial ^ 1])
        assert told(question(issued, serial=serial)).certificate_status is ocsp.OCSPCertStatus.UNKNOWN


def test_a_serial_of_the_other_ca_is_unknown(gateway, issued, signed):
    assert told(question(issued, serial=signed.ref.serial)).certificate_status is ocsp.OCSPCertStatus.UNKNOWN


def test_another_cas_certificate_is_unknown_here(gateway, issued, signed):
    assert told(question(signed), role="cns").certificate_status is ocsp.OCSPCertStatus.UNKNOWN


def test_the_delegate_may_sign_and_needs_no_check_itself(gateway, issued):
    response = told(question(issued))
    (delegate,) = response.certificates
    issuer = x509.load_der_x509_certificate(issued.chain[0])

    delegate.verify_directly_issued_by(issuer)
    delegate.public_key().verify(
        response.signature, response.tbs_response_bytes, padding.PKCS1v15(), response.signature_hash_algorithm
    )
    assert ExtendedKeyUsageOID.OCSP_SIGNING in delegate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert delegate.extensions.get_extension_for_class(x509.OCSPNoCheck)
    assert response.responder_key_hash == x509.SubjectKeyIdentifier.from_public_key(delegate.public_key()).digest


def test_status_is_kept_beyond_expiry_and_the_answer_says_since_when(gateway, issued):
    gateway.revoke(issued.ref, reason=RevocationReason.SUPERSEDED, request_id=uuid4(), at=AT)

    response = told(question(issued), at=asking.THREE_YEARS.not_after + timedelta(days=400))

    assert response.certificate_status is ocsp.OCSPCertStatus.REVOKED
    cutoff = response.single_extensions.get_extension_for_oid(ARCHIVE_CUTOFF)
    assert cutoff.value.value == b"\x18\x0f20160101000000Z"


def test_an_answer_is_valid_from_8_hours_to_10_days(gateway, issued):
    response = told(question(issued))

    assert response.this_update_utc == response.produced_at_utc == AT
    assert timedelta(hours=8) <= response.next_update_utc - response.this_update_utc <= timedelta(days=10)


@pytest.mark.parametrize("size", [1, 16, 32])
def test_a_nonce_comes_back_as_it_was_and_is_for_no_cache(gateway, issued, size):
    nonce = secrets.token_bytes(size)

    answer = respond("cns", question(issued, nonce=nonce), at=AT)

    response = ocsp.load_der_ocsp_response(answer.der)
    assert response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == nonce
    assert answer.kept is None
    lint.require_clean_ocsp(answer.der)


@pytest.mark.parametrize("size", [0, 33, 3000])
def test_a_nonce_of_another_size_is_malformed(gateway, issued, size):
    response = told(question(issued, nonce=b"n" * size))

    assert response.response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


@pytest.mark.parametrize(
    "junk", [b"", b"\x30", b"\x30\x80\x00\x00", b"GET / HTTP/1.1", b"\x30\x84\xff\xff\xff\xff" + b"x" * 40]
)
def test_junk_is_malformed(gateway, junk):
    assert told(junk).response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_more_than_four_kilobytes_are_malformed(gateway, issued):
    assert told(question(issued, nonce=b"n" * 4096)).response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


@pytest.mark.parametrize("serial", [0, -1, -128, 1 << 159, 1 << 20_000], ids=["0", "-1", "-128", "2^159", "2^20000"])
def test_serials_that_no_certificate_has_are_unknown(gateway, issued, serial):
    from pki import der

    raw = question(issued, serial=4711)
    size = (serial if serial >= 0 else ~serial).bit_length() // 8 + 1
    cert_id = ocsp.load_der_ocsp_request(raw)
    algorithm = der.sequence(der.oid("1.3.14.3.2.26"), b"\x05\x00")
    hashed = [der.tlv(der.OCTET_STRING, part) for part in (cert_id.issuer_name_hash, cert_id.issuer_key_hash)]
    number = der.tlv(der.INTEGER, serial.to_bytes(size, "big", signed=True))
    request = der.sequence(der.sequence(der.sequence(der.sequence(der.sequence(algorithm, *hashed, number)))))

    answer = respond("cns", request, at=AT).der

    response = ocsp.load_der_ocsp_response(answer)
    if response.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL:
        assert response.certificate_status is ocsp.OCSPCertStatus.UNKNOWN
        assert response.serial_number == serial
    else:
        assert response.response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_request_never_raises(data, fuzzed):
    der = bytearray(fuzzed)
    for _ in range(data.draw(st.integers(1, 4))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(der)))

    for variant in (bytes(der), bytes(der[:cut])):
        ocsp.load_der_ocsp_response(respond("cns", variant, at=AT).der)


@pytest.fixture
def fuzzed(gateway, issued):
    return question(issued, nonce=b"n" * 16)


@pytest.mark.parametrize("kind", ["rsa-2048", "p-256"])
@pytest.mark.parametrize("profile", asking.ROLES)
def test_answers_are_lint_clean_in_every_state(db, kind, profile):
    from authority.gateway import EmbeddedGateway
    from tests.authority.founding import found

    found(kind)
    gateway, role = EmbeddedGateway(), asking.ROLES[profile]
    answer = gateway.issue(asking.request(profile), at=AT)
    orders = [
        lambda: None,
        lambda: gateway.hold(answer.ref, request_id=uuid4(), at=AT),
        lambda: gateway.release(answer.ref, request_id=uuid4(), at=AT),
        lambda: gateway.revoke(
            answer.ref, reason=RevocationReason.AFFILIATION_CHANGED, request_id=uuid4(), at=later(days=1)
        ),
    ]
    for order in orders:
        order()
        for asked in (
            question(answer),
            question(answer, hashes.SHA256()),
            question(answer, serial=policy.new_serial()),
        ):
            lint.require_clean_ocsp(respond(role, asked, at=later(days=1)).der)


def test_without_a_valid_delegate_there_is_an_error_and_no_answer(gateway, issued):
    response = told(question(issued), at=AT.replace(year=2090))

    assert response.response_status is ocsp.OCSPResponseStatus.INTERNAL_ERROR


def test_before_the_ceremony_there_is_an_error_and_no_answer(gateway, issued):
    assert told(question(issued), role="nobody").response_status is ocsp.OCSPResponseStatus.INTERNAL_ERROR


def test_an_answer_costs_nothing_beside_its_one_statement_and_no_key_load(gateway, issued, django_assert_num_queries):
    told(question(issued))
    before = signer.loads()

    with django_assert_num_queries(0):  # its own goes past the framework, which does not count it
        told(question(issued, nonce=b"n" * 16))

    assert signer.loads() == before


def test_a_connection_that_has_died_is_opened_again(committed_gateway, superuser):
    """As after a restart of PostgreSQL: the first question after it is answered like every other."""
    issued = committed_gateway.issue(asking.request(), at=AT)
    told(question(issued))
    with superuser.connect() as other:
        other.execute("SELECT pg_terminate_backend(%s, 10000)", [connection.connection.info.backend_pid])

    assert told(question(issued)).certificate_status is ocsp.OCSPCertStatus.GOOD
