"""The few DER encodings (X.690) that we write ourselves, where the library has no type for the structure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

SEQUENCE = 0x30
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
OBJECT_IDENTIFIER = 0x06
BOOLEAN_TRUE = b"\x01\x01\xff"
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
PRINTABLE_STRING = 0x13
IA5_STRING = 0x16

_LAST_UTC_TIME_YEAR = 2049  # RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050.
_SHORT_LENGTH = 0x80


Octets = bytes | memoryview


def tlv(tag: int, content: Octets) -> bytes:
    """Encode one tag, its length in the shortest form, and the content."""
    return b"".join((header(tag, len(content)), content))


def header(tag: int, size: int) -> bytes:
    """Encode one tag and the length of its content in the shortest form."""
    if size < _SHORT_LENGTH:
        return bytes((tag, size))
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, _SHORT_LENGTH | len(octets))) + octets


def sequence(*parts: Octets) -> bytes:
    """Encode a SEQUENCE of parts that are DER already; it copies them once, since they may be a million entries."""
    return b"".join((header(SEQUENCE, sum(map(len, parts))), *parts))


def sequence_of(parts: Iterable[bytes]) -> bytes:
    """Encode a SEQUENCE OF parts that are DER already; for long lists."""
    return tlv(SEQUENCE, b"".join(parts))


def integer(value: int) -> bytes:
    """Encode a non-negative INTEGER in its shortest form."""
    return tlv(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(dotted: str) -> bytes:
    """Encode an OBJECT IDENTIFIER."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return tlv(OBJECT_IDENTIFIER, b"".join(_base_128(arc) for arc in (first * 40 + second, *rest)))


def _base_128(arc: int) -> bytes:
    octets = [arc & 0x7F]
    while arc := arc >> 7:
        octets.append(arc & 0x7F | 0x80)
    return bytes(reversed(octets))


def generalized_time(instant: datetime) -> bytes:
    """Encode an aware instant as GeneralizedTime, UTC, whole seconds."""
    return tlv(GENERALIZED_TIME, instant.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode())


def time(instant: datetime) -> bytes:
    """Encode an aware instant as RFC 5280 `Time`: UTCTime through 2049, GeneralizedTime after."""
    utc = instant.astimezone(UTC)
    if utc.year > _LAST_UTC_TIME_YEAR:
        return generalized_time(utc)
    return tlv(UTC_TIME, utc.strftime("%y%m%d%H%M%SZ").encode())


def extension(dotted: str, value: bytes, *, critical: bool = False) -> bytes:
    """Encode one X.509 Extension (RFC 5280 §4.2); `critical` is written only when true, as DER wants."""
    return sequence(oid(dotted), BOOLEAN_TRUE if critical else b"", tlv(OCTET_STRING, value))


def read(data: Octets, offset: int, end: int) -> tuple[int, int, int]:
    """Read one tag and length at `offset`; give the tag, where the content starts, where it ends.

    `ValueError` for lengths that are not DER or reach beyond `end`. One-octet tags only.
    """
    if offset + 2 > end:
        raise ValueError("no room for tag and length")
    tag, size, start = data[offset], data[offset + 1], offset + 2
    if size >= _SHORT_LENGTH:
        octets = size & 0x7F
        start += octets
        size = int.from_bytes(data[offset + 2 : start], "big")
        if not octets or start > end or size < _SHORT_LENGTH or size >> 8 * (octets - 1) == 0:
            raise ValueError("not the shortest form of a length")
    if start + size > end:
        raise ValueError("content reaches beyond its container")
    return tag, start, start + size
