"""Known weaknesses of an RSA modulus, told from the modulus alone (CA/B S/MIME BR 6.1.1.3, 6.1.6).

Not told: a modulus that is itself prime (one exponentiation in Python costs more than all of this together, and nobody
but its maker is harmed), and primes shared with other moduli (a question to the whole register, not to one key).
"""

from __future__ import annotations

import functools
import itertools
import math

FERMAT_ROUNDS = 100  # SBR 6.1.1.3 (4)
SMALLEST_FACTOR = 752  # SBR 6.1.6: no factors smaller than this
_ROCA_LARGEST_PRIME = 167  # Nemec et al., CCS 2017: the fingerprint that tells keys of every size apart
_ROCA_GENERATOR = 65537
_FILTERS_PER_EXPONENT = 3


def _primes_below(limit: int) -> tuple[int, ...]:
    sieve = bytearray(b"\x01") * limit
    for number in range(2, math.isqrt(limit) + 1):
        if sieve[number]:
            sieve[number * number :: number] = bytes(len(range(number * number, limit, number)))
    return tuple(number for number in range(2, limit) if sieve[number])


_SMALL_PRIMES = _primes_below(SMALLEST_FACTOR)
_SMALL_PRIMES_PRODUCT = math.prod(_SMALL_PRIMES)


def _powers(generator: int, prime: int) -> frozenset[int]:
    powers, value = {1}, generator % prime
    while value not in powers:
        powers.add(value)
        value = value * generator % prime
    return frozenset(powers)


_ROCA_RESIDUES = tuple(
    (prime, _powers(_ROCA_GENERATOR, prime)) for prime in _SMALL_PRIMES if 2 < prime <= _ROCA_LARGEST_PRIME
)


def has_roca_form(modulus: int) -> bool:
    """Tell keys of the faulty Infineon library (CVE-2017-15361): the modulus is a power of 65537 modulo small primes.

    A sound key is taken for one with a chance below 2^-27.
    """
    return all(modulus % prime in residues for prime, residues in _ROCA_RESIDUES)


def has_small_factor(modulus: int) -> bool:
    """Tell a modulus with a prime factor below `SMALLEST_FACTOR`."""
    return math.gcd(modulus, _SMALL_PRIMES_PRODUCT) > 1


def has_close_primes(modulus: int) -> bool:
    """Tell a modulus that Fermat's method factors within `FERMAT_ROUNDS` rounds."""
    root = math.isqrt(modulus)
    first = root if root * root == modulus else root + 1
    return any(_is_square(a * a - modulus) for a in range(first, first + FERMAT_ROUNDS))


def _is_square(number: int) -> bool:
    # Only 12 of 64 residues are squares: spares four of five square roots.
    return number & 63 in _SQUARES_MODULO_64 and math.isqrt(number) ** 2 == number


_SQUARES_MODULO_64 = frozenset(number * number & 63 for number in range(64))


def is_perfect_power(modulus: int) -> bool:
    """Tell p^k with k > 1, whatever p is. Meant for moduli without small factors: k stays small then."""
    largest_exponent = modulus.bit_length() // (SMALLEST_FACTOR.bit_length() - 1)
    exponents = itertools.takewhile(lambda exponent: exponent <= largest_exponent, _SMALL_PRIMES)
    return any(_may_be_power(modulus, exponent) and _is_power(modulus, exponent) for exponent in exponents)


@functools.cache
def _filters(exponent: int) -> tuple[int, ...]:
    """Primes q = 1 modulo the exponent: few residues modulo q are powers, so most numbers need no root."""
    candidates = (q for q in itertools.count(2 * exponent + 1, 2 * exponent) if _is_prime(q))
    return tuple(itertools.islice(candidates, _FILTERS_PER_EXPONENT))


def _is_prime(number: int) -> bool:
    return all(number % divisor for divisor in range(2, math.isqrt(number) + 1))


def _may_be_power(number: int, exponent: int) -> bool:
    return all(pow(number, (q - 1) // exponent, q) in {0, 1} for q in _filters(exponent))


def _is_power(number: int, exponent: int) -> bool:
    low, high = 1, 1 << (number.bit_length() // exponent + 1)
    while low < high:  # the root by halving: reached by one key in a million
        middle = (low + high) // 2
        if middle**exponent < number:
            low = middle + 1
        else:
            high = middle
    power: int = low**exponent
    return power == number
