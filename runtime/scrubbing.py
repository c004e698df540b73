"""What must not stand in clear in a log or a report: tax codes, credentials, codes of cards beside their names."""

from __future__ import annotations

import re

HIDDEN = "[hidden]"

# A tax code names one person (DPR 605/1973): sixteen characters, letters standing in for digits included.
TAX_CODE = re.compile(
    r"\b[A-Z]{6}[0-9LMNPQRSTUV]{2}[A-EHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]\b", re.IGNORECASE
)
# The value of a mailed link (256 bits, base64url) in an address: whoever reads the log could follow it.
_LINK = re.compile(r"(?<=/)[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")
BEARER = re.compile(r"\b(bearer|basic)\s+[^\s\"',]+", re.IGNORECASE)
# What a stranger sends is matched as well: every repetition below has an end, so that a hostile text costs time in
# proportion to its length only (without it, 15 kB of `a-` took seven seconds).
# Codes of cards are digits, and people write them in sentences: `pin=12345`, `il PIN della carta è 12345`.
_CARD_CODE = re.compile(
    r"(?P<name>\b(?:[a-z0-9]{1,32}_){0,4}(?:pin|puk)\b[^\n\d]{0,24})(?<!\d)\d{4,16}(?!\d)", re.IGNORECASE
)
_NAMED = re.compile(
    r"(?P<name>\b(?:[a-z0-9]{1,32}[_-]){0,4}(?:password|passwd|passphrase|secret|token|user[_-]?code|codice utente)\b"
    r"[\"']?\s{0,8}(?:[:=]|è|is)\s{0,8}[\"']?)(?P<value>[^\s\"',;}]+)",
    re.IGNORECASE,
)
# What reads like a bearer token or a key; a digest or an ATR is hexadecimal and stays.
_TOKEN = re.compile(r"(?<![\w/+-])(?=[\w-]*[g-zG-Z_-])(?=[\w-]*\d)[A-Za-z0-9_-]{40,}(?![\w/+-])")
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]")


def scrub_text(text: str) -> str:
    """Take tax codes, credentials and values of mailed links out of a free text."""
    return _LINK.sub(HIDDEN, BEARER.sub(rf"\1 {HIDDEN}", TAX_CODE.sub(HIDDEN, text)))


def seen(text: str) -> str:
    """Leave of a text what a reader sees: no control characters, no marks of direction; lines end with a line feed."""
    return _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def scrub_report(text: str) -> str:
    """Take more out of what a stranger sent: what stands beside the name of a secret, looks like one, or is unseen."""
    said = _CARD_CODE.sub(rf"\g<name>{HIDDEN}", scrub_text(seen(text)))
    return _TOKEN.sub(HIDDEN, _NAMED.sub(rf"\g<name>{HIDDEN}", said))
