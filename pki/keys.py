"""The key gate: which public keys may get a certificate, and which old ones may still log in.

The old and the new key pass the same checks for weakness; only a new key must also have today's size and exponent,
because cards with RSA-1024 keys are still renewed.
"""

from __future__ import annotations

import functools
import hashlib
from importlib import resources

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from pki import weakness
from pki.blocklist import BlockList
from pki.errors import WeakKey

SMALLEST_NEW_RSA = 2048  # SBR 6.1.5, ETSI TS 119 312
LARGEST_RSA = 8192  # no card makes more; bounds what a check may cost
LARGEST_SPKI = 2048
NEW_EXPONENTS = range(2**16 + 1, 2**256)  # SBR 6.1.6
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)


def spki_sha256(spki_der: bytes) -> bytes:
    """Digest that names a public key: SHA-256 of its SubjectPublicKeyInfo (DER)."""
    return hashlib.sha256(spki_der).digest()


def require_new_key(spki_der: bytes, *, blocklist: BlockList | None = None) -> None:
    """Refuse a key that must not get a certificate: type, size, exponent, form, weakness. `WeakKey` with a code.

    `blocklist` defaults to the one that ships with this package.
    """
    key = _require_sound(spki_der, SMALLEST_NEW_RSA, blocklist)
    if isinstance(key, rsa.RSAPublicKey) and key.public_numbers().e not in NEW_EXPONENTS:
        raise WeakKey("the public exponent is not between 2^16+1 and 2^256-1", code="key-exponent")


def require_sound_key(spki_der: bytes, *, smallest_rsa: int = 2048, blocklist: BlockList | None = None) -> None:
    """Refuse a key that proves nothing, because others may own its private half. `WeakKey` with a code.

    `smallest_rsa` in bits: 1024 for the login with cards of old families.
    """
    _require_sound(spki_der, smallest_rsa, blocklist)


def _require_sound(spki_der: bytes, smallest_rsa: int, blocklist: BlockList | None) -> PublicKeyTypes:
    key = _read(spki_der)
    modulus = key.public_numbers().n if isinstance(key, rsa.RSAPublicKey) else None
    if (_shipped_blocklist() if blocklist is None else blocklist).holds(spki_der, modulus):
        raise WeakKey("the key is on the block list", code="key-blocklisted")
    if isinstance(key, rsa.RSAPublicKey):
        _require_sound_modulus(key.public_numbers().n, smallest_rsa)
    elif not (isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES)):
        raise WeakKey("neither RSA nor a key on P-256, P-384 or P-521", code="key-type")
    return key


def _require_sound_modulus(modulus: int, smallest: int) -> None:
    bits = modulus.bit_length()
    if not smallest <= bits <= LARGEST_RSA or bits % 8:
        raise WeakKey(f"a modulus of {bits} bits", code="key-size")
    # In this order: each test is meant for what the ones before let through.
    for code, is_weak in (
        ("key-small-factor", weakness.has_small_factor),
        ("key-prime-power", weakness.is_perfect_power),
        ("key-fermat", weakness.has_close_primes),
        ("key-roca", weakness.has_roca_form),
    ):
        if is_weak(modulus):
            raise WeakKey("the modulus can be factored", code=code)


def _read(spki_der: bytes) -> PublicKeyTypes:
    """Read the key in its one canonical form, so that no second spelling of a known key passes for a new one."""
    if len(spki_der) > LARGEST_SPKI:
        raise WeakKey("larger than any key that we certify", code="key-size")
    try:
        key = load_der_public_key(spki_der)
        canonical = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except Exception as unreadable:  # the library names no closed list of exceptions
        raise WeakKey("not a readable public key", code="key-malformed") from unreadable
    if canonical != spki_der:
        raise WeakKey("not the canonical encoding of the key", code="key-malformed")
    return key


@functools.cache
def _shipped_blocklist() -> BlockList:
    with resources.as_file(resources.files("pki") / "blocked_keys.txt") as file:
        return BlockList.read(file)
