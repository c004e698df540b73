"""Certificate extensions: the few that are made in more than one place, and how certificates are read back."""

from __future__ import annotations

from typing import TypeVar

from cryptography import x509

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)
_KEY_USAGE_BITS = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def key_usage(*bits: str) -> x509.KeyUsage:
    """Make a key usage of these bits, named as the library does, and no other."""
    return x509.KeyUsage(**{bit: bit in bits for bit in _KEY_USAGE_BITS})


def value_of(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    """Read an extension's value; None where there is none."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def is_critical(certificate: x509.Certificate, kind: type[_Extension]) -> bool:
    """Tell whether an extension is there and critical."""
    try:
        return certificate.extensions.get_extension_for_class(kind).critical
    except x509.ExtensionNotFound:
        return False


def one_attribute(certificate: x509.Certificate, attribute: x509.ObjectIdentifier) -> str:
    """Read an attribute that must be there exactly once; empty otherwise."""
    values = certificate.subject.get_attributes_for_oid(attribute)
    return str(values[0].value) if len(values) == 1 else ""


def key_usage_of(certificate: x509.Certificate) -> set[str]:
    """Read the key usage as the names of its bits; empty where there is none."""
    usage = value_of(certificate, x509.KeyUsage)
    if usage is None:
        return set()
    return {name for name in _KEY_USAGE_BITS[:7] if getattr(usage, name)}  # the last two exist beside keyAgreement only


def policies_of(certificate: x509.Certificate) -> dict[x509.ObjectIdentifier, list[str | None]]:
    """Policies with the explicit texts of their user notices."""
    policies = value_of(certificate, x509.CertificatePolicies) or ()
    return {
        policy.policy_identifier: [
            qualifier.explicit_text
            for qualifier in policy.policy_qualifiers or ()
            if isinstance(qualifier, x509.UserNotice)
        ]
        for policy in policies
    }
