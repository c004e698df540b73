"""Certificates say what the AgID and ETSI profiles want."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from pki import profiles
from pki.errors import MalformedInput
from pki.gateway import Profile, Validity
from pki.qualified import QC_STATEMENTS
from tests.pki.demo_ca import CARD_HOLDER, CRL_URL, SIGNER, THREE_YEARS, spki


def value(certificate, kind):
    return certificate.extensions.get_extension_for_class(kind).value


@pytest.fixture
def cns(ca, holder_key):
    return x509.load_der_x509_certificate(ca.issue(Profile.CNS_AUTHENTICATION, holder_key))


@pytest.fixture
def signature(ca, holder_key):
    return x509.load_der_x509_certificate(ca.issue(Profile.QUALIFIED_SIGNATURE, holder_key))


def test_cns_certificate_authenticates_and_never_signs_documents(cns):
    usage = value(cns, x509.KeyUsage)
    assert usage.digital_signature
    assert not usage.content_commitment
    assert ExtendedKeyUsageOID.CLIENT_AUTH in value(cns, x509.ExtendedKeyUsage)


def test_cns_policy_carries_the_fixed_text(cns):
    (policy,) = value(cns, x509.CertificatePolicies)
    assert policy.policy_identifier.dotted_string == "1.3.76.16.2.1"
    assert policy.policy_qualifiers[0].explicit_text == profiles.CNS_POLICY_TEXT


def test_cns_common_name_survives_its_odd_characters(cns):
    (name,) = cns.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert name.value == CARD_HOLDER.common_name


def test_only_an_rsa_key_enciphers_keys(ca, rsa_key, ec_key):
    said = {}
    for kind, key in (("rsa", rsa_key), ("ec", ec_key)):
        certificate = x509.load_der_x509_certificate(ca.issue(Profile.CNS_AUTHENTICATION, key))
        said[kind] = value(certificate, x509.KeyUsage).key_encipherment
    assert said == {"rsa": True, "ec": False}


def test_signature_certificate_has_key_usage_type_a(signature):
    usage = signature.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.content_commitment
    assert not any((usage.value.digital_signature, usage.value.key_encipherment, usage.value.key_agreement))


def test_signature_certificate_declares_agid_and_qscd_policies(signature):
    declared = {policy.policy_identifier.dotted_string for policy in value(signature, x509.CertificatePolicies)}
    assert declared == {"1.3.76.16.6", "0.4.0.194112.1.2"}


def test_signature_certificate_states_its_qualified_nature(signature):
    statements = signature.extensions.get_extension_for_oid(QC_STATEMENTS)
    assert not statements.critical
    for dotted in ("0.4.0.1862.1.1", "0.4.0.1862.1.4", "0.4.0.1862.1.6.1", "0.4.0.194121.1.1"):
        assert x509.ExtendedKeyUsage([x509.ObjectIdentifier(dotted)]).public_bytes()[2:] in statements.value.value
    assert b"https://www.example.org/pds/en.pdf\x13\x02en" in statements.value.value


def test_signature_subject_names_the_holder_by_tax_code_and_provider_code(signature):
    said = {attribute.oid: attribute.value for attribute in signature.subject}
    assert said == {
        NameOID.COUNTRY_NAME: "IT",
        NameOID.SURNAME: "Rossi",
        NameOID.GIVEN_NAME: "Mario",
        NameOID.SERIAL_NUMBER: "TINIT-RSSMRA80A01H501U",
        NameOID.DN_QUALIFIER: "2026000123",
        NameOID.COMMON_NAME: "Mario Rossi",
    }


@pytest.mark.parametrize("profile", Profile)
def test_every_certificate_says_where_its_status_is(ca, ec_key, profile):
    certificate = x509.load_der_x509_certificate(ca.issue(profile, ec_key))
    access = {
        item.access_method: item.access_location.value for item in value(certificate, x509.AuthorityInformationAccess)
    }
    assert access == {
        AuthorityInformationAccessOID.OCSP: ca.facts.ocsp_url,
        AuthorityInformationAccessOID.CA_ISSUERS: ca.facts.ca_url,
    }
    (point,) = value(certificate, x509.CRLDistributionPoints)
    assert [name.value for name in point.full_name] == [CRL_URL]
    assert value(certificate, x509.AuthorityKeyIdentifier).key_identifier == ca.facts.key_id


def test_validity_is_to_the_second_as_asked(signature):
    assert (signature.not_valid_before_utc, signature.not_valid_after_utc) == (
        THREE_YEARS.not_before,
        THREE_YEARS.not_after,
    )


def test_issuing_ca_issues_to_holders_only(ca):
    certificate = x509.load_der_x509_certificate(ca.certificate)
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, 0)
    usage = value(certificate, x509.KeyUsage)
    assert usage.key_cert_sign
    assert usage.crl_sign
    certificate.verify_directly_issued_by(x509.load_der_x509_certificate(ca.root))


def test_root_signs_itself_and_names_no_addresses(ca):
    root = x509.load_der_x509_certificate(ca.root)
    root.verify_directly_issued_by(root)
    assert value(root, x509.AuthorityKeyIdentifier).key_identifier == value(root, x509.SubjectKeyIdentifier).digest
    with pytest.raises(x509.ExtensionNotFound):
        value(root, x509.AuthorityInformationAccess)


def test_ocsp_signer_signs_answers_and_needs_no_status_check(ca, ec_key):
    validity = Validity(THREE_YEARS.not_before, THREE_YEARS.not_before + timedelta(days=365))
    name = profiles.authority_name(
        "Sigillo Demo OCSP", organization="Sigillo Demo S.p.A.", organization_identifier="VATIT-00000000000"
    )
    builder = profiles.build_ocsp_signer(name, spki(ec_key), validity, 99, ca.facts)
    signer = x509.load_der_x509_certificate(ca.signed(ca.unsigned(builder)))
    assert list(value(signer, x509.ExtendedKeyUsage)) == [ExtendedKeyUsageOID.OCSP_SIGNING]
    assert value(signer, x509.OCSPNoCheck) is not None


@pytest.mark.parametrize("key", [b"", b"\x30\x00", b"not a key"])
def test_unreadable_key_is_refused(ca, key):
    with pytest.raises(MalformedInput):
        profiles.build_leaf(Profile.CNS_AUTHENTICATION, CARD_HOLDER, key, THREE_YEARS, 1, ca.facts, CRL_URL)


@pytest.mark.parametrize("field", [{"common_name": "x" * 65}, {"country": "ITA"}, {"serial_number": "è"}])
def test_subject_that_cannot_be_encoded_is_refused(ca, ec_key, field):
    subject = dataclasses.replace(SIGNER, **field)
    with pytest.raises(MalformedInput) as refusal:
        profiles.build_leaf(Profile.QUALIFIED_SIGNATURE, subject, spki(ec_key), THREE_YEARS, 1, ca.facts, CRL_URL)
    assert refusal.value.code == "subject-malformed"
