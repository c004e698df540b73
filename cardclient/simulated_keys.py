"""Keys of a simulated card: made, stored and used in software."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from cardclient.errors import CardError
from cardclient.ports import KeyKind

CURVES: dict[int, ec.EllipticCurve] = {256: ec.SECP256R1(), 384: ec.SECP384R1()}
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def read(der: bytes) -> PrivateKey:
    """Load a stored private key (PKCS #8)."""
    key = serialization.load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise CardError("key-unsupported")
    return key


def make(kind: KeyKind) -> PrivateKey:
    """Generate a key; RSA from 1024 bits, so that old families can be played."""
    if kind.kind == "rsa":
        return rsa.generate_private_key(65537, kind.bits)
    return ec.generate_private_key(CURVES[kind.bits])


def spki_of(key: PrivateKey) -> bytes:
    """SubjectPublicKeyInfo DER."""
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def sign(der: bytes, data: bytes) -> bytes:
    """Sign with SHA-256: PKCS#1 v1.5, or ECDSA as DER."""
    key = read(der)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def stored(key: PrivateKey) -> bytes:
    """PKCS #8 DER, not encrypted: the card file protects nothing."""
    encoding = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8
    return key.private_bytes(*encoding, serialization.NoEncryption())
