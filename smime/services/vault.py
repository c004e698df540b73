"""Keys that we make: sealed the moment they exist, gone in the transaction that stores their bundle."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)
from django.db import IntegrityError, transaction
from django.views.decorators.debug import sensitive_variables

from pki.keys import spki_sha256
from runtime import sealing
from smime.models import KeyVault, Order
from smime.states import KeyKind

_RSA_BITS = {KeyKind.RSA_2048: 2048, KeyKind.RSA_3072: 3072}
_PUBLIC_EXPONENT = 65537


@sensitive_variables()
def request_for(order: Order, edition: int, *, at: datetime) -> bytes:
    """Give the certification request (DER) of this edition's key; the key is made and sealed if there is none.

    Committed before anything is asked with it, so that a repeat after a crash uses the same key. Two workers at once
    make two keys, and both use the one that was stored first. The request's subject says nothing: the CA is told it.
    """
    row = KeyVault.objects.filter(order=order, edition=edition).first() or _made(order, edition, at)
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return request.sign(_opened(row), hashes.SHA256()).public_bytes(Encoding.DER)


@sensitive_variables()
def key_of(order_id: int, edition: int) -> bytes | None:
    """Open the private key (PKCS #8, DER) for its bundle; None where the customer made it or it is gone."""
    row = KeyVault.objects.filter(order_id=order_id, edition=edition).first()
    return None if row is None else sealing.unseal(row.sealed, context=row.sealing_context)


def empty(order_id: int, edition: int) -> None:
    """Delete the key, in the caller's transaction."""
    KeyVault.objects.filter(order_id=order_id, edition=edition).delete()


@sensitive_variables()
def _made(order: Order, edition: int, at: datetime) -> KeyVault:
    key = _generated(KeyKind(order.key_kind))
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    row = KeyVault(order=order, edition=edition, spki_sha256=spki_sha256(public).hex(), created_at=at)
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    row.sealed = sealing.seal(plain, context=row.sealing_context)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return KeyVault.objects.get(order=order, edition=edition)
    return row


def _generated(kind: KeyKind) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    if kind == KeyKind.EC_P256:
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(_PUBLIC_EXPONENT, _RSA_BITS[kind])


@sensitive_variables()
def _opened(row: KeyVault) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    plain = sealing.unseal(row.sealed, context=row.sealing_context)
    key = load_der_private_key(plain, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        msg = "the vault holds keys of two kinds only"
        raise TypeError(msg)
    return key
