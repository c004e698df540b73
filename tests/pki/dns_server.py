"""A validating resolver for tests: it answers CAA questions over UDP and TCP out of a table.

It validates nothing; it says of each name what a validating resolver would, in the weather that the table describes.
"""

from __future__ import annotations

import contextlib
import socketserver
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

TTL = 300
_MOST_UDP = 512


@dataclass(slots=True)
class Zones:
    """What the world's DNS holds. A name that is nowhere does not exist, in a signed zone.

    `caa` gives records by name as a zone file writes them (`0 issuemail "example.org"`), `aliases` CNAMEs. Of the
    other sets of names: `unsigned` have no DNSSEC, `bogus` signatures that do not hold, `failing` servers that fail,
    `silent` none at all. `validates` is False for a resolver that passes everything on unchecked.
    """

    caa: dict[str, list[str]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    unsigned: set[str] = field(default_factory=set)
    bogus: set[str] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    validates: bool = True
    ttl: int = TTL
    asked: list[str] = field(default_factory=list)


@contextlib.contextmanager
def serving(zones: Zones, host: str = "127.0.0.1") -> Iterator[str]:
    """Answer out of the table, which may change meanwhile; gives the address as `host:port`."""

    class Datagrams(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, socket = self.request
            answer = _answer(zones, wire, most=_MOST_UDP)
            if answer is not None:
                socket.sendto(answer, self.client_address)

    class Streams(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            head = self.request.recv(2)
            if len(head) == 2:
                answer = _answer(zones, self.request.recv(struct.unpack("!H", head)[0]), most=1 << 16)
                if answer is not None:
                    self.request.sendall(struct.pack("!H", len(answer)) + answer)

    with socketserver.ThreadingUDPServer((host, 0), Datagrams) as udp:
        port = udp.server_address[1]
        with _Streams((host, port), Streams) as tcp, _threads(udp, tcp):
            yield f"{host}:{port}"


class _Streams(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextlib.contextmanager
def _threads(*servers: socketserver.BaseServer) -> Iterator[None]:
    threads = [threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for server in servers:
            server.shutdown()
        for thread in threads:
            thread.join()


def _answer(zones: Zones, wire: bytes, *, most: int) -> bytes | None:
    query = dns.message.from_wire(wire)
    name = query.question[0].name
    text = name.to_text(omit_final_dot=True).lower()
    zones.asked.append(text)
    if text in zones.silent:
        return None
    response = dns.message.make_response(query, recursion_available=True)
    if text in zones.failing or (text in zones.bogus and zones.validates and not query.flags & dns.flags.CD):
        response.set_rcode(dns.rcode.SERVFAIL)
    else:
        _fill(zones, response, name, text)
    try:
        return response.to_wire(max_size=most)
    except dns.exception.TooBig:
        return _truncated(query)


def _fill(zones: Zones, response: dns.message.Message, name: dns.name.Name, text: str) -> None:
    """Put in what the name has, an alias before its target, and the word that it was validated."""
    target = zones.aliases.get(text, text)
    if target != text:
        response.answer.append(
            dns.rrset.from_text(name, zones.ttl, dns.rdataclass.IN, dns.rdatatype.CNAME, f"{target}.")
        )
    records = zones.caa.get(target)
    if records:
        response.answer.append(
            dns.rrset.from_text(f"{target}.", zones.ttl, dns.rdataclass.IN, dns.rdatatype.CAA, *records)
        )
    elif target == text and name != dns.name.root:
        response.set_rcode(dns.rcode.NXDOMAIN)
    if zones.validates and not {text, target} & zones.unsigned:
        response.flags |= dns.flags.AD


def _truncated(query: dns.message.Message) -> bytes:
    response = dns.message.make_response(query, recursion_available=True)
    response.flags |= dns.flags.TC
    return response.to_wire()
