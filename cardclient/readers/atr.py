"""Answer to reset (ISO/IEC 7816-3 §8): where the historical bytes lie."""

from __future__ import annotations

LONGEST = 36  # bytes that PC/SC keeps of an ATR


def historical_bytes(atr: bytes) -> bytes:
    """Return the historical bytes; empty for an ATR that is cut off.

    T0 tells their number and which interface bytes follow; each TD tells which follow it (ISO/IEC 7816-3 §8.2).
    """
    if len(atr) < 2:
        return b""
    count, indicator, at = atr[1] & 0x0F, atr[1] >> 4, 2
    while indicator:
        at += indicator.bit_count()
        has_next = bool(indicator & 0x8)
        if at > len(atr):
            return b""
        indicator = atr[at - 1] >> 4 if has_next else 0
    told = atr[at : at + count]
    return told if len(told) == count else b""
