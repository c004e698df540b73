"""Why the server was not reached: one code per cause, so that the holder or his administrator knows what to change.

A failure holds a code and facts for its words (a host, an issuer); never a password, a header or a body.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Mapping

from cardclient.errors import OfficeUnreachable

# Asking again without a change by a person gives the same answer; a wrong password would even be counted again.
LASTING = frozenset({
    "proxy-login-needed",
    "proxy-login-wrong",
    "proxy-login-unsendable",
    "proxy-scheme-unknown",
    "proxy-forbidden",
    "proxy-settings-wrong",
    "proxy-not-a-proxy",
    "proxy-name-unknown",
    "tls-untrusted",
    "tls-other-name",
    "tls-expired",
    "tls-early",
    "tls-absent",
    "tls-failed",
})  # fmt: skip
CODES = LASTING | {
    "proxy-refused",
    "proxy-timeout",
    "proxy-unreachable",
    "proxy-server-unreachable",
    "server-name-unknown",
    "server-refused",
    "server-timeout",
    "server-unreachable",
    "connection-lost",
}


class NetworkFailure(OfficeUnreachable):
    """The way to the server is closed at one known place; `facts` fill the words of the code."""

    def __init__(self, code: str | None = None, facts: Mapping[str, str] | None = None, *, operation: str = "") -> None:
        """Keep the code and what its words name."""
        super().__init__(code, operation=operation)
        self.facts: Mapping[str, str] = dict(facts or {})

    @property
    def lasting(self) -> bool:
        """Tell whether trying again at once is useless, or harmful."""
        return self.code in LASTING


def dialling(problem: OSError, peer: str) -> NetworkFailure:
    """Name why no connection to the peer, `proxy` or `server`, came about."""
    return NetworkFailure(of_socket(problem, peer))


def of_socket(problem: OSError, peer: str) -> str:
    """Return the code of a socket's error on the way to the peer."""
    if isinstance(problem, ssl.SSLError):
        return "tls-failed"
    if isinstance(problem, socket.gaierror):
        return f"{peer}-name-unknown"
    if isinstance(problem, TimeoutError):
        return f"{peer}-timeout"
    if isinstance(problem, ConnectionRefusedError):
        return f"{peer}-refused"
    if problem.errno in {errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED} and peer == "server":
        return "connection-lost"
    return f"{peer}-unreachable"
