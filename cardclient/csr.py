"""Certificate requests (PKCS #10, RFC 2986) built by `cryptography` with a private key that stays on the card.

`cryptography` documents subclassing its abstract private keys for keys held elsewhere; all it calls is `sign` and
`public_key`, the rest refuses. The subject is a courtesy copy of the old one: the server decides the issued subject.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric import utils as asymmetric

from cardclient.errors import CardError

Sign = Callable[[bytes], bytes]


def build_request(spki: bytes, subject: x509.Name, sign: Sign) -> bytes:
    """Return the request (DER) for this key, signed with SHA-256 by `sign`, which takes the data, not a digest."""
    public = serialization.load_der_public_key(spki)
    key: CardRsaKey | CardEcKey
    if isinstance(public, rsa.RSAPublicKey):
        key = CardRsaKey(public, sign)
    elif isinstance(public, ec.EllipticCurvePublicKey):
        key = CardEcKey(public, sign)
    else:
        raise CardError("key-unsupported")
    # The builder itself refuses a signature of impossible shape; the caller's card is checked by `require_signature`.
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    if not request.is_signature_valid:
        raise CardError("signature-broken", operation="request")
    return request.public_bytes(serialization.Encoding.DER)


class CardRsaKey(rsa.RSAPrivateKey):
    """An RSA private key of which only the card knows the secret part; signs PKCS#1 v1.5 with SHA-256."""

    def __init__(self, public: rsa.RSAPublicKey, sign: Sign) -> None:
        """Join the public key with the card's way of signing."""
        self._public, self._sign = public, sign

    @property
    def key_size(self) -> int:
        """Modulus length in bits."""
        return self._public.key_size

    def public_key(self) -> rsa.RSAPublicKey:
        """Return the public key."""
        return self._public

    def sign(self, data: Any, padding: Any, algorithm: Any) -> bytes:
        """Sign on the card; any other hash or padding than asked for above is a mistake and refused."""
        _require_sha256(algorithm)
        if not isinstance(padding, PKCS1):
            raise CardError("algorithm-unsupported")
        return self._sign(bytes(data))

    def decrypt(self, *_: Any) -> NoReturn:
        """Refuse: this key signs."""
        raise CardError("operation-unsupported")

    def private_numbers(self) -> NoReturn:
        """Refuse: the card does not tell."""
        raise CardError("operation-unsupported")

    def private_bytes(self, *_: Any) -> NoReturn:
        """Refuse: the card does not tell."""
        raise CardError("operation-unsupported")

    def __copy__(self) -> CardRsaKey:
        """Return itself: there is one key."""
        return self

    def __deepcopy__(self, _memo: dict[Any, Any]) -> CardRsaKey:
        """Return itself: there is one key."""
        return self


class CardEcKey(ec.EllipticCurvePrivateKey):
    """An EC private key of which only the card knows the secret part; signs ECDSA with SHA-256, DER."""

    def __init__(self, public: ec.EllipticCurvePublicKey, sign: Sign) -> None:
        """Join the public key with the card's way of signing."""
        self._public, self._sign = public, sign

    @property
    def curve(self) -> ec.EllipticCurve:
        """The curve of the public key."""
        return self._public.curve

    @property
    def key_size(self) -> int:
        """Field size in bits."""
        return self._public.key_size

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """Return the public key."""
        return self._public

    def sign(self, data: Any, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        """Sign on the card; any other hash is a mistake and refused."""
        _require_sha256(signature_algorithm.algorithm)
        return self._sign(bytes(data))

    def exchange(self, *_: Any) -> NoReturn:
        """Refuse: this key signs."""
        raise CardError("operation-unsupported")

    def private_numbers(self) -> NoReturn:
        """Refuse: the card does not tell."""
        raise CardError("operation-unsupported")

    def private_bytes(self, *_: Any) -> NoReturn:
        """Refuse: the card does not tell."""
        raise CardError("operation-unsupported")

    def __copy__(self) -> CardEcKey:
        """Return itself: there is one key."""
        return self

    def __deepcopy__(self, _memo: dict[Any, Any]) -> CardEcKey:
        """Return itself: there is one key."""
        return self


PKCS1 = padding.PKCS1v15


def _require_sha256(algorithm: hashes.HashAlgorithm | asymmetric.Prehashed) -> None:
    if not isinstance(algorithm, hashes.SHA256):
        raise CardError("algorithm-unsupported")
