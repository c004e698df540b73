"""The virus scanner: a port, and the adapter that speaks clamd's INSTREAM. Without an answer nothing is clean."""

from __future__ import annotations

import socket
import struct
from typing import Protocol

from django.conf import settings

CHUNK = 64 * 1024
SECONDS = 30.0
_MOST_ANSWER = 4096
_UNIX = "/"


class ScannerAway(Exception):
    """Nobody answers, or not in words that we know: the file stays unseen and is tried again. The text is a code."""


class Scanner(Protocol):
    """What a virus scanner has to be able to do."""

    def find(self, content: bytes) -> str | None:
        """Name what was found, None for a clean file; raises `ScannerAway` where that is not known."""
        ...


class NoScanner:
    """An installation without a scanner: nothing that is uploaded is ever shown."""

    def find(self, content: bytes) -> str | None:
        """Say that nobody is there."""
        del content
        raise ScannerAway("scanner-not-configured")


class Clamd:
    """clamd over TCP (`host:port`) or a unix socket (a path): length-prefixed chunks, an empty one ends them."""

    def __init__(self, address: str, *, seconds: float = SECONDS) -> None:
        """Remember where it listens; `seconds` bounds each wait for it."""
        self._address, self._seconds = address, seconds

    def find(self, content: bytes) -> str | None:
        """Stream the bytes and read the verdict: `stream: OK`, or `stream: <name> FOUND`."""
        try:
            with self._connected() as line:
                line.sendall(b"zINSTREAM\0")
                for start in range(0, len(content), CHUNK):
                    piece = content[start : start + CHUNK]
                    line.sendall(struct.pack("!I", len(piece)) + piece)
                line.sendall(struct.pack("!I", 0))
                answer = _read(line)
        except (OSError, ValueError) as away:
            raise ScannerAway("scanner-unreachable") from away
        return _verdict(answer)

    def _connected(self) -> socket.socket:
        if self._address.startswith(_UNIX):
            line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            line.settimeout(self._seconds)
            try:
                line.connect(self._address)
            except OSError:
                line.close()
                raise
            return line
        host, _, port = self._address.rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)), timeout=self._seconds)


def configured() -> Scanner:
    """The scanner of this installation."""
    return Clamd(settings.SMIME.clamd) if settings.SMIME.clamd else NoScanner()


def _read(line: socket.socket) -> str:
    answer = b""
    while not answer.endswith(b"\0") and len(answer) < _MOST_ANSWER:
        piece = line.recv(_MOST_ANSWER)
        if not piece:
            break
        answer += piece
    return answer.rstrip(b"\0\n").decode("ascii", "replace")


def _verdict(answer: str) -> str | None:
    said = answer.removeprefix("stream: ")
    if said == "OK":
        return None
    if said.endswith(" FOUND"):
        return said.removesuffix(" FOUND")
    raise ScannerAway("scanner-limit" if "size limit" in said else "scanner-confused")
