"""Nothing is signed that the profiles do not allow: the linter finds every planted fault, and no fault in good ones."""

from __future__ import annotations

import dataclasses
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from pki import lint, profiles
from pki.assembly import HOLD, SignatureAlgorithm, crl_entry, passing_key, unsigned_crl
from pki.errors import LintFailed
from pki.extensions import key_usage
from pki.gateway import Profile, RevocationReason, Validity
from pki.qualified import QC_STATEMENTS
from pki.tax_code import is_tax_code
from tests.pki.demo_ca import CARD_HOLDER, CRL_URL, SIGNER, SUBJECTS, THREE_YEARS, spki

SIGNATURE, CNS = Profile.QUALIFIED_SIGNATURE, Profile.CNS_AUTHENTICATION
CARD_PROFILES = (CNS, SIGNATURE)
NOW = datetime(2026, 2, 2, 8, tzinfo=UTC)


@pytest.fixture(params=["rsa", "ec"])
def issuer(request, ca, ec_ca):
    return {"rsa": ca, "ec": ec_ca}[request.param]


def built(issuer, profile, key, *, subject=None, validity=THREE_YEARS, serial=None, facts=None, change=lambda b: b):
    """The linter's view of a certificate that `change` may have spoilt."""
    builder = profiles.build_leaf(
        profile,
        subject or SUBJECTS[profile],
        spki(key),
        validity,
        serial or x509.random_serial_number(),
        facts or issuer.facts,
        CRL_URL,
    )
    return issuer.unsigned(change(builder)).linted_der


def without(*kinds):
    """Drop extensions, by class or object identifier."""

    def change(builder):
        kept = [
            extension
            for extension in builder._extensions
            if not (type(extension.value) in kinds or extension.oid in kinds)
        ]
        return rebuilt(builder, kept)

    return change


def replacing(value, *, critical):
    """Put another value for an extension of the same class."""

    def change(builder):
        return without(type(value))(builder).add_extension(value, critical)

    return change


def rebuilt(builder, extensions):
    return x509.CertificateBuilder(
        builder._issuer_name,
        builder._subject_name,
        builder._public_key,
        builder._serial_number,
        builder._not_valid_before,
        builder._not_valid_after,
        extensions,
    )


def codes(findings):
    return {finding.code for finding in findings}


@pytest.mark.parametrize("profile", CARD_PROFILES)
def test_our_profiles_are_clean(issuer, holder_key, profile):
    assert lint.findings_in_certificate(built(issuer, profile, holder_key), profile) == []
    lint.require_clean_certificate(issuer.issue(profile, holder_key), profile)


def test_a_renewal_longer_than_three_years_is_clean(ca, rsa_key):
    start = THREE_YEARS.not_before
    life = Validity(start, start + timedelta(days=3 * 365 + 62))
    assert lint.findings_in_certificate(built(ca, SIGNATURE, rsa_key, validity=life), SIGNATURE) == []


def test_one_profile_is_not_the_other(ca, rsa_key):
    assert lint.findings_in_certificate(built(ca, SIGNATURE, rsa_key), CNS)
    assert lint.findings_in_certificate(built(ca, CNS, rsa_key), SIGNATURE)


def usage(*bits):
    return key_usage(*bits)


POLICY = x509.PolicyInformation
FAULTS = [
    (SIGNATURE, without(QC_STATEMENTS), "signature.qc-statements-missing"),
    (
        SIGNATURE,
        replacing(usage("content_commitment", "digital_signature"), critical=True),
        "signature.key-usage-not-type-a",
    ),
    (SIGNATURE, replacing(usage("content_commitment"), critical=False), "key-usage.not-critical"),
    (SIGNATURE, without(x509.AuthorityInformationAccess), "aia.ocsp-missing"),
    (SIGNATURE, without(x509.CRLDistributionPoints), "crl-distribution-point.not-one"),
    (
        SIGNATURE,
        replacing(x509.CertificatePolicies([POLICY(profiles.QCP_N_QSCD_POLICY, None)]), critical=False),
        "signature.agid-policy-missing",
    ),
    (
        SIGNATURE,
        replacing(x509.CertificatePolicies([POLICY(profiles.AGID_POLICY, None)]), critical=False),
        "signature.qcp-n-qscd-policy-missing",
    ),
    (
        SIGNATURE,
        replacing(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False),
        "signature.extended-key-usage",
    ),
    (CNS, replacing(usage("digital_signature", "content_commitment"), critical=True), "cns.key-usage"),
    (CNS, without(x509.ExtendedKeyUsage), "cns.client-auth-missing"),
    (CNS, without(x509.CertificatePolicies), "cns.policy-text"),
    (CNS, replacing(x509.CertificatePolicies([POLICY(profiles.CNS_POLICY, None)]), critical=False), "cns.policy-text"),
    (CNS, without(x509.AuthorityInformationAccess), "aia.ca-issuers-missing"),
]


@pytest.mark.parametrize(("profile", "change", "code"), FAULTS, ids=[fault[2] for fault in FAULTS])
def test_planted_fault_is_found(ca, rsa_key, profile, change, code):
    der = built(ca, profile, rsa_key, change=change)
    assert code in codes(lint.findings_in_certificate(der, profile))
    with pytest.raises(LintFailed) as refusal:
        lint.require_clean_certificate(der, profile)
    assert code in str(refusal.value)


@pytest.mark.parametrize(
    ("profile", "field", "code"),
    [
        (SIGNATURE, {"serial_number": "RSSMRA80A01H501U"}, "subject.serial-number"),
        (SIGNATURE, {"serial_number": "TINIT-RSSMRA80A01H501X"}, "subject.tax-code"),
        (SIGNATURE, {"serial_number": ""}, "subject.serial-number"),
        (SIGNATURE, {"dn_qualifier": ""}, "subject.dn-qualifier"),
        (SIGNATURE, {"surname": ""}, "subject.surname"),
        (SIGNATURE, {"common_name": ""}, "subject.common-name"),
        (SIGNATURE, {"country": ""}, "subject.country"),
        (CNS, {"common_name": "Mario Rossi"}, "cns.common-name"),
        (CNS, {"common_name": CARD_HOLDER.common_name.replace("501U", "501X")}, "cns.common-name"),
        (CNS, {"organizational_unit": ""}, "cns.issuing-body"),
        (CNS, {"country": ""}, "cns.country"),
    ],
)
def test_wrong_subject_is_found(ca, rsa_key, profile, field, code):
    subject = dataclasses.replace(SUBJECTS[profile], **field)
    assert code in codes(lint.findings_in_certificate(built(ca, profile, rsa_key, subject=subject), profile))


def test_missing_ocsp_address_is_found_though_the_other_is_there(ca, rsa_key):
    facts = dataclasses.replace(ca.facts, ocsp_url="")
    found = codes(lint.findings_in_certificate(built(ca, SIGNATURE, rsa_key, facts=facts), SIGNATURE))
    assert found == {"aia.ocsp-missing"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (without(x509.OCSPNoCheck), "ocsp-signer.no-check-missing"),
        (replacing(usage("digital_signature", "content_commitment"), critical=True), "ocsp-signer.key-usage"),
        (without(x509.KeyUsage), "key-usage.not-critical"),
        (without(x509.ExtendedKeyUsage), "ocsp-signer.extended-key-usage"),
    ],
)
def test_faulty_ocsp_signer_is_found(ca, ec_key, change, code):
    spoilt = change(signer_builder(ca, ec_key))
    assert code in codes(lint.findings_in_authority(ca.unsigned(spoilt).linted_der))


def test_certificate_that_ends_before_it_begins_is_found(ca, rsa_key):
    life = Validity(THREE_YEARS.not_before, THREE_YEARS.not_before)
    der = built(ca, SIGNATURE, rsa_key, validity=life)
    begins, ends = b"\x17\x0d260115093000Z" * 2, b"\x17\x0d260115093000Z\x17\x0d260115092959Z"
    assert begins in der
    assert "validity.backwards" in codes(lint.findings_in_certificate(der.replace(begins, ends), SIGNATURE))


def test_weak_hash_is_found(ca, rsa_key):
    """The library builds no such certificate any more, so the algorithm is put in by hand."""
    sha256, sha1 = bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105")
    for profile in CARD_PROFILES:
        der = built(ca, profile, rsa_key).replace(sha256, sha1)
        assert "signature.hash" in codes(lint.findings_in_certificate(der, profile))
    assert "signature.hash" in codes(lint.findings_in_crl(crl(ca, []).replace(sha256, sha1)))


def test_guessable_serial_is_found(ca, rsa_key):
    assert "serial.size" in codes(lint.findings_in_certificate(built(ca, CNS, rsa_key, serial=4711), CNS))


def test_refusal_names_no_person(ca, rsa_key):
    subject = dataclasses.replace(SIGNER, serial_number="TINIT-RSSMRA80A01H501X")
    with pytest.raises(LintFailed) as refusal:
        lint.require_clean_certificate(built(ca, SIGNATURE, rsa_key, subject=subject), SIGNATURE)
    assert "RSSMRA" not in str(refusal.value)
    assert "Rossi" not in str(refusal.value)


def test_our_authorities_are_clean(issuer):
    for certificate in (issuer.root, issuer.certificate):
        assert lint.findings_in_authority(certificate) == []


def signer_builder(ca, key):
    name = profiles.authority_name(
        "Sigillo Demo OCSP", organization="Sigillo Demo S.p.A.", organization_identifier="VATIT-00000000000"
    )
    life = Validity(NOW, NOW + timedelta(days=365))
    return profiles.build_ocsp_signer(name, spki(key), life, x509.random_serial_number(), ca.facts)


def test_ocsp_signer_is_clean_and_its_faults_are_found(ca, ec_key):
    builder = signer_builder(ca, ec_key)
    assert lint.findings_in_authority(ca.unsigned(builder).linted_der) == []
    lint.require_clean_authority(ca.unsigned(builder).linted_der)
    spoilt = without(x509.OCSPNoCheck, x509.ExtendedKeyUsage)(builder)
    found = codes(lint.findings_in_authority(ca.unsigned(spoilt).linted_der))
    assert {"ocsp-signer.no-check-missing", "ocsp-signer.extended-key-usage"} <= found


def test_authority_that_may_found_others_is_found(ca, ec_key):
    facts = profiles.issuer_facts(ca.root, ocsp_url="", ca_url="http://pki.example.org/ca/root.crt")
    name = profiles.authority_name(
        "Sigillo Demo X", organization="Sigillo Demo S.p.A.", organization_identifier="VATIT-00000000000"
    )
    builder = profiles.build_issuing_ca(name, spki(ec_key), THREE_YEARS, x509.random_serial_number(), facts, CRL_URL)
    spoilt = replacing(x509.BasicConstraints(ca=True, path_length=None), critical=True)(builder)
    assert "ca.path-length" in codes(lint.findings_in_authority(ca.unsigned(spoilt).linted_der))
    spoilt = replacing(x509.BasicConstraints(ca=True, path_length=0), critical=False)(builder)
    assert "ca.basic-constraints-not-critical" in codes(lint.findings_in_authority(ca.unsigned(spoilt).linted_der))
    spoilt = replacing(usage("key_cert_sign", "crl_sign", "digital_signature"), critical=True)(builder)
    assert "ca.key-usage" in codes(lint.findings_in_authority(ca.unsigned(spoilt).linted_der))


def entries(count):
    reasons = [HOLD, *RevocationReason]
    return [crl_entry((1 << 158) + number, NOW, reasons[number % len(reasons)]) for number in range(count)]


def crl(ca, listed, *, next_update=NOW + timedelta(days=1), shard_url=None):
    return unsigned_crl(
        ca.facts.name.public_bytes(),
        ca.facts.key_id,
        NOW,
        next_update,
        7,
        listed,
        shard_url=shard_url,
        expired_certs_since=NOW,
        algorithm=SignatureAlgorithm.RSA_SHA256,
    ).linted_der


@pytest.mark.parametrize("count", [0, 1, 8, 9, 500])
@pytest.mark.parametrize("shard_url", [None, CRL_URL])
def test_our_crls_are_clean(ca, count, shard_url):
    assert lint.findings_in_crl(crl(ca, entries(count), shard_url=shard_url)) == []
    lint.require_clean_crl(crl(ca, entries(count), shard_url=shard_url))


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda listed: [*listed, listed[0]], "crl-entry.serial-twice"),
        (lambda listed: [*listed, listed[-1][:-1] + b"\x00"], "crl-entry.reason"),
        (lambda listed: [*listed, listed[-1][:-1] + b"\x08"], "crl-entry.reason"),
        (lambda listed: [*listed, b"\x30\x03\x02\x01\x05"], "document.unreadable"),
        (lambda listed: [*listed, b"\x30\x12\x02\x01\x05" + b"\x17\x0d260202080000Z"], "crl-entry.form"),
    ],
)
def test_faulty_entry_is_found_however_far_down_it_stands(ca, spoil, code):
    der = crl(ca, spoil(entries(200)))
    assert code in codes(lint.findings_in_crl(der))
    if code != "crl-entry.serial-twice":  # the ledger's own rule, too dear in front of each signature
        with pytest.raises(LintFailed):
            lint.require_clean_crl(der)


def test_crl_that_ends_before_it_begins_is_found(ca):
    assert "crl.next-update" in codes(lint.findings_in_crl(crl(ca, [], next_update=NOW)))


@pytest.mark.parametrize(
    ("oid", "code"), [("0603551d14", "crl.number-missing"), ("0603551d23", "crl.authority-key-id-missing")]
)
def test_crl_without_an_extension_is_found(ca, oid, code):
    """Renaming the extension to one that nobody knows takes it away."""
    der = crl(ca, [])
    spoilt = der.replace(bytes.fromhex(oid), bytes.fromhex("0603551d7f"))
    assert code in codes(lint.findings_in_crl(spoilt))


def test_shard_whose_address_is_not_critical_is_found(ca):
    der = crl(ca, [], shard_url=CRL_URL)
    critical = bytes.fromhex("0603551d1c0101ff")
    assert critical in der
    spoilt = der.replace(critical, bytes.fromhex("0603551d1c010100"))
    assert lint.findings_in_crl(spoilt)


def test_a_long_crl_is_scanned_in_reasonable_time(ca):
    der = crl(ca, entries(20_000))
    started = time.process_time()
    assert lint.findings_in_crl(der) == []
    assert time.process_time() - started < 1


def answer(ca, key, **changes):
    certificate = x509.load_der_x509_certificate(ca.issue(SIGNATURE, key))
    signer = x509.load_der_x509_certificate(ca.signed(ca.unsigned(signer_builder(ca, key))))
    facts = {
        "algorithm": hashes.SHA1(),  # noqa: S303 (RFC 6960 CertID)
        "cert_status": ocsp.OCSPCertStatus.GOOD,
        "this_update": NOW,
        "next_update": NOW + timedelta(hours=12),
        "revocation_time": None,
        "revocation_reason": None,
    }
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=certificate, issuer=x509.load_der_x509_certificate(ca.certificate), **facts | changes
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer).certificates([signer])
    return builder.sign(passing_key(key.public_key(), lambda _tbs: b"\x01" * 64), hashes.SHA256()).public_bytes(
        Encoding.DER
    )


def test_good_and_held_answers_are_clean(ca, ec_key):
    assert lint.findings_in_ocsp(answer(ca, ec_key)) == []
    held = answer(
        ca,
        ec_key,
        cert_status=ocsp.OCSPCertStatus.REVOKED,
        revocation_time=NOW,
        revocation_reason=x509.ReasonFlags.certificate_hold,
    )
    lint.require_clean_ocsp(held)


def test_unsuccessful_answer_is_found():
    refusal = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
    with pytest.raises(LintFailed):
        lint.require_clean_ocsp(refusal.public_bytes(Encoding.DER))


@given(junk=st.binary(max_size=300))
@settings(max_examples=50, deadline=None)
def test_unreadable_bytes_are_a_finding_not_a_crash(junk):
    assert lint.findings_in_certificate(junk, CNS)
    assert lint.findings_in_certificate(junk, SIGNATURE)
    assert lint.findings_in_authority(junk)
    assert lint.findings_in_crl(junk)
    assert lint.findings_in_ocsp(junk)


def test_threads_do_not_see_each_others_findings(ca, rsa_key):
    good = built(ca, SIGNATURE, rsa_key)
    bad = built(ca, SIGNATURE, rsa_key, change=without(QC_STATEMENTS))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda der: bool(lint.findings_in_certificate(der, SIGNATURE)), [good, bad] * 12))
    assert found == [False, True] * 12


@pytest.mark.parametrize("code", ["RSSMRA80A01H501U", "RSSMRA80A01H50MQ", "BNCLRA92M41F205Q"])
def test_check_letter_is_computed_also_for_omocodes(code):
    letters = [letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if is_tax_code(code[:15] + letter)]
    assert len(letters) == 1


@pytest.mark.parametrize("text", ["RSSMRA80A01H501u", "RSSMRA80A01H501", "RSSMRA80A01H501X", "", "0" * 16])
def test_other_texts_are_no_tax_codes(text):
    assert is_tax_code("RSSMRA80A01H501U")
    assert not is_tax_code(text)
