"""A stand-in of a validating resolver: knows no record but those it was given, and calls every answer authentic."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Mapping
from typing import Any, Self

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset

TTL = 300


def answer(wire: bytes, records: Mapping[str, tuple[str, ...]]) -> bytes:
    """Answer one question. `records`: texts of CAA by name, such as `{"example.org.": ('0 issuemail ";"',)}`."""
    asked = dns.message.from_wire(wire)
    reply = dns.message.make_response(asked, recursion_available=True)
    reply.flags |= dns.flags.AD
    question = asked.question[0]
    name = question.name.to_text().lower()
    if question.rdtype == dns.rdatatype.CAA and name in records:
        reply.answer.append(dns.rrset.from_text(question.name, TTL, "IN", "CAA", *records[name]))
    else:
        said = "ns.example.org. nobody.example.org. 1 3600 600 86400 300"
        reply.authority.append(dns.rrset.from_text("example.org.", TTL, "IN", "SOA", said))
    return reply.to_wire()


class _Datagram(socketserver.BaseRequestHandler):
    server: _Udp

    def handle(self) -> None:
        wire, line = self.request
        line.sendto(answer(wire, self.server.records), self.client_address)


class _Stream(socketserver.StreamRequestHandler):
    server: _Tcp

    def handle(self) -> None:
        (size,) = struct.unpack("!H", self.rfile.read(2))
        told = answer(self.rfile.read(size), self.server.records)
        self.wfile.write(struct.pack("!H", len(told)) + told)


class _Udp(socketserver.ThreadingUDPServer):
    daemon_threads = True
    records: Mapping[str, tuple[str, ...]]


class _Tcp(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    records: Mapping[str, tuple[str, ...]]


class Resolver:
    """The stand-in over UDP and TCP on one port; as a context it serves in threads of this process."""

    def __init__(self, port: int = 0, records: Mapping[str, tuple[str, ...]] | None = None) -> None:
        """Bind, on a port of the system's choice by default. `records` may be changed while it serves."""
        self.records: dict[str, tuple[str, ...]] = dict(records or {})
        self._tcp = _Tcp(("127.0.0.1", port), _Stream)
        self._udp = _Udp(("127.0.0.1", self._tcp.server_address[1]), _Datagram)
        self._servers: tuple[Any, Any] = (self._tcp, self._udp)
        for server in self._servers:
            server.records = self.records

    @property
    def address(self) -> str:
        """Where it listens, as `SIGILLO_SMIME_RESOLVER` wants it."""
        return f"127.0.0.1:{self._tcp.server_address[1]}"

    def __enter__(self) -> Self:
        """Serve in two threads."""
        for server in self._servers:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        for server in self._servers:
            server.shutdown()
            server.server_close()
