"""Keys of test cards: made once per run, told apart by name."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa


@cache
def key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """The key of that name; the same name is the same key for the whole run."""
    assert name
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)
