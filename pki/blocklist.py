"""Keys that must never be certified: compromised, published, or from a broken generator (SBR 6.1.1.3)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_SPKI_DIGITS = 64
_DEBIAN_DIGITS = 20


@dataclass(frozen=True, slots=True)
class BlockList:
    """A set of fingerprints: SHA-256 of the SubjectPublicKeyInfo, and for RSA those of Debian's `openssl-blacklist`."""

    fingerprints: frozenset[bytes] = frozenset()

    @classmethod
    def read(cls, *files: Path) -> Self:
        """Read files of one hexadecimal fingerprint a line (64 or 20 digits); `#` starts a comment.

        `ValueError` names file and line of anything else, because half a block list is worse than a refusal to start.
        """
        return cls(frozenset(fingerprint for file in files for fingerprint in _read(file)))

    def holds(self, spki_der: bytes, modulus: int | None) -> bool:
        """Tell whether this key is listed; `modulus` is None for keys other than RSA."""
        if hashlib.sha256(spki_der).digest() in self.fingerprints:
            return True
        return modulus is not None and debian_fingerprint(modulus) in self.fingerprints


def debian_fingerprint(modulus: int) -> bytes:
    """Last ten bytes of SHA-1 over `Modulus=<HEX>` and a newline, the form of Debian's lists (CVE-2008-0166)."""
    line = f"Modulus={modulus:X}\n".encode()
    return hashlib.sha1(line, usedforsecurity=False).digest()[-_DEBIAN_DIGITS // 2 :]


def _read(file: Path) -> Iterable[bytes]:
    with file.open(encoding="ascii") as lines:
        for number, line in enumerate(lines, start=1):
            digits = line.partition("#")[0].strip()
            if not digits:
                continue
            if len(digits) not in {_SPKI_DIGITS, _DEBIAN_DIGITS}:
                msg = f"{file.name}, line {number}: no fingerprint of 64 or 20 hexadecimal digits"
                raise ValueError(msg)
            yield bytes.fromhex(digits)
