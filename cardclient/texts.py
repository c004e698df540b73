"""The three texts an old or new key signs outside the form, read strictly: the client is nobody's signing oracle.

Every text is ASCII, begins with its own label, names host, nonce, card and case, and each line ends with one line feed.
Whatever differs in a single byte is refused with `Distrusted("text-refused")` before a key is touched.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from cardclient.contract import Challenge, Slot
from cardclient.errors import Distrusted

LOGIN = "Sigillo enrollment login v1"
KEYS = "Sigillo enrollment keys v1"
INSTALLATION = "Sigillo enrollment installation v1"

# The server promises five minutes. A day leaves room for a wrong clock here, and still refuses a proof that never ends.
LONGEST_LIFE = timedelta(days=1)

HOST = re.compile(r"[a-z0-9.\-\[\]:]{1,255}")
SERIAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._\-]{0,63}")
CASE_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-]{0,39}")
NONCE = re.compile(r"[0-9a-f]{64}")
INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")


def refused() -> Distrusted:
    """Build the one refusal of this module."""
    return Distrusted("text-refused")


def require_login_text(challenge: Challenge, *, host: str, card: str, now: datetime) -> bytes:
    """Return the bytes to sign if the challenge is a login text for this host and card, else raise Distrusted.

    `now` only bounds the life of the proof; an expiry in the past is the server's business (this clock may be wrong).
    """
    lines = _lines(challenge.text)
    if len(lines) != 6 or lines[0] != LOGIN:
        raise refused()
    _require(lines[1], "host", host, HOST)
    _value(lines[2], "nonce", NONCE)
    _require(lines[3], "card", card, SERIAL)
    if lines[4] != "case: -":
        _value(lines[4], "case", CASE_CODE)
    expires = _instant(_value(lines[5], "expires", INSTANT))
    if expires != challenge.expires_at.replace(microsecond=0) or expires > now + LONGEST_LIFE:
        raise refused()
    return challenge.text.encode("ascii")


def require_installation_text(
    challenge: Challenge, *, host: str, card: str, case: str, certificates: Mapping[Slot, bytes]
) -> bytes:
    """Return the bytes to sign if the challenge names exactly the certificates written on this card, else raise."""
    lines = _lines(challenge.text)
    if len(lines) < 3:
        raise refused()
    nonce = _value(lines[2], "nonce", NONCE)
    expected = _compose(INSTALLATION, host, nonce, card, case, certificates)
    if challenge.text != expected:
        raise refused()
    return expected.encode("ascii")


def keys_text(*, host: str, nonce: str, card: str, case: str, public_keys: Mapping[Slot, bytes]) -> bytes:
    """Compose the text that binds the new public keys (SubjectPublicKeyInfo DER) to the old login key.

    The client writes this one itself, so the server can have nothing else signed under its name.
    """
    return _compose(KEYS, host, nonce, card, case, public_keys).encode("ascii")


def require_case_names(*, host: str, nonce: str, card: str, case: str) -> None:
    """Refuse a case whose host, nonce, card or code could smuggle other lines into a text."""
    for value, shape in ((host, HOST), (nonce, NONCE), (card, SERIAL), (case, CASE_CODE)):
        if not shape.fullmatch(value):
            raise refused()


def _compose(label: str, host: str, nonce: str, card: str, case: str, things: Mapping[Slot, bytes]) -> str:
    require_case_names(host=host, nonce=nonce, card=card, case=case)
    lines = [label, f"host: {host}", f"nonce: {nonce}", f"card: {card}", f"case: {case}"]
    lines += [f"{slot}: {hashlib.sha256(things[slot]).hexdigest()}" for slot in Slot if slot in things]
    return "".join(f"{line}\n" for line in lines)


def _lines(text: str) -> list[str]:
    if not text.isascii() or not text.endswith("\n") or any(sign < " " for sign in text if sign != "\n"):
        raise refused()
    return text[:-1].split("\n")


def _value(line: str, name: str, shape: re.Pattern[str]) -> str:
    value = line.removeprefix(f"{name}: ")
    if value == line or not shape.fullmatch(value):
        raise refused()
    return value


def _require(line: str, name: str, expected: str, shape: re.Pattern[str]) -> None:
    if _value(line, name, shape) != expected:
        raise refused()


def _instant(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise refused() from None
