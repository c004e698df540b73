"""One TCP connection as httpcore wants it, with a bound on the time of a whole exchange instead of each read."""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

import httpcore

from cardclient.network.causes import ConnectFailed
from cardclient.network.failures import NetworkFailure

Explain = Callable[[ssl.SSLError, str], NetworkFailure]
LONGEST_TLS = 30.0  # seconds for a handshake when the caller names no time


class Deadline:
    """An end of time for an exchange of several reads; a peer that sends a byte now and then cannot stretch it."""

    def __init__(self, seconds: float | None) -> None:
        """Start now; None means no end."""
        self._end = None if seconds is None else time.monotonic() + seconds

    @property
    def left(self) -> float | None:
        """Seconds left, None for no end; raises TimeoutError when it is over."""
        if self._end is None:
            return None
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class SocketStream(httpcore.NetworkStream):
    """A connected socket; `explain` turns a failed TLS handshake into the failure that people are told."""

    def __init__(self, connected: socket.socket, explain: Explain) -> None:
        """Take over the socket; `close` closes it."""
        self._socket = connected
        self._explain = explain

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what is there, at most so many bytes; empty at the end."""
        try:
            self._socket.settimeout(timeout)
            return self._socket.recv(max_bytes)
        except TimeoutError as problem:
            raise httpcore.ReadTimeout("read") from problem
        except OSError as problem:
            raise httpcore.ReadError("read") from problem

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of it within the time."""
        if not buffer:
            return
        try:
            self._socket.settimeout(timeout)
            self._socket.sendall(buffer)
        except TimeoutError as problem:
            raise httpcore.WriteTimeout("write") from problem
        except OSError as problem:
            raise httpcore.WriteError("write") from problem

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Speak TLS from here on; a certificate that is not trusted ends it and is explained."""
        name = server_hostname or ""
        try:
            self._socket.settimeout(timeout or LONGEST_TLS)
            return SocketStream(ssl_context.wrap_socket(self._socket, server_hostname=server_hostname), self._explain)
        except TimeoutError as problem:
            self.close()
            raise httpcore.ConnectTimeout("tls") from problem
        except ssl.SSLError as problem:
            self.close()
            raise ConnectFailed(self._explain(problem, name)) from problem
        except OSError as problem:
            self.close()
            raise httpcore.ConnectError("tls") from problem

    def get_extra_info(self, info: str) -> Any:
        """Answer what httpcore asks of a connection; None for what it does not have."""
        if info == "is_readable":
            return _is_readable(self._socket)
        if info == "socket":
            return self._socket
        if info == "ssl_object" and isinstance(self._socket, ssl.SSLSocket):
            return self._socket
        return None


def _is_readable(connected: socket.socket) -> bool:
    """Tell whether something, be it the end, is waiting: an idle connection that is readable was closed by its peer."""
    if connected.fileno() < 0:
        return True
    if hasattr(select, "poll"):  # select() cannot watch descriptors above 1023
        waiting = select.poll()
        waiting.register(connected, select.POLLIN)
        return bool(waiting.poll(0))
    return bool(select.select([connected], [], [], 0)[0])
