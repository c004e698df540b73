"""Makes `data/weak_keys.json`: public keys that the gate must refuse, all of our own making. Run by hand, takes seconds.

`python -m tests.pki.weak_key_maker > tests/pki/data/weak_keys.json`
"""

from __future__ import annotations

import base64
import itertools
import json
import math
import random
from collections.abc import Iterator

from asn1crypto.keys import PublicKeyInfo, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pki import der

SEED = 20260115
F4 = 65537
# Nemec et al. 2017, table 1: how many first primes the faulty generator multiplied, by modulus size.
ROCA_PRIMES = {1024: 71, 2048: 126, 3072: 126, 4096: 225}


def spki(modulus: int, exponent: int = F4) -> bytes:
    """SubjectPublicKeyInfo of numbers that no library would accept."""
    key = RSAPublicKey({"modulus": modulus, "public_exponent": exponent})
    return PublicKeyInfo.wrap(key, "rsa").dump()


def first_primes(count: int) -> list[int]:
    """The first primes."""
    found: list[int] = []
    for number in itertools.count(2):
        if all(number % prime for prime in found):
            found.append(number)
        if len(found) == count:
            return found
    raise AssertionError


def is_prime(number: int, rounds: int = 12) -> bool:
    """Miller-Rabin."""
    if any(number % prime == 0 for prime in SMALL):
        return number in SMALL
    twos = ((number - 1) & -(number - 1)).bit_length() - 1
    odd = number - 1 >> twos
    for _ in range(rounds):
        value = pow(RANDOM.randrange(2, number - 1), odd, number)
        if value in {1, number - 1}:
            continue
        for _ in range(twos - 1):
            value = value * value % number
            if value == number - 1:
                break
        else:
            return False
    return True


RANDOM = random.Random(SEED)
SMALL = first_primes(200)


def prime(bits: int) -> int:
    """A prime of exactly this size with its two top bits set."""
    return next_prime(RANDOM.getrandbits(bits) | 3 << bits - 2 | 1)


def next_prime(number: int) -> int:
    """The first prime from this odd number on."""
    return next(candidate for candidate in itertools.count(number | 1, 2) if is_prime(candidate))


def roca_prime(bits: int, product: int) -> int:
    """k * M + (65537^a mod M), the form of CVE-2017-15361."""
    while True:
        k = (RANDOM.getrandbits(bits) | 3 << bits - 2) // product
        candidate = k * product + pow(F4, RANDOM.getrandbits(64), product)
        if candidate.bit_length() == bits and is_prime(candidate):
            return candidate


def roca() -> Iterator[tuple[str, str, bytes]]:
    """Keys of the faulty generator."""
    for bits, count in ((1024, 5), (2048, 8), (3072, 2), (4096, 1)):
        product = math.prod(first_primes(ROCA_PRIMES[bits]))
        for number in range(count):
            yield (
                f"roca-{bits}-{number}",
                "key-roca",
                spki(roca_prime(bits // 2, product) * roca_prime(bits // 2, product)),
            )


def close_primes() -> Iterator[tuple[str, str, bytes]]:
    """Primes whose difference Fermat's method finds within a hundred rounds."""
    for gap in (2, 64, 256, 400, 500, 512):
        first = prime(1024)
        yield f"close-primes-{gap}", "key-fermat", spki(first * next_prime(first + (1 << gap)))
    first = prime(512)
    yield "close-primes-1024", "key-fermat", spki(first * next_prime(first + 2))


def small_factors() -> Iterator[tuple[str, str, bytes]]:
    """A factor below 752, the largest one included; and an even modulus."""
    for factor in (2, 3, 5, 7, 101, 257, 743, 751):
        yield f"factor-{factor}", "key-small-factor", spki(filled(factor, 2048))


def filled(factor: int, bits: int) -> int:
    """factor * prime with exactly this many bits."""
    return factor * next_prime((3 << bits - 2) // factor + RANDOM.getrandbits(bits - 40))


def powers() -> Iterator[tuple[str, str, bytes]]:
    """Powers of one prime."""
    for exponent in (2, 3, 5, 7, 11, 31, 113, 127):
        root = next_prime(round_root(7 << 2045, exponent))
        yield f"power-{exponent}", "key-prime-power", spki(root**exponent)


def round_root(number: int, exponent: int) -> int:
    """Integer root by halving."""
    low, high = 1, 1 << number.bit_length() // exponent + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if middle**exponent < number else (low, middle)
    return low


def sizes() -> Iterator[tuple[str, str, bytes]]:
    """Too small, too large, not a multiple of eight bits."""
    for bits in (512, 768, 1016, 1024, 1536, 2040, 2047, 2049, 2052, 2055, 8208):
        half = bits // 2
        modulus = prime(half) * prime(bits - half) if bits < 4000 else prime(2048) * (3 << bits - 2050 | 1)
        yield f"size-{bits}", "key-size", spki(modulus)


def exponents() -> Iterator[tuple[str, str, bytes]]:
    """Even, tiny, huge."""
    modulus = prime(1024) * prime(1024)
    for name, exponent in (("3", 3), ("17", 17), ("65535", 65535), ("2-256-plus-1", 2**256 + 1)):
        yield f"exponent-{name}", "key-exponent", spki(modulus, exponent)
    for name, exponent in (("0", 0), ("1", 1), ("2", 2), ("65536", 65536), ("negative", -3), ("modulus", modulus)):
        yield f"exponent-{name}", "key-malformed", spki(modulus, exponent)


def spellings() -> Iterator[tuple[str, str, bytes]]:
    """Other encodings of a good key, and bytes that are none."""
    modulus = prime(1024) * prime(1024)
    good = spki(modulus)
    yield "trailing-byte", "key-malformed", good + b"\x00"
    yield "cut-short", "key-malformed", good[:-1]
    yield "empty", "key-malformed", b""
    yield "negative-modulus", "key-malformed", spki(-modulus)
    yield "zero-modulus", "key-malformed", spki(0)
    bits = der.tlv(der.BIT_STRING, b"\x00" + der.sequence(der.integer(modulus), der.integer(F4)))
    rsa_oid, pss_oid = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10"
    yield "rsa-without-parameters", "key-malformed", der.sequence(der.sequence(der.oid(rsa_oid)), bits)
    yield "rsa-pss-key", "key-malformed", der.sequence(der.sequence(der.oid(pss_oid)), bits)
    yield "oversized", "key-size", spki(1 << 20_000 | 1)


def curves() -> Iterator[tuple[str, str, bytes]]:
    """Other curves and algorithms, points off the curve, other spellings of a point."""
    for curve in (ec.SECP224R1(), ec.SECP256K1(), ec.BrainpoolP256R1(), ec.BrainpoolP384R1()):
        yield f"curve-{curve.name}", "key-type", info(ec.generate_private_key(curve))
    for name, kind in (("ed25519", ed25519.Ed25519PrivateKey), ("ed448", ed448.Ed448PrivateKey)):
        yield name, "key-type", info(kind.generate())
    yield "x25519", "key-type", info(x25519.X25519PrivateKey.generate())
    yield "dsa", "key-type", info(dsa.generate_private_key(2048))
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    good = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    point = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    algorithm = der.sequence(der.oid("1.2.840.10045.2.1"), der.oid("1.2.840.10045.3.1.7"))
    yield "compressed-point", "key-malformed", der.sequence(algorithm, der.tlv(der.BIT_STRING, b"\x00" + point))
    yield "off-curve", "key-malformed", good[:-1] + bytes((good[-1] ^ 1,))
    yield "infinity", "key-malformed", der.sequence(algorithm, der.tlv(der.BIT_STRING, b"\x00\x00"))


def info(key: object) -> bytes:
    """SubjectPublicKeyInfo of a private key's public half."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]


def sound() -> Iterator[tuple[str, bytes]]:
    """Keys that must pass, so that the gate is known to be open."""
    for bits in (2048, 2048, 2048, 3072, 4096):
        yield f"rsa-{bits}", info(rsa.generate_private_key(F4, bits))
    for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()):
        yield curve.name, info(ec.generate_private_key(curve))


FAMILIES = ("AC 2014", "AC 2018", "OT 2015", "OT 2016", "ID 2019", "ACe 2021", "ACx 2021")


def main() -> None:
    """Print the file."""
    groups = (roca, close_primes, small_factors, powers, sizes, exponents, spellings, curves)
    weak = [
        {"name": name, "code": code, "spki": base64.b64encode(key).decode()}
        for group in groups
        for name, code, key in group()
    ]
    good = [{"name": name, "spki": base64.b64encode(key).decode()} for name, key in sound()]
    old = [{"family": family, "spki": base64.b64encode(spki(prime(512) * prime(512))).decode()} for family in FAMILIES]
    print(json.dumps({"weak": weak, "sound": good, "old_cards": old}, indent=1))  # noqa: T201


if __name__ == "__main__":
    main()
