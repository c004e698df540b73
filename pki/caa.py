"""Whether a domain's owner lets us certify its mailboxes: CAA records with `issuemail` (RFC 8659, RFC 9495, SBR 4.2.2).

Asked right before signing. Everything that is not a clear answer refuses: a look-up that fails or does not validate
could hide the record that forbids.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

SHORTEST_REUSE = timedelta(hours=8)  # SBR 4.2.2.1: issue within the records' TTL or eight hours, whichever is longer
_CRITICAL = 0x80  # RFC 8659 §4.1
_KNOWN = frozenset({"issue", "issuewild", "issuemail", "iodef"})
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_PARAMETER = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9-]*[ \t]*=[ \t]*[!-~]*")
_LONGEST_LABEL = 63


@dataclass(frozen=True, slots=True, order=True)
class Record:
    """One CAA record as it stands in the DNS; resolvers give them in any order."""

    flags: int
    tag: str
    value: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a resolver says of one name. `failure` is a code, empty for an answer; no records is an answer too.

    `secure`: validated with DNSSEC up to the root's anchor. `bogus`: signed, and the signatures do not hold.
    """

    records: tuple[Record, ...] = ()
    secure: bool = False
    bogus: bool = False
    failure: str = ""
    ttl: int = 0


class Resolver(Protocol):
    """Whoever looks CAA records up and validates them with DNSSEC; it never raises for what happens on the way."""

    def caa(self, domain: str) -> Answer:
        """Look at this name alone, aliases followed; climbing is the caller's."""
        ...


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to issue, why (`code`), and what it rests on; to be kept with the order.

    `found_at` is the name whose records decided, or where the look-up failed; empty when no name up to the top has any.
    The decision holds until `expires_at`; `detail` is the resolver's own word for a failure. `caa-none`,
    `caa-not-for-mail` and `caa-issuer-named` allow; `caa-issuer-foreign`, `caa-critical-unknown`, `caa-bogus` and
    `caa-lookup-failed` refuse.
    """

    allowed: bool
    code: str
    domain: str
    found_at: str
    records: tuple[Record, ...]
    secure: bool
    expires_at: datetime
    detail: str = ""


def decide(domain: str, issuers: Collection[str], resolver: Resolver, *, at: datetime) -> Decision:
    """Look from the mailbox's domain upwards for the first name with CAA records, and obey them.

    `issuers` are the names by which records may call us. A look-up that fails is repeated once, then it refuses:
    whether an unsigned zone may be issued for in spite of it is a licence that SBR gives and we do not take.
    """
    is_secure = True
    for name in _upwards(domain.lower().rstrip(".")):
        answer = _asked(resolver, name)
        is_secure = is_secure and answer.secure
        verdict = _verdict(answer, {issuer.lower() for issuer in issuers})
        if verdict is not None:
            return _decision(verdict, domain, name, replace(answer, secure=is_secure), at)
    return _decision((True, "caa-none"), domain, "", Answer(secure=is_secure), at)


def _decision(verdict: tuple[bool, str], domain: str, found_at: str, answer: Answer, at: datetime) -> Decision:
    allowed, code = verdict
    until = at + max(timedelta(seconds=answer.ttl), SHORTEST_REUSE) if allowed else at
    return Decision(allowed, code, domain, found_at, answer.records, answer.secure, until, answer.failure)


def _verdict(answer: Answer, issuers: Collection[str]) -> tuple[bool, str] | None:
    """Judge what was said of one name; None when nothing was, so that the next one above is asked."""
    if answer.bogus:
        return False, "caa-bogus"
    if answer.failure:
        return False, "caa-lookup-failed"
    return _judged(answer.records, issuers) if answer.records else None


def _upwards(domain: str) -> Iterator[str]:
    """Names from the domain to its top-level domain; the root is never asked (RFC 8659 §3)."""
    labels = domain.split(".")
    for start in range(len(labels)):
        yield ".".join(labels[start:])


def _asked(resolver: Resolver, name: str) -> Answer:
    answer = resolver.caa(name)
    return resolver.caa(name) if answer.failure or answer.bogus else answer


def _judged(records: Collection[Record], issuers: Collection[str]) -> tuple[bool, str]:
    """Judge one set of records. `issue` and `issuewild` are about web sites and say nothing of mail (RFC 9495 §4)."""
    if any(record.flags & _CRITICAL and record.tag.lower() not in _KNOWN for record in records):
        return False, "caa-critical-unknown"
    named = [_issuer(record.value) for record in records if record.tag.lower() == "issuemail"]
    if not named:
        return True, "caa-not-for-mail"
    allowed = any(issuer in issuers for issuer in named)
    return allowed, "caa-issuer-named" if allowed else "caa-issuer-foreign"


def _issuer(value: str) -> str | None:
    """Read whom a property names (issuemail-value, RFC 9495 §3); None for nobody (`;`).

    What cannot be read names nobody either. Parameters must be well formed; their meaning is the issuer's own affair.
    """
    name, *parameters = (part.strip(" \t") for part in value.lower().split(";"))
    labels = name.split(".")
    if parameters == [""]:  # "issuer;"
        parameters = []
    is_name = all(len(label) <= _LONGEST_LABEL and _LABEL.fullmatch(label) for label in labels)
    return name if is_name and all(_PARAMETER.fullmatch(each) for each in parameters) else None
