"""Sealing of secrets that must lie in the database for a while: AES-256-GCM under a key outside the database.

Layout of a sealed value: version (1 byte), key id (4 bytes, first of the key's SHA-256), nonce (12 bytes), ciphertext
with tag. The context (for example `outbox:42`) is authenticated but not stored: a value copied to another row does not
open.
"""

from __future__ import annotations

import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

VERSION = b"\x01"
KEY_ID_BYTES = 4
NONCE_BYTES = 12
HEADER_BYTES = len(VERSION) + KEY_ID_BYTES + NONCE_BYTES


class SealBroken(Exception):
    """The value does not open: altered, sealed for another context, or under a key that is no longer in the ring."""

    code = "seal-broken"


def seal(plain: bytes, *, context: str) -> bytes:
    """Encrypt under the first key of the ring, bound to `context`. Sealing twice gives two different values."""
    key = settings.SEALING_KEYS[0]
    nonce = os.urandom(NONCE_BYTES)
    return VERSION + _key_id(key) + nonce + AESGCM(key).encrypt(nonce, plain, context.encode())


def unseal(sealed: bytes | memoryview, *, context: str) -> bytes:
    """Open what `seal` made with the same context; raises `SealBroken`, whose text holds nothing of the value."""
    sealed = bytes(sealed)
    if len(sealed) < HEADER_BYTES or not sealed.startswith(VERSION):
        raise SealBroken("not a sealed value")
    key_id = sealed[len(VERSION) : len(VERSION) + KEY_ID_BYTES]
    nonce = sealed[HEADER_BYTES - NONCE_BYTES : HEADER_BYTES]
    for key in settings.SEALING_KEYS:
        if _key_id(key) == key_id:
            try:
                return AESGCM(key).decrypt(nonce, sealed[HEADER_BYTES:], context.encode())
            except InvalidTag:
                raise SealBroken("altered, or sealed for another context") from None
    raise SealBroken("the key is not in the ring")


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()[:KEY_ID_BYTES]
