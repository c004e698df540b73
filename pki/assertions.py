"""What our profiles demand and the linter does not know (AgID rules, the CNS profile, our own addresses)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from pki.extensions import is_critical, key_usage_of, one_attribute, policies_of, value_of
from pki.gateway import Profile
from pki.profiles import AGID_POLICY, CNS_POLICY, CNS_POLICY_TEXT, QCP_N_QSCD_POLICY
from pki.qualified import QC_STATEMENTS
from pki.tax_code import is_tax_code

_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_SERIAL_BITS = range(64, 160)  # SBR 7.1: at least 64 random bits; RFC 5280 §4.1.2.2: at most 20 octets
_TAX_PREFIX = "TINIT-"
_PERSON = re.compile(r"(TIN|IDC|PAS|PNO)[A-Z]{2}-[ -~]+")  # EN 319 412-1 §5.1.3
_CNS_NAME = re.compile(r"(?P<tax_code>[A-Z0-9]{16})/(?P<card>[^./]+)\.(?P<digest>[A-Za-z0-9+/]{27}=)")


class Finding(NamedTuple):
    """One finding: a stable code and where it is. Never content: a certificate's subject is personal data."""

    code: str
    path: str = ""


def of_leaf(certificate: x509.Certificate, profile: Profile) -> Iterator[Finding]:
    """Check a holder's certificate; what S/MIME adds is in `pki.smime_assertions`."""
    yield from _of_any(certificate)
    yield from _addresses(certificate)
    if profile is Profile.QUALIFIED_SIGNATURE:
        yield from _of_signature(certificate)
    elif profile is Profile.CNS_AUTHENTICATION:
        yield from _of_cns(certificate)


def of_authority(certificate: x509.Certificate) -> Iterator[Finding]:
    """Check a root, an issuing CA or an OCSP signer."""
    yield from _of_any(certificate)
    constraints = value_of(certificate, x509.BasicConstraints)
    if constraints is None or not constraints.ca:
        yield from _of_ocsp_signer(certificate)
        return
    if not is_critical(certificate, x509.BasicConstraints):
        yield Finding("ca.basic-constraints-not-critical")
    if key_usage_of(certificate) != {"key_cert_sign", "crl_sign"}:
        yield Finding("ca.key-usage")
    if certificate.issuer != certificate.subject and constraints.path_length != 0:
        yield Finding("ca.path-length")
    purposes = value_of(certificate, x509.ExtendedKeyUsage)
    if purposes is not None and list(purposes) != [ExtendedKeyUsageOID.EMAIL_PROTECTION]:
        yield Finding("ca.extended-key-usage")


def _of_any(certificate: x509.Certificate) -> Iterator[Finding]:
    if certificate.serial_number.bit_length() not in _SERIAL_BITS:
        yield Finding("serial.size")
    if not isinstance(certificate.signature_hash_algorithm, _HASHES):
        yield Finding("signature.hash")
    if certificate.not_valid_after_utc - certificate.not_valid_before_utc < timedelta(0):
        yield Finding("validity.backwards")
    if not is_critical(certificate, x509.KeyUsage):
        yield Finding("key-usage.not-critical")


def _addresses(certificate: x509.Certificate) -> Iterator[Finding]:
    """AIA with OCSP and caIssuers (AgID §4.1(3)), and one distribution point: the shard."""
    access = value_of(certificate, x509.AuthorityInformationAccess) or ()
    methods = [description.access_method for description in access]
    if AuthorityInformationAccessOID.OCSP not in methods:
        yield Finding("aia.ocsp-missing")
    if AuthorityInformationAccessOID.CA_ISSUERS not in methods:
        yield Finding("aia.ca-issuers-missing")
    points = value_of(certificate, x509.CRLDistributionPoints) or ()
    if [len(point.full_name or ()) for point in points] != [1]:
        yield Finding("crl-distribution-point.not-one")


def _of_signature(certificate: x509.Certificate) -> Iterator[Finding]:
    if key_usage_of(certificate) != {"content_commitment"}:
        yield Finding("signature.key-usage-not-type-a")
    if value_of(certificate, x509.ExtendedKeyUsage) is not None:
        yield Finding("signature.extended-key-usage")
    policies = policies_of(certificate)
    for policy, code in ((AGID_POLICY, "agid-policy-missing"), (QCP_N_QSCD_POLICY, "qcp-n-qscd-policy-missing")):
        if policy not in policies:
            yield Finding(f"signature.{code}")
    try:
        certificate.extensions.get_extension_for_oid(QC_STATEMENTS)
    except x509.ExtensionNotFound:
        yield Finding("signature.qc-statements-missing")
    yield from _person(certificate)


def _person(certificate: x509.Certificate) -> Iterator[Finding]:
    serial_number = one_attribute(certificate, NameOID.SERIAL_NUMBER)
    if not _PERSON.fullmatch(serial_number):
        yield Finding("subject.serial-number")
    elif serial_number.startswith(_TAX_PREFIX) and not is_tax_code(serial_number.removeprefix(_TAX_PREFIX)):
        yield Finding("subject.tax-code")
    for attribute, code in (
        (NameOID.DN_QUALIFIER, "dn-qualifier"),
        (NameOID.GIVEN_NAME, "given-name"),
        (NameOID.SURNAME, "surname"),
        (NameOID.COMMON_NAME, "common-name"),
        (NameOID.COUNTRY_NAME, "country"),
    ):
        if not one_attribute(certificate, attribute):
            yield Finding(f"subject.{code}")


def _of_cns(certificate: x509.Certificate) -> Iterator[Finding]:
    usage = key_usage_of(certificate)
    if "digital_signature" not in usage or not usage <= {"digital_signature", "key_encipherment"}:
        yield Finding("cns.key-usage")
    if ExtendedKeyUsageOID.CLIENT_AUTH not in (value_of(certificate, x509.ExtendedKeyUsage) or ()):
        yield Finding("cns.client-auth-missing")
    if CNS_POLICY_TEXT not in policies_of(certificate).get(CNS_POLICY, ()):
        yield Finding("cns.policy-text")
    name = _CNS_NAME.fullmatch(one_attribute(certificate, NameOID.COMMON_NAME))
    if name is None or not is_tax_code(name["tax_code"]):
        yield Finding("cns.common-name")
    for attribute, code in ((NameOID.ORGANIZATIONAL_UNIT_NAME, "issuing-body"), (NameOID.COUNTRY_NAME, "country")):
        if not one_attribute(certificate, attribute):
            yield Finding(f"cns.{code}")


def _of_ocsp_signer(certificate: x509.Certificate) -> Iterator[Finding]:
    if key_usage_of(certificate) != {"digital_signature"}:
        yield Finding("ocsp-signer.key-usage")
    if list(value_of(certificate, x509.ExtendedKeyUsage) or ()) != [ExtendedKeyUsageOID.OCSP_SIGNING]:
        yield Finding("ocsp-signer.extended-key-usage")
    if value_of(certificate, x509.OCSPNoCheck) is None:
        yield Finding("ocsp-signer.no-check-missing")
