"""Issuing: once per request id, out of the request and never out of the CSR, gated and linted before signing."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from django.db import connections, transaction

from authority import policy, signer
from authority.models import IssuedDer, JournalEntry, LedgerEntry
from authority.services.issuance import digest_of
from authority.states import Kind
from pki import lint
from pki.errors import GatewayConflict, GatewayRefused, GatewayUnavailable
from pki.gateway import IssueRequest, Profile, Subject, Validity
from tests.authority import asking
from tests.authority.asking import AT, later


@pytest.mark.parametrize("profile", Profile)
def test_a_certificate_is_clean_and_chains_to_the_root(gateway, profile):
    answer = gateway.issue(asking.request(profile), at=AT)

    certificate = x509.load_der_x509_certificate(answer.certificate)
    issuer = x509.load_der_x509_certificate(answer.chain[0])
    root = x509.load_der_x509_certificate(gateway.trust_anchors()[0])
    certificate.verify_directly_issued_by(issuer)
    issuer.verify_directly_issued_by(root)
    lint.require_clean_certificate(answer.certificate, profile)
    assert certificate.serial_number == answer.ref.serial
    assert answer.chain[0] in gateway.issuers()


def test_the_journal_says_which_linter_let_which_bytes_pass(gateway, issued):
    tbs = x509.load_der_x509_certificate(issued.certificate).tbs_certificate_bytes

    facts = JournalEntry.objects.get(kind=Kind.ISSUE).facts

    assert facts == {"linter": lint.linter(), "tbs_sha256": hashlib.sha256(tbs).hexdigest()}
    assert lint.linter().startswith("pkilint 0.")


def test_the_subject_is_the_requests_and_never_the_csrs(gateway):
    wish = asking.request(Profile.QUALIFIED_SIGNATURE)

    answer = gateway.issue(wish, at=AT)

    name = x509.load_der_x509_certificate(answer.certificate).subject
    assert [each.value for each in name.get_attributes_for_oid(NameOID.COMMON_NAME)] == ["Mario Rossi"]
    assert "whoever asks" not in name.rfc4514_string()


def test_the_validity_is_the_requests_to_the_second(gateway, issued):
    certificate = x509.load_der_x509_certificate(issued.certificate)

    assert certificate.not_valid_before_utc == asking.THREE_YEARS.not_before
    assert certificate.not_valid_after_utc == asking.THREE_YEARS.not_after


def test_the_same_request_id_gets_the_same_certificate(gateway):
    wish = asking.request()

    first, second = gateway.issue(wish, at=AT), gateway.issue(wish, at=later(days=3))

    assert first == second
    assert LedgerEntry.objects.count() == IssuedDer.objects.count() == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"csr": asking.csr(common_name="somebody else")},
        {"profile": Profile.QUALIFIED_SIGNATURE},
        {"subject": Subject("Somebody Else")},
        {"validity": Validity(AT, asking.THREE_YEARS.not_after - timedelta(seconds=1))},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_the_same_request_id_with_other_content_is_a_conflict(gateway, changed):
    wish = asking.request()
    gateway.issue(wish, at=AT)
    fields = {"id": wish.id, "csr": wish.csr, "profile": wish.profile, "subject": wish.subject}

    with pytest.raises(GatewayConflict) as refusal:
        gateway.issue(IssueRequest(**{**fields, "validity": wish.validity, **changed}), at=AT)

    assert refusal.value.code == "request-id-reused"
    assert LedgerEntry.objects.count() == 1


ADDED = ("organization", "organization_identifier", "email", "title", "street", "locality", "state", "postal_code")


def test_a_request_from_before_mail_certificates_keeps_its_digest():
    """A request that was sent before an update and is repeated after it must be known again."""
    life = Validity(AT, asking.THREE_YEARS.not_after)
    before = IssueRequest(UUID(int=1), b"request", Profile.QUALIFIED_SIGNATURE, asking.SIGNER, life)

    assert digest_of(before).hex() == "86877d7b57606a86e4ec26497541db41a6c98e479b9f1b4c5f197c02cf57a91f"


def test_every_field_of_a_subject_is_in_the_digest():
    wish = asking.request(asking.MAIL)
    texts = {field.name: "x" for field in dataclasses.fields(Subject)}
    subjects = [wish.subject, *(dataclasses.replace(wish.subject, **{name: text}) for name, text in texts.items())]
    nowhere = dataclasses.replace(wish.subject, locality="", state="")
    swapped = [dataclasses.replace(nowhere, **{name: "Lodi"}) for name in ADDED[-3:]]

    digests = {digest_of(dataclasses.replace(wish, subject=subject)) for subject in (*subjects, *swapped)}

    assert len(digests) == len(subjects) + len(swapped)


def test_an_id_that_was_an_order_cannot_issue(gateway, issued):
    order = uuid4()
    gateway.hold(issued.ref, request_id=order, at=AT)

    with pytest.raises(GatewayConflict) as refusal:
        gateway.issue(asking.request(request_id=order), at=AT)

    assert refusal.value.code == "request-id-reused"


def test_eight_threads_with_one_id_get_one_certificate_signed_once(committed_gateway, monkeypatch):
    wish, start, signatures = asking.request(), threading.Barrier(8), []
    sign = signer.SoftwareSigner.sign
    monkeypatch.setattr(signer.SoftwareSigner, "sign", lambda self, tbs: signatures.append(tbs) or sign(self, tbs))

    def ask(_):
        start.wait()
        try:
            return committed_gateway.issue(wish, at=AT).certificate
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(ask, range(8)))

    assert len(answers) == len(signatures) == 1
    assert LedgerEntry.objects.count() == JournalEntry.objects.filter(kind=Kind.ISSUE).count() == 1


def test_threads_with_different_ids_each_get_their_own(committed_gateway):
    wishes = [asking.request() for _ in range(8)]

    def ask(wish):
        try:
            return committed_gateway.issue(wish, at=AT)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, wishes))

    assert [answer.request_id for answer in answers] == [wish.id for wish in wishes]
    assert len({answer.ref.serial for answer in answers}) == 8


def test_a_weak_key_is_refused_with_the_gates_code_and_leaves_nothing(gateway):
    small = rsa.generate_private_key(65537, 1024)  # noqa: S505 (that is the point)

    with pytest.raises(GatewayRefused) as refusal:
        gateway.issue(asking.request(private_key=small), at=AT)

    assert refusal.value.code == "key-size"
    assert not LedgerEntry.objects.exists()


def test_a_csr_that_its_key_did_not_sign_is_refused(gateway):
    der = bytearray(asking.csr())
    der[-1] ^= 1
    wish = asking.request()

    with pytest.raises(GatewayRefused) as refusal:
        gateway.issue(IssueRequest(wish.id, bytes(der), wish.profile, wish.subject, wish.validity), at=AT)

    assert refusal.value.code == "csr-signature-invalid"


@pytest.mark.parametrize("junk", [b"", b"\x30\x80", b"x" * 9000])
def test_junk_for_a_csr_is_refused(gateway, junk):
    wish = asking.request()

    with pytest.raises(GatewayRefused):
        gateway.issue(IssueRequest(wish.id, junk, wish.profile, wish.subject, wish.validity), at=AT)


@pytest.mark.parametrize(
    ("subject", "why"),
    [
        (Subject("Mario Rossi", "Mario", "Rossi", "RSSMRA80A01H501U", "1"), "no TINIT- before the tax code"),
        (Subject("Mario Rossi", serial_number="TINIT-RSSMRA80A01H501U", dn_qualifier="1"), "no name of a person"),
    ],
    ids=["serial-number", "names"],
)
def test_what_the_linter_refuses_is_not_signed(gateway, monkeypatch, subject, why):
    signatures = []
    monkeypatch.setattr(signer.SoftwareSigner, "sign", lambda _self, tbs: signatures.append(tbs))

    with pytest.raises(GatewayRefused) as refusal:
        gateway.issue(asking.request(Profile.QUALIFIED_SIGNATURE, subject=subject), at=AT)

    assert refusal.value.code == "lint-failed"
    assert not signatures
    assert not LedgerEntry.objects.exists()


def test_what_is_signed_are_the_linted_bytes(gateway, monkeypatch):
    linted = []
    require = lint.require_clean_certificate
    monkeypatch.setattr(
        lint, "require_clean_certificate", lambda der, profile: (linted.append(der), require(der, profile))
    )

    answer = gateway.issue(asking.request(), at=AT)

    (seen,) = linted
    signed = x509.load_der_x509_certificate(answer.certificate)
    assert x509.load_der_x509_certificate(seen).tbs_certificate_bytes == signed.tbs_certificate_bytes


@pytest.mark.parametrize(
    ("validity", "code"),
    [
        (Validity(later(days=-5000), AT), "validity-outside-issuer"),
        (Validity(AT, later(days=20_000)), "validity-outside-issuer"),
        (Validity(AT, AT), "validity-outside-issuer"),
        (Validity(later(days=-20), later(days=-10)), "validity-over"),
    ],
)
def test_a_life_that_no_verifier_would_accept_is_refused(gateway, validity, code):
    with pytest.raises(GatewayRefused) as refusal:
        gateway.issue(asking.request(validity=validity), at=AT)

    assert refusal.value.code == code


def test_before_the_ceremony_the_ca_is_unavailable(db):
    from authority.gateway import EmbeddedGateway

    with pytest.raises(GatewayUnavailable) as refusal:
        EmbeddedGateway().issue(asking.request(), at=AT)

    assert refusal.value.code == "ca-not-founded"


def test_an_open_transaction_is_refused(committed_gateway):
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        committed_gateway.issue(asking.request(), at=AT)


def test_the_number_of_statements_is_fixed(gateway, django_assert_num_queries):
    gateway.issue(asking.request(), at=AT)

    for profile in asking.ROLES:
        with django_assert_num_queries(9):
            gateway.issue(asking.request(profile), at=AT)


def test_each_private_key_is_loaded_once_in_a_process(gateway):
    signer.forget()

    for _ in range(5):
        for profile in asking.ROLES:
            gateway.issue(asking.request(profile), at=AT)

    assert sorted(signer.loads().values()) == [1, 1, 1]


def test_serial_numbers_are_positive_long_and_all_different():
    serials = [policy.new_serial() for _ in range(10_000)]

    assert len(set(serials)) == 10_000
    assert all(0 < serial < 1 << 159 for serial in serials)
    assert all(serial.bit_length() > 64 for serial in serials)


def test_the_ledger_lists_in_order_of_issuance(gateway):
    answers = [gateway.issue(asking.request(), at=later(seconds=second)) for second in range(3)]

    lines = list(gateway.ledger())

    assert [line.ref for line in lines] == [answer.ref for answer in answers]
    assert {line.status.kind for line in lines} == {"good"}


def test_a_certificate_is_found_by_each_of_its_keys(gateway, issued):
    spki_sha256 = bytes(LedgerEntry.objects.get().spki_sha256)

    assert gateway.find_issued(request_id=issued.request_id) == issued
    assert gateway.find_issued(ref=issued.ref) == issued
    assert gateway.find_issued(spki_sha256=spki_sha256) == issued
    assert gateway.find_issued(request_id=uuid4()) is None


def test_a_rsa_4096_ca_issues(db):
    from authority.gateway import EmbeddedGateway
    from tests.authority.founding import found

    found("rsa-4096")

    answer = EmbeddedGateway().issue(asking.request(Profile.QUALIFIED_SIGNATURE), at=AT)

    lint.require_clean_certificate(answer.certificate, Profile.QUALIFIED_SIGNATURE)
    assert len(x509.load_der_x509_certificate(answer.certificate).signature) == 512


@pytest.mark.parametrize("kind", ["rsa-2048", "p-256"])
def test_a_p_256_ca_issues_for_every_kind_of_card_key(db, kind):
    from authority.gateway import EmbeddedGateway
    from tests.authority.founding import found

    found("p-256")

    answer = EmbeddedGateway().issue(asking.request(private_key=asking.key(kind)), at=AT)

    certificate = x509.load_der_x509_certificate(answer.certificate)
    certificate.verify_directly_issued_by(x509.load_der_x509_certificate(answer.chain[0]))
