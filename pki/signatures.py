"""One way to verify a card's signature, for challenges and documents alike: the key alone decides the algorithm."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pki.errors import BadSignature, MalformedInput

LARGEST_SIGNATURE = 1024


def require_signed(spki_der: bytes, data: bytes, signature: bytes) -> None:
    """Refuse a value that is not this key's: RSA is PKCS #1 v1.5 with SHA-256, EC is ECDSA (DER) with SHA-256.

    `BadSignature`, or `MalformedInput` for an unreadable key.
    """
    if len(signature) > LARGEST_SIGNATURE:
        raise BadSignature("larger than any signature")
    try:
        key = load_der_public_key(spki_der)
    except Exception as unreadable:  # the library names no closed list of exceptions
        raise MalformedInput("not a readable public key") from unreadable
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
        else:
            raise BadSignature("neither an RSA nor an EC key")
    except InvalidSignature as wrong:
        raise BadSignature("the key did not sign this") from wrong
