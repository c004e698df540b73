"""Public documents (trusted lists, revocation lists, answers of responders) over HTTP: from jobs, never in a request.

The addresses stand in signed lists and certificates, and still nobody promises that they are harmless. So each step of
the way, redirects too, leads to a public address, which is connected to as it was looked up; size and time are bounded.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urljoin, urlsplit

TIMEOUT_SECONDS = 30
"""Without a sign of life."""
LONGEST_SECONDS = 120
"""For one step, however lively."""
MOST_REDIRECTS = 5
_CHUNK = 64 * 1024
_PORTS = {"http": 80, "https": 443}
_LEADS_INSIDE = tuple(
    ip_network(each)
    for each in (
        *("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32"),  # protocol assignments, 6to4 relays, a cloud's host
        *(
            "::/96",
            "64:ff9b::/96",
            "64:ff9b:1::/48",
            "2001::/23",
            "2002::/16",
            "fec0::/10",
        ),  # IPv4 inside IPv6
    )
)
_ELSEWHERE = frozenset({301, 302, 303, 307, 308})
_OK, _UNCHANGED = 200, 304

Fetch = Callable[[str, int], bytes]
"""Takes an address and the most bytes; returns the document or raises `DocumentAway`."""
Find = Callable[[str, int], Sequence[tuple[str, int]]]
"""Takes a host and a port; returns the addresses to connect to, or raises `DocumentAway`."""


class DocumentAway(Exception):
    """Nobody answered, the answer was an error or too large. The text is a short code, never what was answered."""


@dataclass(frozen=True, slots=True)
class Stamps:
    """By what a server recognises the version of a document that is known already (RFC 9110 §8.8)."""

    etag: str = ""
    modified: str = ""

    def headers(self) -> dict[str, str]:
        """Ask for another version only."""
        asked = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in asked.items() if value}


@dataclass(frozen=True, slots=True)
class Document:
    """What lay at an address, and its stamps."""

    content: bytes = field(repr=False)
    stamps: Stamps = Stamps()


def public_addresses(host: str, port: int) -> list[tuple[str, int]]:
    """Look a host up; one that also leads to this machine, its network or any other private one is not gone to."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as unknown:
        raise DocumentAway("host-unknown") from unknown
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    if not addresses or not all(_is_public(each) for each in addresses):
        raise DocumentAway("address-private")
    return [(each, port) for each in addresses]


class Web:
    """The way to public documents. `find` says where a host is; one step of the way lasts `seconds` at most."""

    def __init__(
        self,
        find: Find = public_addresses,
        *,
        seconds: float = LONGEST_SECONDS,
        secure: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        """Look hosts up with `find`, and believe the certificates that `secure` does; the tests have their own."""
        self._find = find
        self._seconds = seconds
        self._secure = secure

    def get(self, address: str, most: int, known: Stamps = Stamps()) -> Document | None:
        """Get a document over http or https, or None where it is still the one that is known."""
        for _ in range(MOST_REDIRECTS + 1):
            with self._asked("GET", address, None, known.headers()) as answer:
                if answer.status == _UNCHANGED and known != Stamps():
                    return None
                if answer.status not in _ELSEWHERE:
                    return Document(_content(answer, most), _stamps(answer))
                address = urljoin(address, answer.headers.get("Location", ""))
        raise DocumentAway("redirected-too-often")

    def post(self, address: str, body: bytes, media_type: str, most: int) -> bytes:
        """Ask what lies at an address; a question is not sent on to another one."""
        with self._asked("POST", address, body, {"Content-Type": media_type}) as answer:
            return _content(answer, most)

    @contextmanager
    def _asked(
        self, method: str, address: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Iterator[HTTPResponse]:
        try:
            target = urlsplit(address)
            if target.scheme not in _PORTS or not target.hostname:
                raise DocumentAway("scheme-unknown")
            places = self._find(target.hostname, target.port or _PORTS[target.scheme])
            context = self._secure() if target.scheme == "https" else None
            line = _Line(target, places, min(TIMEOUT_SECONDS, self._seconds), context)
            with line.hung_up_after(self._seconds):
                line.request(method, _path(target), body=body, headers={"User-Agent": "Sigillo", **headers})
                yield line.getresponse()
            if line.is_cut:
                raise DocumentAway("too-slow")
        except (OSError, HTTPException, ValueError) as error:
            raise DocumentAway(type(error).__name__[:40]) from error


WEB = Web()


def download(address: str, most: int) -> bytes:
    """Get a document from the public network."""
    found = WEB.get(address, most)
    if found is None:
        raise DocumentAway("nothing-known")
    return found.content


class _Line(HTTPConnection):
    """A connection to addresses that were looked up before, so that nothing else can be put in their place."""

    def __init__(
        self, target: SplitResult, places: Sequence[tuple[str, int]], patience: float, context: ssl.SSLContext | None
    ) -> None:
        super().__init__(target.hostname or "", target.port or _PORTS[target.scheme], timeout=patience)
        self.default_port = _PORTS[target.scheme]
        self._context = context
        self._patience = patience
        self._places = places
        self._wire: socket.socket | None = None
        self.is_cut = False

    def connect(self) -> None:
        """Connect to the first place that answers; with TLS, to the one whose certificate is the host's."""
        self.sock = self._wire = self._reached()
        if self._context is not None:
            # Wrapping takes the plain socket's line away: what is to be cut is the new one, from the handshake on.
            secret = self._context.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
            self.sock = self._wire = secret
            secret.do_handshake()
        if self.is_cut:
            raise TimeoutError

    def _reached(self) -> socket.socket:
        """Try the places one after the other, all of them within one patience."""
        failure: OSError = ConnectionError()
        end = time.monotonic() + self._patience
        for place in self._places:
            left = end - time.monotonic()
            if left <= 0:
                break
            try:
                found = socket.create_connection(place, left)
            except OSError as error:
                failure = error
            else:
                found.settimeout(self._patience)
                return found
        raise failure

    @contextmanager
    def hung_up_after(self, seconds: float) -> Iterator[None]:
        """Close when done, and when the time is over: a server may send a byte now and then for ever."""
        timer = threading.Timer(seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self.close()

    def _cut(self) -> None:
        self.is_cut = True
        wire = self._wire
        if wire is not None:
            with suppress(OSError):  # past TLS, whose own way of ending would wait for the other side
                socket.socket.shutdown(wire, socket.SHUT_RDWR)


def _content(answer: HTTPResponse, most: int) -> bytes:
    if answer.status != _OK:
        raise DocumentAway(f"status-{answer.status}")
    content = bytearray()
    while chunk := answer.read(_CHUNK):
        content += chunk
        if len(content) > most:
            raise DocumentAway("document-too-large")
    if answer.length:
        raise DocumentAway("document-cut-short")
    return bytes(content)


def _stamps(answer: HTTPResponse) -> Stamps:
    return Stamps(answer.headers.get("ETag", "")[:200], answer.headers.get("Last-Modified", "")[:100])


def _path(target: SplitResult) -> str:
    return (target.path or "/") + (f"?{target.query}" if target.query else "")


def _is_public(address: str) -> bool:
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    is_within = any(found in network for network in _LEADS_INSIDE if network.version == found.version)
    return found.is_global and not found.is_multicast and not is_within
