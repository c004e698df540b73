"""All eight S/MIME profiles are clean, and each fault that the requirements name is found before anything is signed."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pki import lint, profiles
from pki.errors import LintFailed, MalformedInput, WeakKey
from pki.extensions import key_usage
from pki.gateway import Profile, Validity
from pki.organisation_number import is_organisation_number
from pki.smime_profiles import POLICIES, TERMS, require_mail_key, term
from tests.pki.demo_ca import CRL_URL, spki
from tests.pki.mail import COMPANY, MAIL_PROFILES, MAILBOX, TWO_YEARS, subject_of
from tests.pki.test_lint import codes, rebuilt, replacing, without

MV, MV_STRICT = Profile.SMIME_MAILBOX_MULTIPURPOSE, Profile.SMIME_MAILBOX_STRICT
OV, SV, IV = (
    Profile.SMIME_ORGANISATION_MULTIPURPOSE,
    Profile.SMIME_SPONSOR_MULTIPURPOSE,
    Profile.SMIME_INDIVIDUAL_MULTIPURPOSE,
)
OV_STRICT, SV_STRICT = Profile.SMIME_ORGANISATION_STRICT, Profile.SMIME_SPONSOR_STRICT


def found(
    ca, profile, key, *, change=lambda builder: builder, validity=TWO_YEARS, crl_url=CRL_URL, facts=None, **subject
):
    """Codes that the linter finds in a certificate whose subject, life or extensions were spoilt."""
    wanted = dataclasses.replace(subject_of(profile), **subject)
    serial = x509.random_serial_number()
    builder = profiles.build_leaf(profile, wanted, spki(key), validity, serial, facts or ca.facts, crl_url)
    return codes(lint.findings_in_certificate(ca.unsigned(change(builder)).linted_der, profile))


def _with(builder, name):
    builder._subject_name = name
    return builder


def added(*attributes):
    """The same subject with more attributes."""

    def change(builder):
        more = [x509.NameAttribute(kind, text) for kind, text in attributes]
        return rebuilt(_with(builder, x509.Name([*builder._subject_name, *more])), builder._extensions)

    return change


def alternative(*names, critical=False):
    return replacing(x509.SubjectAlternativeName(names), critical=critical)


def purposes(*more):
    return replacing(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION, *more]), critical=False)


def policies(*dotted):
    informations = [x509.PolicyInformation(x509.ObjectIdentifier(each), None) for each in dotted]
    return replacing(x509.CertificatePolicies(informations), critical=False)


@pytest.mark.parametrize("profile", MAIL_PROFILES)
def test_all_eight_profiles_are_clean_on_either_kind_of_key(ca, holder_key, profile):
    assert found(ca, profile, holder_key) == set()
    lint.require_clean_certificate(ca.issue(profile, holder_key), profile)


def test_the_larger_curve_is_clean_and_the_largest_is_refused_before_the_linter_would(ca):
    larger, largest = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP521R1())
    assert found(ca, MV, larger) == set()
    require_mail_key(spki(larger))
    assert found(ca, MV, largest) != set()
    with pytest.raises(WeakKey) as refused:
        require_mail_key(spki(largest))
    assert refused.value.code == "key-type"


@pytest.mark.parametrize("bits", [1024, 2560])
def test_an_rsa_key_of_another_size_than_mail_programs_take_is_refused(rsa_key, bits):
    require_mail_key(spki(rsa_key))
    with pytest.raises(WeakKey) as refused:
        require_mail_key(spki(rsa.generate_private_key(65537, bits)))
    assert refused.value.code == "key-size"


@pytest.mark.parametrize("days", TERMS)
def test_both_terms_are_clean(ca, ec_key, days):
    life = term(TWO_YEARS.not_before, days)
    assert life.not_after - life.not_before == timedelta(days=days, seconds=-1)
    assert found(ca, SV, ec_key, validity=life) == set()


def test_no_other_term_is_offered():
    with pytest.raises(ValueError, match="826"):
        term(TWO_YEARS.not_before, 826)


def test_a_certificate_whose_mailbox_is_too_long_for_a_common_name_has_no_subject_and_a_critical_alternative(
    ca, ec_key
):
    mailbox = f"{'anna' * 15}@posta.example.org"
    assert found(ca, MV, ec_key, common_name="", email=mailbox) == set()
    issued = x509.load_der_x509_certificate(
        ca.issue(MV, ec_key, subject=dataclasses.replace(subject_of(MV), common_name="", email=mailbox))
    )
    assert list(issued.subject) == []
    assert issued.extensions.get_extension_for_class(x509.SubjectAlternativeName).critical


def test_verified_title_and_place_are_clean_where_the_type_has_them(ca, ec_key):
    place = {"title": "Direttrice", "street": "Via dell'Industria 1", "postal_code": "26900"}
    assert found(ca, SV, ec_key, **place) == set()
    assert {"cabf.smime.prohibited_attribute"} <= found(ca, SV_STRICT, ec_key, **place)


@pytest.mark.parametrize(
    "changes",
    [
        {"organization_identifier": "LEIXG-5493001KJTIIGC8Y1R12"},
        {"organization_identifier": "GOVIT"},
        {"organization_identifier": "VATDE-136695976", "country": "DE"},
        {"organization_identifier": "NTRDE-DEK1101R.HRB123", "country": "DE"},
    ],
    ids=lambda changes: changes["organization_identifier"],
)
def test_other_registers_than_italys_are_clean(ca, ec_key, changes):
    assert found(ca, OV, ec_key, **changes) == set()


def life(days, seconds=-1):
    return Validity(TWO_YEARS.not_before, TWO_YEARS.not_before + timedelta(days=days, seconds=seconds))


# profile, what is wrong, the code that says so. One line for each fault that the requirements name.
FAULTS = {
    "826 days": (MV, {"validity": life(826)}, "smime.validity"),
    "one second beyond 825 days": (
        MV,
        {"validity": life(825, 0)},
        "cabf.smime.certificate_validity_period_exceeds_825_days",
    ),
    "825 days to the second": (MV, {"validity": life(825)}, "cabf.smime.certificate_validity_period_at_maximum"),
    "given name in MV": (MV, {"given_name": "Anna"}, "cabf.smime.prohibited_attribute"),
    "organisation in MV": (MV, {"organization": "Officine"}, "cabf.smime.prohibited_attribute"),
    "country in MV": (MV, {"country": "IT"}, "cabf.smime.prohibited_attribute"),
    "organisation in IV": (IV, {"organization": "Officine"}, "cabf.smime.prohibited_attribute"),
    "title in OV": (OV, {"title": "Direttrice"}, "cabf.smime.prohibited_attribute"),
    "no organisation": (OV, {"organization": ""}, "cabf.smime.missing_required_attribute"),
    "no organisation identifier": (OV, {"organization_identifier": ""}, "cabf.smime.missing_required_attribute"),
    "D-U-N-S as identifier": (OV, {"organization_identifier": "DUNIT-123456789"}, "smime.organization-identifier"),
    "D-U-N-S as register number": (OV, {"organization_identifier": "NTRIT-123456789"}, "smime.register-number"),
    "country of another land": (SV, {"country": "FR"}, "smime.organization-identifier-country"),
    "identifier without a country beside it": (
        OV,
        {"country": "", "state": "", "locality": ""},
        "smime.organization-identifier-country",
    ),
    "LEI of a country": (
        OV,
        {"organization_identifier": "LEIIT-5493001KJTIIGC8Y1R12"},
        "cabf.invalid_organization_identifier_country",
    ),
    "LEI with a wrong checksum": (
        OV,
        {"organization_identifier": "LEIXG-5493001KJTIIGC8Y1R13"},
        "iso.lei.invalid_lei_checksum",
    ),
    "VAT number with a wrong check digit": (SV, {"organization_identifier": "VATIT-01234560158"}, "smime.vat-number"),
    "register number with a wrong check digit": (
        OV,
        {"organization_identifier": "NTRIT-01234560158"},
        "smime.register-number",
    ),
    "a person's tax code as register number": (
        OV,
        {"organization_identifier": "NTRIT-RSSMRA80A01H501U"},
        "smime.register-number",
    ),
    "organisation of 65 characters": (OV, {"organization": "O" * 65, "common_name": ""}, "smime.organization-long"),
    "department": (SV, {"organizational_unit": "Acquisti"}, "smime.organizational-unit"),
    "nobody in SV": (SV, {"given_name": "", "surname": "", "common_name": ""}, "cabf.smime.missing_required_attribute"),
    "another common name than the person's": (SV, {"common_name": "Carla Verdi"}, "smime.common-name"),
    "common name of another mailbox": (MV, {"common_name": "carla@example.org"}, "cabf.smime.common_name"),
    "wrong tax code": (IV, {"serial_number": "TINIT-RSSMRA80A01H501X"}, "smime.tax-code"),
    "street without a place": (
        SV,
        {"street": "Via 1", "locality": "", "state": ""},
        "cabf.smime.required_attribute_missing",
    ),
    "dots for a value": (SV, {"locality": "."}, "cabf.insignificant_attribute_value_present"),
    "code of a provider's holder": (IV, {"dn_qualifier": "2026000123"}, "cabf.smime.prohibited_attribute"),
    "pseudonym beside names": (
        SV,
        {"change": added((NameOID.PSEUDONYM, "Annie"))},
        "cabf.smime.mixed_name_and_pseudonym_attributes",
    ),
    "another mailbox in the subject": (
        MV,
        {"change": added((NameOID.EMAIL_ADDRESS, "carla@example.org"))},
        "pkix.subject_email_address_not_in_san",
    ),
    "clientAuth in strict": (
        MV_STRICT,
        {"change": purposes(ExtendedKeyUsageOID.CLIENT_AUTH)},
        "cabf.smime.prohibited_eku",
    ),
    "clientAuth in multipurpose": (
        MV,
        {"change": purposes(ExtendedKeyUsageOID.CLIENT_AUTH)},
        "smime.extended-key-usage",
    ),
    "serverAuth": (MV, {"change": purposes(ExtendedKeyUsageOID.SERVER_AUTH)}, "cabf.smime.prohibited_eku"),
    "any purpose": (MV, {"change": purposes(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)}, "cabf.smime.prohibited_eku"),
    "dataEncipherment in strict": (
        MV_STRICT,
        {"change": replacing(key_usage("digital_signature", "key_encipherment", "data_encipherment"), critical=True)},
        "cabf.smime.prohibited_ku",
    ),
    "keyAgreement on RSA": (
        MV,
        {"change": replacing(key_usage("digital_signature", "key_agreement"), critical=True)},
        "pkix.key_usage_value_prohibited_for_rsa",
    ),
    "nonRepudiation": (
        MV,
        {"change": replacing(key_usage("digital_signature", "key_encipherment", "content_commitment"), critical=True)},
        "smime.key-usage",
    ),
    "key usage not critical": (
        MV,
        {"change": replacing(key_usage("digital_signature", "key_encipherment"), critical=False)},
        "key-usage.not-critical",
    ),
    "DNS name": (
        MV,
        {"change": alternative(x509.RFC822Name(MAILBOX), x509.DNSName("example.org"))},
        "cabf.smime.prohibited_generalname_type_present",
    ),
    "two mailboxes": (
        MV,
        {"change": alternative(x509.RFC822Name(MAILBOX), x509.RFC822Name("carla@example.org"))},
        "smime.mailbox-not-one",
    ),
    "mailbox of no public name": (
        MV,
        {"change": alternative(x509.RFC822Name("anna@mail.local")), "common_name": ""},
        "cabf.internal_domain_name",
    ),
    "mailbox with a domain in capitals": (
        MV,
        {"change": alternative(x509.RFC822Name("anna@Example.org")), "common_name": ""},
        "smime.mailbox",
    ),
    "list over https": (MV, {"crl_url": CRL_URL.replace("http:", "https:")}, "cabf.no_http_crldp_uri"),
    "no policy": (MV, {"change": without(x509.CertificatePolicies)}, "smime.policy-not-the-profile's"),
    "policy of the legacy generation": (MV, {"change": policies("2.23.140.1.5.1.1")}, "smime.policy-not-the-profile's"),
    "policy of another type": (
        MV,
        {"change": policies("2.23.140.1.5.3.2")},
        "cabf.smime.no_required_reserved_policy_oid",
    ),
    "two reserved policies": (
        MV,
        {"change": policies("2.23.140.1.5.1.2", "2.23.140.1.5.1.3")},
        "smime.policy-not-the-profile's",
    ),
    "no purposes": (MV, {"change": without(x509.ExtendedKeyUsage)}, "smime.extended-key-usage"),
    "no key usage": (MV, {"change": without(x509.KeyUsage)}, "smime.key-usage"),
    "no alternative name": (MV, {"change": without(x509.SubjectAlternativeName)}, "smime.mailbox-not-one"),
    "no distribution point": (MV, {"change": without(x509.CRLDistributionPoints)}, "crl-distribution-point.not-one"),
    "no addresses": (MV, {"change": without(x509.AuthorityInformationAccess)}, "aia.ca-issuers-missing"),
    "no authority key": (
        MV,
        {"change": without(x509.AuthorityKeyIdentifier)},
        "pkix.authority_key_identifier_extension_absent",
    ),
    "no subject key": (MV, {"change": without(x509.SubjectKeyIdentifier)}, "pkix.certificate_skid_end_entity_missing"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_that_the_requirements_name_is_found(ca, rsa_key, fault):
    profile, changes, code = FAULTS[fault]
    said = found(ca, profile, rsa_key, **changes)
    assert any(each.startswith(code) for each in said), said


def test_a_short_key_is_found_though_the_gate_stands_before(ca):
    assert any(code.startswith("cabf") for code in found(ca, MV, rsa.generate_private_key(65537, 1024)))  # noqa: S505 (planted)


def test_one_type_is_not_another(ca, ec_key):
    der = ca.issue(MV, ec_key)
    with pytest.raises(LintFailed):
        lint.require_clean_certificate(der, MV_STRICT)
    with pytest.raises(LintFailed):
        lint.require_clean_certificate(der, Profile.CNS_AUTHENTICATION)


@pytest.mark.parametrize("email", ["", "anna", "nicolò@example.org", "anna@xn--citt-3na.example.org", "a@b.org\r\nx"])
def test_no_certificate_is_built_for_what_is_no_mailbox_of_ours(ca, ec_key, email):
    with pytest.raises(MalformedInput, match=r"mailbox|domain"):
        ca.issue(MV, ec_key, subject=dataclasses.replace(subject_of(MV), email=email))


def test_a_common_name_of_65_characters_is_refused_by_the_builder(ca, ec_key):
    with pytest.raises(MalformedInput) as refused:
        ca.issue(IV, ec_key, subject=dataclasses.replace(subject_of(IV), common_name="A" * 65))
    assert refused.value.code == "subject-malformed"


def test_each_profile_has_its_own_reserved_policy():
    assert {policy.dotted_string for policy in POLICIES.values()} == {
        f"2.23.140.1.5.{kind}.{generation}" for kind in (1, 2, 3, 4) for generation in (2, 3)
    }
    assert len(MAIL_PROFILES) == 8


def test_a_refusal_of_the_linter_names_nobody(ca, ec_key):
    subject = dataclasses.replace(subject_of(SV), organization_identifier="VATIT-01234560158")
    builder = profiles.build_leaf(SV, subject, spki(ec_key), TWO_YEARS, x509.random_serial_number(), ca.facts, CRL_URL)
    with pytest.raises(LintFailed) as refused:
        lint.require_clean_certificate(ca.unsigned(builder).linted_der, SV)
    assert not any(word in str(refused.value) for word in ("Anna", "Amico", COMPANY["organization"], "0123456"))


@pytest.mark.parametrize(
    "text",
    ["01234560158", "0123456015", "012345601570", "00000000000", "01234569997", "0123456015a", "٠١٢٣٤٥٦٠١٥٧", ""],
)
def test_other_texts_are_no_number_of_an_organisation(text):
    assert is_organisation_number("01234560157")
    assert not is_organisation_number(text)
