"""PKCS #12 bundles (.p12, RFC 7292) for a certificate with its key, and the passwords that guard them.

The library fixes the MAC at 2048 rounds with a salt of 8 bytes, so whoever holds a file guesses there, cheaply: a
bundle is as strong as its password, which is long and random and never chosen by a person.
"""

from __future__ import annotations

import enum
import secrets
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    KeySerializationEncryption,
    PrivateFormat,
    load_der_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import PBES, serialize_key_and_certificates

from pki.errors import MalformedInput

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # 32 letters and digits, without I, O, 0 and 1, which are misread
_GROUPS, _GROUP = 5, 5


class BundleFormat(enum.StrEnum):
    """How a bundle is encrypted.

    Modern: PBES2 with AES-256-CBC, HMAC-SHA-256 (Windows 10 1709 and Server 2019 on, current Thunderbird and Firefox).
    Compatible: 3DES and HMAC-SHA-1, for what reports a wrong password otherwise (macOS and iOS in several versions).
    """

    MODERN = "modern"
    COMPATIBLE = "compatible"


def new_password() -> str:
    """Draw a password of 125 random bits: 25 symbols of `ALPHABET` in groups of five, hyphens included."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def bundle(
    key_der: bytes,
    certificate: bytes,
    chain: Sequence[bytes],
    password: str,
    *,
    format: str,  # noqa: A002 (the word of screens and tables)
    iterations: int,
) -> bytes:
    """Make a bundle of a private key (PKCS #8 in clear), its certificate and the CAs above it, all DER.

    `format` is a value of `BundleFormat`; `iterations` slow down whoever opens key and certificates without the MAC.
    The friendly name is the certificate's mailbox. `MalformedInput` for a key that is unreadable or of another
    certificate; nothing of it, nor of the password, is in the exception.
    """
    if not password or not password.isascii():
        msg = "a bundle wants a password in ASCII"  # programs disagree about the encoding of others
        raise ValueError(msg)
    leaf = x509.load_der_x509_certificate(certificate)
    key = _read_key(key_der)
    if key.public_key() != leaf.public_key():
        raise MalformedInput("the key is not the certificate's", code="key-not-the-certificate's")
    above = [x509.load_der_x509_certificate(each) for each in chain]
    encryption = _encryption(BundleFormat(format), password.encode("ascii"), iterations)
    return serialize_key_and_certificates(_friendly_name(leaf), key, leaf, above, encryption)


def _read_key(der: bytes) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    """Read the key without the costly check of its primes: it was made by the same library a moment ago."""
    try:
        key = load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError):
        raise MalformedInput("not a private key in clear", code="key-malformed") from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise MalformedInput("neither an RSA nor an EC key", code="key-malformed")
    return key


def _friendly_name(certificate: x509.Certificate) -> bytes:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return b""
    return next(iter(names.get_values_for_type(x509.RFC822Name)), "").encode()


def _encryption(kind: BundleFormat, password: bytes, iterations: int) -> KeySerializationEncryption:
    builder = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(iterations)
    if kind is BundleFormat.COMPATIBLE:
        builder = builder.key_cert_algorithm(PBES.PBESv1SHA1And3KeyTripleDESCBC).hmac_hash(hashes.SHA1())  # noqa: S303 (what old programs read)
    else:
        builder = builder.key_cert_algorithm(PBES.PBESv2SHA256AndAES256CBC).hmac_hash(hashes.SHA256())
    return builder.build(password)
