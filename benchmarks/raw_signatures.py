"""The physical limit of issuance: nothing but the CA key's signatures, on the core under test."""

from __future__ import annotations

import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from benchmarks import cores

TBS = bytes(1200)  # about the size of one of our certificates


def make_key(key_type: str) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    """Make a key of the CA's type."""
    if key_type == "p-256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, int(key_type.removeprefix("rsa-")))


def pairs_per_second(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, seconds: float) -> float:
    """Count pairs of signatures for a while."""

    def sign() -> None:
        if isinstance(key, rsa.RSAPrivateKey):
            key.sign(TBS, padding.PKCS1v15(), hashes.SHA256())
        else:
            key.sign(TBS, ec.ECDSA(hashes.SHA256()))

    with cores.on(cores.SERVER):
        sign()
        begun, pairs = time.perf_counter(), 0
        while time.perf_counter() - begun < seconds:
            sign()
            sign()
            pairs += 1
        return pairs / (time.perf_counter() - begun)
