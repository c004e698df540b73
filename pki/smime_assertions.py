"""What S/MIME certificates must have and the linter does not know, or knows in an older version of the requirements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from cryptography import x509
from cryptography.x509.oid import NameOID

from pki.assertions import Finding
from pki.errors import MalformedInput
from pki.extensions import key_usage_of, one_attribute, value_of
from pki.gateway import Profile
from pki.mailbox import require_ascii_mailbox
from pki.organisation_number import is_organisation_number
from pki.smime_profiles import LONGEST_LIFE, POLICIES, PURPOSES, dual_use
from pki.tax_code import is_tax_code

LONGEST_ORGANISATION = 64  # RFC 5280 appendix A, ub-organization-name; the library encodes longer ones
# SBR appendix A. D-U-N-S is none of them: it may lead to a register's entry, and never stands in a certificate.
_IDENTIFIER = re.compile(
    r"(?P<scheme>NTR|VAT|PSD|LEI|GOV)(?P<country>[A-Z]{2})(\+[A-Z0-9]{1,3})?(-(?P<number>[!-~]+))?"
)
_TAX_PREFIX = "TINIT-"
_OF_PERSONS = (
    Profile.SMIME_SPONSOR_MULTIPURPOSE,
    Profile.SMIME_SPONSOR_STRICT,
    Profile.SMIME_INDIVIDUAL_MULTIPURPOSE,
    Profile.SMIME_INDIVIDUAL_STRICT,
)


def of_mail_certificate(certificate: x509.Certificate, profile: Profile) -> Iterator[Finding]:
    """Check what the profile promises beyond the linter; codes and places only, never content."""
    yield from _of_extensions(certificate, profile)
    yield from _of_mailbox(certificate)
    yield from _of_subject(certificate)
    if profile in _OF_PERSONS:
        yield from _of_person(certificate)
    yield from _of_organisation(certificate)


def _of_extensions(certificate: x509.Certificate, profile: Profile) -> Iterator[Finding]:
    policies = [policy.policy_identifier for policy in value_of(certificate, x509.CertificatePolicies) or ()]
    if policies != [POLICIES[profile]]:
        yield Finding("smime.policy-not-the-profile's")
    if tuple(value_of(certificate, x509.ExtendedKeyUsage) or ()) != PURPOSES:
        yield Finding("smime.extended-key-usage")
    if key_usage_of(certificate) != dual_use(certificate.public_key()):
        yield Finding("smime.key-usage")
    # Both ends count (RFC 5280 §4.1.2.5), so the last second is one more.
    if certificate.not_valid_after_utc - certificate.not_valid_before_utc + timedelta(seconds=1) > LONGEST_LIFE:
        yield Finding("smime.validity")


def _of_mailbox(certificate: x509.Certificate) -> Iterator[Finding]:
    """One certificate, one mailbox, written as we verify and store it."""
    names = list(value_of(certificate, x509.SubjectAlternativeName) or ())
    texts = [name.value for name in names if isinstance(name, x509.RFC822Name)]
    if len(names) != 1 or len(texts) != 1:
        yield Finding("smime.mailbox-not-one")
    elif not _is_as_stored(texts[0]):
        yield Finding("smime.mailbox")


def _is_as_stored(text: str) -> bool:
    try:
        return require_ascii_mailbox(text) == text
    except MalformedInput:
        return False


def _of_subject(certificate: x509.Certificate) -> Iterator[Finding]:
    """Nobody verifies an affiliate's legal name here, which is all that an OU may be; people would put departments."""
    if certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME):
        yield Finding("smime.organizational-unit")
    if len(one_attribute(certificate, NameOID.ORGANIZATION_NAME)) > LONGEST_ORGANISATION:
        yield Finding("smime.organization-long")
    number = one_attribute(certificate, NameOID.SERIAL_NUMBER)
    if number.startswith(_TAX_PREFIX) and not is_tax_code(number.removeprefix(_TAX_PREFIX)):
        yield Finding("smime.tax-code")


def _of_person(certificate: x509.Certificate) -> Iterator[Finding]:
    """The linter takes any common name of a person for his, once he has a name at all."""
    names = (NameOID.GIVEN_NAME, NameOID.SURNAME, NameOID.COMMON_NAME)
    given_name, surname, common_name = (one_attribute(certificate, name) for name in names)
    mailboxes = value_of(certificate, x509.SubjectAlternativeName) or ()
    derivable = {"", f"{given_name} {surname}".strip(), *(name.value for name in mailboxes)}
    if common_name not in derivable:
        yield Finding("smime.common-name")


def _of_organisation(certificate: x509.Certificate) -> Iterator[Finding]:
    if not certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_IDENTIFIER):
        return  # whether the type needs one is known to the linter
    found = _IDENTIFIER.fullmatch(one_attribute(certificate, NameOID.ORGANIZATION_IDENTIFIER))
    if found is None:
        yield Finding("smime.organization-identifier")
        return
    scheme, country, number = found["scheme"], found["country"], found["number"] or ""
    if scheme != "LEI" and one_attribute(certificate, NameOID.COUNTRY_NAME) != country:
        yield Finding("smime.organization-identifier-country")
    if (scheme, country) == ("VAT", "IT") and not is_organisation_number(number):
        yield Finding("smime.vat-number")
    # Italy's register number is the organisation's tax code; a sole trader's would publish a person's.
    if (scheme, country) == ("NTR", "IT") and not is_organisation_number(number):
        yield Finding("smime.register-number")
