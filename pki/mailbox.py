"""Addresses that an S/MIME certificate of ours may carry: ASCII, one mailbox, a domain that the public DNS can have.

The local part is a dot-atom (RFC 5321 §4.1.2) and keeps its case, because only its host may read it otherwise; quoted
local parts and address literals exist on paper only, and each is a way to smuggle something past a reader.
"""

from __future__ import annotations

import re

from pki.errors import MalformedInput

LONGEST_LOCAL_PART = 64  # RFC 5321 §4.5.3.1.1
LONGEST_MAILBOX = 254  # RFC 5321 §4.5.3.1.3, without the angle brackets of a path
LONGEST_DOMAIN = 253  # RFC 1035 §2.3.4, as written without the final dot
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_ENCODED_LABEL = re.compile(r"(^|\.)[a-z0-9]{2}--")  # A-labels, and the rest of what RFC 5891 §4.2.3.1 reserves
# Names that never resolve in the public DNS: RFC 6761, RFC 6762, RFC 7686, and ICANN's choice for private use.
_PRIVATE = frozenset({"local", "localhost", "internal", "invalid", "test", "example", "onion", "lan", "home", "corp"})


def require_ascii_mailbox(text: str) -> str:
    """Give the mailbox with its domain in small letters, ready to be stored, mailed to and certified.

    `MalformedInput`: `mailbox-not-ascii` for any other character and for an internationalised domain in its encoded
    form (`xn--`), whose reader sees something else than he types; `mailbox-malformed` for all that is no mailbox.
    """
    if not text.isascii():
        raise MalformedInput("a mailbox outside ASCII", code="mailbox-not-ascii")
    local_part, separator, domain = text.rpartition("@")
    domain = domain.lower()
    if not separator or len(text) > LONGEST_MAILBOX or not _is_local_part(local_part) or not _is_public(domain):
        raise MalformedInput("not a mailbox", code="mailbox-malformed")
    if _ENCODED_LABEL.search(domain):
        raise MalformedInput("an internationalised domain", code="mailbox-not-ascii")
    return f"{local_part}@{domain}"


def domain_of(mailbox: str) -> str:
    """Give the domain of a mailbox that `require_ascii_mailbox` has returned."""
    return mailbox.rpartition("@")[2]


def _is_local_part(text: str) -> bool:
    return len(text) <= LONGEST_LOCAL_PART and _LOCAL_PART.fullmatch(text) is not None


def _is_public(domain: str) -> bool:
    """Whether a domain has two labels or more, each of letters, digits and inner hyphens, under a public name."""
    labels = domain.split(".")
    top = labels[-1]
    return (
        len(domain) <= LONGEST_DOMAIN
        and len(labels) > 1
        and all(_LABEL.fullmatch(label) for label in labels)
        and not top.isdigit()
        and top not in _PRIVATE
    )
