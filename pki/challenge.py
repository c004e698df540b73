"""The texts that a card signs during enrolment, and the check of its signature.

Each text starts with a fixed domain label, so that no signature made for one step serves another, and so that a
challenge can never be the digest of a document. The parts are plain printable words: nothing can smuggle in a line.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from pki.errors import MalformedInput
from pki.signatures import require_signed

AUTHENTICATION, SIGNATURE = "authentication", "signature"
SLOTS = (AUTHENTICATION, SIGNATURE)
_NONCE = re.compile(r"[0-9a-f]{64}")
_WORD = re.compile(r"[!-~]{1,255}")


def new_nonce() -> str:
    """Make 32 random bytes, as 64 hexadecimal digits."""
    return secrets.token_hex(32)


def login_text(*, host: str, nonce: str, card: str, case: str | None, expires_at: datetime) -> str:
    """Text that the old key signs to open a session; `case` is None while the client knows of none."""
    expires = expires_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return _text("login", host, nonce, card, case or "-", [("expires", expires)])


def keys_text(*, host: str, nonce: str, card: str, case: str, keys: Mapping[str, bytes]) -> str:
    """Text by which the old key vouches for the new ones. `keys`: SubjectPublicKeyInfo (DER) per slot."""
    return _text("keys", host, nonce, card, case, _digests(keys))


def installation_text(*, host: str, nonce: str, card: str, case: str, certificates: Mapping[str, bytes]) -> str:
    """Text that each new key signs once its certificate lies on the card. `certificates`: DER per slot."""
    return _text("installation", host, nonce, card, case, _digests(certificates))


def require_signature(spki_der: bytes, text: str, signature: bytes) -> None:
    """Verify a card's signature over a text. `BadSignature`; `MalformedInput` for an unreadable key or text.

    No algorithm is taken from the caller; see `pki.signatures`.
    """
    if not text.isascii():
        raise MalformedInput("not a text of ours", code="challenge-malformed")
    require_signed(spki_der, text.encode("ascii"), signature)


def _text(step: str, host: str, nonce: str, card: str, case: str, lines: Iterable[tuple[str, str]]) -> str:
    if not _NONCE.fullmatch(nonce) or not all(_WORD.fullmatch(word) for word in (host, card, case)):
        raise MalformedInput("a part of the text is empty, too long or not printable ASCII", code="challenge-malformed")
    head = [("host", host), ("nonce", nonce), ("card", card), ("case", case)]
    return f"Sigillo enrollment {step} v1\n" + "".join(f"{name}: {value}\n" for name, value in [*head, *lines])


def _digests(parts: Mapping[str, bytes]) -> list[tuple[str, str]]:
    if not parts or not parts.keys() <= set(SLOTS):
        raise MalformedInput("no slot, or one that no card has", code="challenge-malformed")
    return [(slot, hashlib.sha256(parts[slot]).hexdigest()) for slot in SLOTS if slot in parts]
