"""Certificate profiles (domain rules of AgID, ETSI EN 319 412-2 and RFC 5280) as builders without a signature."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes, CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from pki import smime_profiles
from pki.errors import MalformedInput
from pki.extensions import key_usage
from pki.gateway import Profile, Subject, Validity
from pki.qualified import qc_statements

CNS_POLICY = x509.ObjectIdentifier("1.3.76.16.2.1")
CNS_POLICY_TEXT = (
    "Identifies X.509 authentication certificates issued for the italian National Service Card (CNS) project "
    "in according to the italian regulation"
)  # fixed by the AgID profile, word for word
AGID_POLICY = x509.ObjectIdentifier("1.3.76.16.6")
QCP_N_QSCD_POLICY = x509.ObjectIdentifier("0.4.0.194112.1.2")
ANY_POLICY = x509.ObjectIdentifier("2.5.29.32.0")
_PRINTABLE = re.compile(r"[A-Za-z0-9 '()+,\-./:=?]*")  # X.680 §41.4
DISCLOSURES = (("en", "https://www.example.org/pds/en.pdf"), ("it", "https://www.example.org/pds/it.pdf"))


@dataclass(frozen=True, slots=True)
class IssuerFacts:
    """What a certificate says of its issuer.

    `key_id` is the issuer's subjectKeyIdentifier; an empty address is left out.
    `disclosures` are the provider's PKI disclosure statements, language and https address (EN 319 412-5 §4.3.4).
    """

    name: x509.Name
    public_key: CertificateIssuerPublicKeyTypes
    key_id: bytes
    ocsp_url: str
    ca_url: str
    disclosures: tuple[tuple[str, str], ...] = DISCLOSURES


def issuer_facts(certificate: bytes, *, ocsp_url: str, ca_url: str) -> IssuerFacts:
    """Read an issuer's facts out of its certificate (DER); `ValueError` where that is no usable CA certificate."""
    issuer = x509.load_der_x509_certificate(certificate)
    key = issuer.public_key()
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        msg = "a CA of ours has an RSA or EC key"
        raise ValueError(msg)  # noqa: TRY004 (the content is wrong, not the type)
    key_id = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    return IssuerFacts(issuer.subject, key, key_id, ocsp_url, ca_url)


def authority_name(
    common_name: str, *, organization: str, organization_identifier: str, country: str = "IT"
) -> x509.Name:
    """Name of a CA or OCSP signer of a legal person (EN 319 412-2 §4.2.3.1): C, O, organizationIdentifier, CN."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, country),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, organization_identifier),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def subject_name(subject: Subject) -> x509.Name:
    """Encode the holder's attributes, the empty ones left out; `ValueError` for what cannot be encoded."""
    attributes = (
        (NameOID.COUNTRY_NAME, subject.country),
        (NameOID.STATE_OR_PROVINCE_NAME, subject.state),
        (NameOID.LOCALITY_NAME, subject.locality),
        (NameOID.STREET_ADDRESS, subject.street),
        (NameOID.POSTAL_CODE, subject.postal_code),
        (NameOID.ORGANIZATION_NAME, subject.organization),
        (NameOID.ORGANIZATION_IDENTIFIER, subject.organization_identifier),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, subject.organizational_unit),
        (NameOID.SURNAME, subject.surname),
        (NameOID.GIVEN_NAME, subject.given_name),
        (NameOID.TITLE, subject.title),
        (NameOID.SERIAL_NUMBER, subject.serial_number),
        (NameOID.DN_QUALIFIER, subject.dn_qualifier),
        (NameOID.COMMON_NAME, subject.common_name),
    )
    if not all(_PRINTABLE.fullmatch(text) for text in (subject.country, subject.serial_number, subject.dn_qualifier)):
        msg = "a PrintableString holds something else"  # the library would encode it without a word
        raise ValueError(msg)
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in attributes if value])


def build_leaf(
    profile: Profile,
    subject: Subject,
    spki_der: bytes,
    validity: Validity,
    serial: int,
    issuer: IssuerFacts,
    crl_url: str,
) -> x509.CertificateBuilder:
    """Build a holder's certificate; `crl_url` is the shard that will list it.

    `MalformedInput` for a key, a subject or a mailbox that cannot be encoded.
    """
    try:
        name = subject_name(subject)
    except ValueError as refused:
        raise MalformedInput("the subject cannot be encoded", code="subject-malformed") from refused
    key = _public_key(spki_der)
    builder = _signed_by(issuer, name, key, validity, serial).add_extension(
        _distribution_point(crl_url), critical=False
    )
    if profile is Profile.QUALIFIED_SIGNATURE:
        return _qualified_signature(builder, issuer)
    if profile in smime_profiles.POLICIES:
        return smime_profiles.extended(builder, profile, subject, key)
    return _cns_authentication(builder, key)


def _cns_authentication(builder: x509.CertificateBuilder, key: CertificatePublicKeyTypes) -> x509.CertificateBuilder:
    """AgID profile of CNS authentication: clientAuth, the fixed policy text, never nonRepudiation."""
    notice = x509.UserNotice(notice_reference=None, explicit_text=CNS_POLICY_TEXT)
    rsa_only = {"key_encipherment"} if isinstance(key, rsa.RSAPublicKey) else set()  # RFC 5480 §3: not for EC
    return (
        builder.add_extension(key_usage("digital_signature", *rsa_only), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.CertificatePolicies([x509.PolicyInformation(CNS_POLICY, [notice])]), critical=False)
    )


def _qualified_signature(builder: x509.CertificateBuilder, issuer: IssuerFacts) -> x509.CertificateBuilder:
    """EN 319 412-2 natural person on a QSCD, AgID §4: key usage type A, full adherence, QCStatements."""
    policies = [x509.PolicyInformation(AGID_POLICY, None), x509.PolicyInformation(QCP_N_QSCD_POLICY, None)]
    return (
        builder.add_extension(key_usage("content_commitment"), critical=True)
        .add_extension(x509.CertificatePolicies(policies), critical=False)
        .add_extension(qc_statements(issuer.disclosures), critical=False)
    )


def build_root(name: x509.Name, spki_der: bytes, validity: Validity, serial: int) -> x509.CertificateBuilder:
    """Build a self-signed trust anchor, which names itself as its issuer's key (RFC 5280 §4.2.1.1 allows both)."""
    key = _public_key(spki_der)
    named = _named(name, name, key, validity, serial)
    own = x509.AuthorityKeyIdentifier(x509.SubjectKeyIdentifier.from_public_key(key).digest, None, None)
    return _authority(named.add_extension(own, critical=False), path_length=None)


def build_issuing_ca(
    name: x509.Name,
    spki_der: bytes,
    validity: Validity,
    serial: int,
    issuer: IssuerFacts,
    crl_url: str,
    *,
    purposes: tuple[x509.ObjectIdentifier, ...] = (),
) -> x509.CertificateBuilder:
    """Build a CA that issues to holders only; `crl_url` is the root's CRL.

    `purposes` are the only extended key usages that its certificates may have; S/MIME demands them (SBR 7.1.2.2 g).
    """
    builder = _signed_by(issuer, name, _public_key(spki_der), validity, serial)
    policies = x509.CertificatePolicies([x509.PolicyInformation(ANY_POLICY, None)])
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    return (
        _authority(builder, path_length=0)
        .add_extension(policies, critical=False)
        .add_extension(_distribution_point(crl_url), critical=False)
    )


def build_ocsp_signer(
    name: x509.Name, spki_der: bytes, validity: Validity, serial: int, issuer: IssuerFacts
) -> x509.CertificateBuilder:
    """Build a delegated OCSP responder (RFC 6960 §4.2.2.2) that needs no status check of its own."""
    return (
        _signed_by(issuer, name, _public_key(spki_der), validity, serial)
        .add_extension(key_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=False)
        .add_extension(x509.OCSPNoCheck(), critical=False)
    )


def _named(
    issuer: x509.Name, name: x509.Name, key: CertificatePublicKeyTypes, validity: Validity, serial: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(name)
        .public_key(key)
        .serial_number(serial)
        .not_valid_before(validity.not_before)
        .not_valid_after(validity.not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _signed_by(
    issuer: IssuerFacts, name: x509.Name, key: CertificatePublicKeyTypes, validity: Validity, serial: int
) -> x509.CertificateBuilder:
    addresses = (
        (AuthorityInformationAccessOID.OCSP, issuer.ocsp_url),
        (AuthorityInformationAccessOID.CA_ISSUERS, issuer.ca_url),
    )
    access = [x509.AccessDescription(method, x509.UniformResourceIdentifier(url)) for method, url in addresses if url]
    return (
        _named(issuer.name, name, key, validity, serial)
        .add_extension(x509.AuthorityKeyIdentifier(issuer.key_id, None, None), critical=False)
        .add_extension(x509.AuthorityInformationAccess(access), critical=False)
    )


def _authority(builder: x509.CertificateBuilder, path_length: int | None) -> x509.CertificateBuilder:
    return builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True).add_extension(
        key_usage("key_cert_sign", "crl_sign"), critical=True
    )


def _distribution_point(url: str) -> x509.CRLDistributionPoints:
    point = x509.DistributionPoint(
        full_name=[x509.UniformResourceIdentifier(url)], relative_name=None, reasons=None, crl_issuer=None
    )
    return x509.CRLDistributionPoints([point])


def _public_key(spki_der: bytes) -> CertificatePublicKeyTypes:
    try:
        key = load_der_public_key(spki_der)
    except Exception as unreadable:  # the library names no closed list
        raise MalformedInput("not a public key that we can read") from unreadable
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise MalformedInput("neither an RSA nor an EC public key")
    return key
