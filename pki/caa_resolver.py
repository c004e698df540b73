"""CAA look-ups through a resolver that validates DNSSEC and says so with the AD bit (RFC 4035 §3.2.3, RFC 6840 §5.8).

The bit is worth what the path is: the resolver runs on this host or on a network of ours. A resolver that does not
validate never sets it, which would make every zone look unsigned; so an answer without the bit counts only from a
resolver that has just shown it for the root, which is signed for sure.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver

from pki.caa import Answer, Record

TIMEOUT_SECONDS = 5.0
_PORT = 53
_PAYLOAD = 1232  # DNS flag day 2020: what passes without fragments; longer answers come over TCP
_ANSWERS = (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
_FAILURES = (dns.exception.DNSException, OSError, EOFError, ValueError)


class ValidatingResolver:
    """Asks the given servers in turn, the next one when one does not answer."""

    def __init__(self, servers: Sequence[tuple[str, int]], *, timeout: float = TIMEOUT_SECONDS) -> None:
        """Take addresses with ports, and how many seconds one question may last."""
        self.servers, self._timeout = tuple(servers), timeout

    def caa(self, domain: str) -> Answer:
        """See the port."""
        answer = Answer(failure="no-server")
        for server in self.servers:
            try:
                answer = self._caa(server, dns.name.from_text(domain))
            except _FAILURES as failure:
                answer = Answer(failure=f"unreachable {type(failure).__name__}")
            if answer.bogus or not answer.failure:
                return answer
        return answer

    def _caa(self, server: tuple[str, int], name: dns.name.Name) -> Answer:
        response = self._asked(server, name, dns.rdatatype.CAA)
        if response.rcode() not in _ANSWERS:
            return self._failed(server, name, response)
        found = response.resolve_chaining()
        records = tuple(sorted(_record(data) for data in found.answer or ()))
        is_secure = bool(response.flags & dns.flags.AD)
        if not is_secure and not self._validates(server):
            return Answer(failure="resolver-not-validating")
        return Answer(records, secure=is_secure, ttl=found.minimum_ttl)

    def _failed(self, server: tuple[str, int], name: dns.name.Name, response: dns.message.QueryMessage) -> Answer:
        """Tell a zone whose signatures do not hold, which is readable once nobody checks, from one that is down."""
        if response.rcode() == dns.rcode.SERVFAIL:
            unchecked = self._asked(server, name, dns.rdatatype.CAA, dns.flags.CD)
            if unchecked.rcode() in _ANSWERS:
                return Answer(bogus=True, failure="bogus")
        return Answer(failure=dns.rcode.to_text(response.rcode()).lower())

    def _validates(self, server: tuple[str, int]) -> bool:
        response = self._asked(server, dns.name.root, dns.rdatatype.SOA)
        return response.rcode() == dns.rcode.NOERROR and bool(response.flags & dns.flags.AD)

    def _asked(
        self, server: tuple[str, int], name: dns.name.Name, kind: dns.rdatatype.RdataType, flags: int = 0
    ) -> dns.message.QueryMessage:
        query = dns.message.make_query(name, kind, want_dnssec=True, payload=_PAYLOAD)
        query.flags |= dns.flags.AD | flags
        host, port = server
        response, _ = dns.query.udp_with_fallback(query, host, timeout=self._timeout, port=port, ignore_unexpected=True)
        if not isinstance(response, dns.message.QueryMessage):
            raise dns.exception.FormError
        return response


def resolver_at(text: str) -> ValidatingResolver:
    """Give the resolver at an address (`127.0.0.1`, `127.0.0.1:5353`, `[::1]:53`); empty: those of the system.

    `ValueError` for a name instead of an address: resolving it would need a resolver that nobody has validated.
    """
    if not text:
        return ValidatingResolver(_of_system())
    parts = urlsplit(f"//{text}")
    return ValidatingResolver([(str(ipaddress.ip_address(parts.hostname or "")), parts.port or _PORT)])


def _of_system() -> list[tuple[str, int]]:
    try:
        found = dns.resolver.Resolver().nameservers
    except dns.exception.DNSException:
        return []
    return [(server, _PORT) for server in found if isinstance(server, str)]


def _record(data: object) -> Record:
    flags, tag, value = (getattr(data, name) for name in ("flags", "tag", "value"))
    return Record(flags, tag.decode("ascii", "replace"), value.decode("utf-8", "replace"))
