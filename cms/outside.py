"""What the CA publishes, read over HTTP at the addresses that stand in certificates: the register as relying party."""

from __future__ import annotations

import http.client
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from pki import relying
from pki.errors import BadSignature, MalformedInput, PkiError
from pki.relying import RevocationList

SECONDS = 10.0
LARGEST_LIST = 256 * 1024 * 1024
NONCE_OCTETS = 16
UNREACHABLE, MALFORMED, UNSIGNED, STALE, BACKWARDS, MISPLACED = (
    "unreachable", "malformed", "bad-signature", "stale", "number-back", "other-address",
)  # fmt: skip
"""What may be wrong with a publication as a whole; stands where otherwise a status stands."""
FAULTS = frozenset({UNREACHABLE, MALFORMED, UNSIGNED, STALE, BACKWARDS, MISPLACED})
MOST_FAILURES = 20


class Unreached(Exception):
    """Nothing, or nothing of use, came back from an address."""


class Wire(Protocol):
    """A way to the CA's public addresses. Both calls raise `Unreached` and nothing else."""

    def get(self, address: str) -> bytes:
        """Fetch what lies there."""
        ...

    def post(self, address: str, body: bytes, media_type: str) -> bytes:
        """Ask what lies there."""
        ...


class HttpWire:
    """HTTP with one connection kept for each server.

    `origin` is where the CA's addresses are reached from here; `as-issued` asks at the addresses themselves.
    """

    def __init__(self, origin: str | None = None) -> None:
        """Take the origin of the settings, which by default is the installation's own."""
        self._origin = origin or settings.CMS.status_origin or settings.BASE_URL
        self._lines: dict[tuple[str, str], http.client.HTTPConnection] = {}

    def get(self, address: str) -> bytes:
        """Fetch, once more where a kept connection was closed meanwhile."""
        return self._asked("GET", address, None, {})

    def post(self, address: str, body: bytes, media_type: str) -> bytes:
        """Ask; asking twice does no harm."""
        return self._asked("POST", address, body, {"Content-Type": media_type})

    def close(self) -> None:
        """Hang up."""
        for line in self._lines.values():
            line.close()
        self._lines.clear()

    def _asked(self, method: str, address: str, body: bytes | None, headers: Mapping[str, str]) -> bytes:
        target = self.served(address)
        key = (target.scheme, target.netloc)
        is_kept = key in self._lines
        try:
            return self._once(key, method, target, body, headers)
        except (OSError, http.client.HTTPException) as failure:
            line = self._lines.pop(key, None)
            if line is not None:
                line.close()
            if not is_kept:
                raise Unreached(type(failure).__name__) from failure
        return self._asked(method, address, body, headers)

    def _once(
        self, key: tuple[str, str], method: str, target: SplitResult, body: bytes | None, headers: Mapping[str, str]
    ) -> bytes:
        line = self._lines.get(key)
        if line is None:
            kind = http.client.HTTPSConnection if target.scheme == "https" else http.client.HTTPConnection
            line = self._lines[key] = kind(target.netloc, timeout=SECONDS)
        line.request(method, target.path or "/", body=body, headers=dict(headers))
        answer = line.getresponse()
        content = answer.read(LARGEST_LIST + 1)
        if len(content) > LARGEST_LIST:
            self._lines.pop(key).close()
            raise Unreached("too large")
        if answer.status != http.client.OK:
            raise Unreached(str(answer.status))
        return content

    def served(self, address: str) -> SplitResult:
        """Say where an address is reached; raises `Unreached` for what is no web address."""
        asked = urlsplit(address)
        if asked.scheme not in {"http", "https"} or not asked.netloc:
            raise Unreached("no web address")
        if self._origin == "as-issued":
            return asked
        origin = urlsplit(self._origin)
        return SplitResult(origin.scheme, origin.netloc, asked.path, asked.query, "")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A list as it came: the list, or what is wrong with it as a whole; a stale one is both, an absent one neither."""

    address: str
    issuer_key_id: str
    listing: RevocationList | None
    fault: str = ""


@dataclass(slots=True)
class Outside:
    """What can be read from outside at one instant; each list is fetched and read once."""

    wire: Wire
    at: datetime
    numbers: Mapping[str, int] = field(default_factory=dict)
    """Numbers of the lists at the check before: a list that goes backwards has been replayed."""
    lists: dict[str, Fetched] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    """How often each responder has given no sound answer: one that is away is not asked a million times."""

    def fetch(self, address: str, key_id: str, issuer: bytes, *, may_be_absent: bool = False) -> Fetched:
        """Fetch a list, if that was not done yet."""
        if address not in self.lists:
            listing, fault = self._read(address, issuer)
            is_absent = may_be_absent and fault == UNREACHABLE
            self.lists[address] = Fetched(address, key_id, listing, "" if is_absent else fault)
        return self.lists[address]

    def lists_of(self, key_id: str) -> list[Fetched]:
        """Lists of an issuer that were fetched and can be read."""
        return [each for each in self.lists.values() if each.listing is not None and each.issuer_key_id == key_id]

    def answered(self, responder: str, issuer: bytes, serial: int) -> str:
        """Ask the responder about a number, with a nonce: what it says, or what is wrong with its answer.

        Empty for a responder that has failed so often that it is not asked any more.
        """
        if self.failures[responder] >= MOST_FAILURES:
            return ""
        said = self._asked(responder, issuer, serial)
        self.failures[responder] += said in FAULTS
        return said

    def _asked(self, responder: str, issuer: bytes, serial: int) -> str:
        nonce = secrets.token_bytes(NONCE_OCTETS)
        try:
            encoded = self.wire.post(responder, relying.question(serial, issuer, nonce), "application/ocsp-request")
            answer = relying.read_answer(encoded, serial, issuer, nonce, at=self.at)
        except (Unreached, PkiError) as failure:
            return _fault(failure)
        return STALE if answer.is_stale(self.at) else answer.status.value

    def _read(self, address: str, issuer: bytes) -> tuple[RevocationList | None, str]:
        try:
            listing = relying.read_list(self.wire.get(address), issuer)
        except (Unreached, PkiError) as failure:
            return None, _fault(failure)
        if listing.points and address not in listing.points:
            return listing, MISPLACED
        if listing.number < self.numbers.get(address, 0):
            return listing, BACKWARDS
        return listing, STALE if listing.is_stale(self.at) else ""


def _fault(failure: Exception) -> str:
    if isinstance(failure, BadSignature):
        return UNSIGNED
    return MALFORMED if isinstance(failure, MalformedInput) else UNREACHABLE
