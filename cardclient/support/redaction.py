"""The second fence of log and report: whatever looks like a secret or names a person is masked before it is written.

The first fence is that nothing of the kind is ever given to the log. This one survives a library's message, a driver's
text or an exception that repeats what it was given.
"""

from __future__ import annotations

import re

HIDDEN = "[…]"

# A tax code names one person (DM 23/12/1976): letters may stand for its digits where two people would share one.
TAX_CODE = re.compile(
    r"(?<![A-Z0-9])[A-Z]{6}[0-9LMNPQRSTUV]{2}[A-EHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z](?![A-Z0-9])",
    re.IGNORECASE,
)
PEM = re.compile(r"-----BEGIN [^-\n]+-----.*?(?:-----END [^-\n]+-----|\Z)", re.DOTALL)
BEARER = re.compile(r"\b(?P<name>bearer|basic|ntlm|negotiate)\s+[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE)
NAMED = re.compile(
    r"(?P<name>\b(?:[a-z0-9]+[_-]){0,4}"
    r"(?:password|passwd|pwd|passphrase|secret|token|authorization|pin|puk|codice utente)\b"
    r"[\"']?\s{0,3}(?:[:=]|è)\s{0,3}[\"']?)(?P<value>[^\s\"',;}]+)",
    re.IGNORECASE,
)
# `https://name:password@proxy` and `name:password@proxy`: the login goes, the host stays.
LOGIN = re.compile(r"(?P<name>//|\b)[^\s/@:\"']{1,128}:[^\s/@\"']{1,128}@(?=[\w\[])")
MAILBOX = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,128}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
# Parts of a certificate's subject (RFC 4514) that name a person.
SUBJECT = re.compile(
    r"(?P<name>\b(?:CN|GN|SN|givenName|surname|serialNumber|commonName|dnQualifier|emailAddress)=)(?:\\.|[^,+/;\\\n])+"
)
# Long runs of mixed letters and digits are tokens or keys; digests, ATRs and serials are hexadecimal in one case.
TOKEN = re.compile(r"(?<![\w/+.-])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*\d)[\w-]{32,}(?![\w/+-])")
# A bare number of 5 to 8 digits may be a PIN or PUK; one inside a date, version, address, code or file is not bare.
CODE = re.compile(r"(?<![\w.:/+-])\d{5,8}(?![\w:/%-]|\.\d)")
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")

_MASKS = (
    (PEM, HIDDEN),
    (TAX_CODE, HIDDEN),
    (BEARER, rf"\g<name> {HIDDEN}"),
    (NAMED, rf"\g<name>{HIDDEN}"),
    (LOGIN, rf"\g<name>{HIDDEN}@"),
    (MAILBOX, HIDDEN),
    (SUBJECT, rf"\g<name>{HIDDEN}"),
    (TOKEN, HIDDEN),
    (CODE, HIDDEN),
)


def redacted(text: str) -> str:
    """Return the text as it may be written: masked, and without marks that cannot be seen or turn the line around.

    Every pattern is bounded, so a hostile text costs time in proportion to its length only.
    """
    said = UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    for pattern, mask in _MASKS:
        said = pattern.sub(mask, said)
    return said
