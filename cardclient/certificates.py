"""What the client reads in certificates: slot, tax code, whether a new one may take an old one's place."""

from __future__ import annotations

import re
from collections.abc import Iterable

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cardclient.contract import Slot
from cardclient.errors import CardError, Distrusted
from cardclient.ports import CardCertificate, KeyKind

TAX_CODE = re.compile(r"[A-Z]{6}[0-9LMNPQRSTUV]{2}[A-EHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]")


def load(der: bytes) -> x509.Certificate:
    """Parse a certificate; raises CardError("certificate-unreadable")."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        _ = certificate.subject, certificate.extensions, certificate.public_key()
    except (ValueError, TypeError, x509.DuplicateExtension) as problem:
        raise CardError("certificate-unreadable") from problem
    except Exception as problem:
        # The parser raises its own kinds for algorithms it does not know; a strange certificate is an unreadable one.
        raise CardError("certificate-unreadable") from problem
    return certificate


def readable(held: Iterable[CardCertificate]) -> tuple[CardCertificate, ...]:
    """Leave out what cannot be parsed: a broken object beside good certificates costs nothing but itself."""
    return tuple(each for each in held if _is_readable(each.der))


def _is_readable(der: bytes) -> bool:
    try:
        load(der)
    except CardError:
        return False
    return True


def spki(certificate: x509.Certificate) -> bytes:
    """SubjectPublicKeyInfo DER."""
    encoding = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return certificate.public_key().public_bytes(*encoding)


def key_kind(public_key: bytes) -> KeyKind:
    """Say what kind of key an SPKI holds; raises CardError for kinds no card of ours makes."""
    public = serialization.load_der_public_key(public_key)
    if isinstance(public, rsa.RSAPublicKey):
        return KeyKind("rsa", public.key_size)
    if isinstance(public, ec.EllipticCurvePublicKey):
        return KeyKind("ec", public.key_size)
    raise CardError("key-unsupported")


def require_signature(public_key: bytes, data: bytes, signature: bytes) -> None:
    """Check what a card signed (SHA-256, RSA PKCS#1 v1.5 or ECDSA) before it is sent; raises CardError."""
    public = serialization.load_der_public_key(public_key)
    try:
        if isinstance(public, rsa.RSAPublicKey):
            public.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        elif isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(signature, data, ec.ECDSA(hashes.SHA256()))
        else:
            raise CardError("key-unsupported")
    except InvalidSignature:
        raise CardError("signature-broken") from None


def slot_of(certificate: x509.Certificate) -> Slot | None:
    """Say which slot a certificate serves: clientAuth means authentication, nonRepudiation means signature."""
    try:
        if certificate.extensions.get_extension_for_class(x509.KeyUsage).value.content_commitment:
            return Slot.SIGNATURE
    except x509.ExtensionNotFound:
        pass
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return None
    return Slot.AUTHENTICATION if ExtendedKeyUsageOID.CLIENT_AUTH in usages else None


def tax_code(certificate: x509.Certificate) -> str | None:
    """Read the codice fiscale: `TINIT-…` in serialNumber, else the CN up to its first `/` (CNS profile)."""
    values = [str(each.value) for each in certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)]
    values += [str(each.value) for each in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    for value in values:
        candidate = value.removeprefix("TINIT-").removeprefix("IT:").split("/", 1)[0].upper()
        if TAX_CODE.fullmatch(candidate):
            return candidate
    return None


def require_successor(new: bytes, chain: tuple[bytes, ...], *, old: bytes, slot: Slot, public_key: bytes) -> None:
    """Refuse a certificate that is not of this key, slot and person, or that ends no later than the old one.

    Raises Distrusted("certificate-refused") with the failing check as operation: nothing is written on the card then.
    """
    after, before = _load_theirs(new), load(old)
    checks = {
        "public-key": spki(after) == public_key,
        "slot": slot_of(after) is slot,
        "tax-code": _is_same_person(after, before),
        "given-name": _agree(after, before, NameOID.GIVEN_NAME),
        "surname": _agree(after, before, NameOID.SURNAME),
        "not-after": after.not_valid_after_utc > before.not_valid_after_utc,
        "issuer": not chain or _is_issued_by(after, _load_theirs(chain[0])),
    }
    failed = [name for name, passed in checks.items() if not passed]
    if failed:
        raise Distrusted("certificate-refused", operation=failed[0])


def _is_same_person(after: x509.Certificate, before: x509.Certificate) -> bool:
    """Compare tax codes; where the old certificate shows none, only an equal subject will do."""
    code = tax_code(before)
    return tax_code(after) == code if code else after.subject == before.subject


def _agree(after: x509.Certificate, before: x509.Certificate, oid: x509.ObjectIdentifier) -> bool:
    """Compare a name where both certificates carry it; a profile may leave it out, none may change it."""
    new, old = (
        [str(each.value).casefold() for each in name.get_attributes_for_oid(oid)]
        for name in (after.subject, before.subject)
    )
    return not new or not old or new == old


def _load_theirs(der: bytes) -> x509.Certificate:
    try:
        return load(der)
    except CardError:
        raise Distrusted("certificate-refused", operation="parse") from None


def _is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
