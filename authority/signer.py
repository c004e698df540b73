"""The seam to the CA's private keys: bytes in, signature out. A PKCS#11 token or a signer process fits behind it.

OpenSSL checks an RSA key's primes whenever it is loaded, which costs as much as a hundred signatures. So a key is
loaded once per process, when it is first needed, and without that check; `full_check` makes it at the ceremony and in
`manage.py check`. Every signature is verified before it leaves: a fault in a CRT computation would give the key away.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import Counter
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from authority.errors import KeyUnusable
from authority.models import SigningKey
from pki.assembly import SignatureAlgorithm
from runtime.sealing import SealBroken, unseal

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
KEY_TYPES = ("rsa-4096", "rsa-2048", "p-256")
RSA_EXPONENT = 65537
_DIGEST = utils.Prehashed(hashes.SHA256())


class Signer(Protocol):
    """Whoever can sign for one key."""

    algorithm: SignatureAlgorithm

    def sign(self, tbs: bytes) -> bytes:
        """Sign with the key's one algorithm; raises `KeyUnusable`."""
        ...


class SoftwareSigner:
    """A key in this process's memory."""

    def __init__(self, key: PrivateKey) -> None:
        """Keep the key; it has no way out of here."""
        self._key = key
        self.algorithm = algorithm_of(key)

    def __repr__(self) -> str:
        """Show no key."""
        return f"SoftwareSigner({self.algorithm})"

    def sign(self, tbs: bytes) -> bytes:
        """Sign, and verify what came out before anybody sees it; a large list is hashed once for both."""
        digest = hashlib.sha256(tbs).digest()
        if isinstance(self._key, rsa.RSAPrivateKey):
            signature = self._key.sign(digest, padding.PKCS1v15(), _DIGEST)
        else:
            signature = self._key.sign(digest, ec.ECDSA(_DIGEST))
        require_signature(self._key.public_key(), digest, signature)
        return signature


def require_signature(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey, digest: bytes, signature: bytes) -> None:
    """Refuse a signature over what has this SHA-256 digest if it does not verify, with `KeyUnusable`."""
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, digest, padding.PKCS1v15(), _DIGEST)
        else:
            key.verify(signature, digest, ec.ECDSA(_DIGEST))
    except InvalidSignature:
        raise KeyUnusable("the CA's key made a signature that does not verify") from None


class _Loaded:
    """Signers of this process, by key identifier. A forked child starts empty."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.lock = threading.Lock()
        self.signers: dict[bytes, SoftwareSigner] = {}
        self.loads: Counter[bytes] = Counter()


class _Process:
    loaded = _Loaded()


def signer_for(row: SigningKey) -> Signer:
    """Give the signer of this key, loading the key on first use; raises `KeyUnusable` when its seal does not open."""
    loaded = _of_this_process()
    key_id = bytes(row.key_identifier)
    signer = loaded.signers.get(key_id)
    if signer is None:
        with loaded.lock:
            signer = loaded.signers.get(key_id) or _load(row, loaded)
    return signer


def loads() -> dict[bytes, int]:
    """Count how often this process has loaded each key (key identifier: times); for the guard in the tests."""
    return dict(_of_this_process().loads)


def forget() -> None:
    """Drop every loaded key and every count."""
    _Process.loaded = _Loaded()


def _of_this_process() -> _Loaded:
    if _Process.loaded.pid != os.getpid():
        forget()
    return _Process.loaded


def _load(row: SigningKey, loaded: _Loaded) -> SoftwareSigner:
    key_id = bytes(row.key_identifier)
    loaded.loads[key_id] += 1
    signer = SoftwareSigner(_opened(row, skips_validation=True))
    loaded.signers[key_id] = signer
    return signer


def _opened(row: SigningKey, *, skips_validation: bool) -> PrivateKey:
    try:
        plain = unseal(row.sealed, context=row.sealing_context)
        key = load_der_private_key(plain, None, unsafe_skip_rsa_key_validation=skips_validation)
    except (SealBroken, ValueError):
        raise KeyUnusable(f"the signing key {row} does not open") from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) or spki_of(key) != bytes(row.spki):
        raise KeyUnusable(f"the sealed key is not {row}")
    return key


def full_check(row: SigningKey) -> None:
    """Open the key with every check that the library has (0.3 s for RSA-4096), and sign; raises `KeyUnusable`."""
    key = _opened(row, skips_validation=False)
    if algorithm_of(key).value != row.algorithm:
        raise KeyUnusable(f"the sealed key is not {row}")
    SoftwareSigner(key).sign(b"full check of a signing key")


def generate(key_type: str) -> PrivateKey:
    """Make a new private key of one of `KEY_TYPES`."""
    if key_type == "p-256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(RSA_EXPONENT, int(key_type.removeprefix("rsa-")))


def algorithm_of(key: PrivateKey) -> SignatureAlgorithm:
    """Say the one algorithm that this key signs with."""
    return SignatureAlgorithm.RSA_SHA256 if isinstance(key, rsa.RSAPrivateKey) else SignatureAlgorithm.ECDSA_P256_SHA256


def spki_of(key: PrivateKey) -> bytes:
    """Encode the public half as SubjectPublicKeyInfo."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def plain_of(key: PrivateKey) -> bytes:
    """Encode the private key in clear, for nothing but sealing."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def public_key_of(spki_der: bytes) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
    """Read one of our own public keys."""
    key = load_der_public_key(spki_der)
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise KeyUnusable("a CA of ours has an RSA or EC key")
    return key
