"""One-time codes of the demo operator, as an authenticator app computes them (RFC 6238: SHA-1, 30 s, 6 digits)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from datetime import datetime

PERIOD_SECONDS = 30
DIGITS = 6


def code_at(secret: str, at: datetime) -> str:
    """Return the code of the Base32 `secret` for this instant."""
    counter = struct.pack(">Q", int(at.timestamp()) // PERIOD_SECONDS)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    offset = digest[-1] & 0xF
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def seconds_left(at: datetime) -> int:
    """Return for how many seconds the code of this instant is shown."""
    return PERIOD_SECONDS - int(at.timestamp()) % PERIOD_SECONDS
