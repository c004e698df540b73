"""RSA-2048 keys by the thousand: many pairs of few primes.

Making an RSA-2048 key takes 50 ms, a benchmark wants four for each card, and a server does not see the difference. Such
keys share their factors with others, so they are worth nothing outside a benchmark.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric import rsa

EXPONENT, BITS = 65537, 2048


def minted(number: int) -> Iterator[rsa.RSAPrivateKey]:
    """Yield `number` different keys."""
    primes: list[int] = []
    while len(primes) * (len(primes) - 1) // 2 < number:
        made = rsa.generate_private_key(EXPONENT, BITS).private_numbers()
        primes += [made.p, made.q]
    for p, q in itertools.islice(itertools.combinations(primes, 2), number):
        yield _key(p, q)


def _key(p: int, q: int) -> rsa.RSAPrivateKey:
    p, q = max(p, q), min(p, q)
    d = pow(EXPONENT, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=rsa.rsa_crt_dmp1(d, p),
        dmq1=rsa.rsa_crt_dmq1(d, q),
        iqmp=rsa.rsa_crt_iqmp(p, q),
        public_numbers=rsa.RSAPublicNumbers(EXPONENT, p * q),
    )
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)
