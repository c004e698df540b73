"""Why the server was not reached: one code per cause, so that the holder or his administrator knows what to change.

A failure holds a code and facts for its words (a host, an issuer); never a password, a header or a body.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator, Mapping

import httpcore
import httpx

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


class ConnectFailed(httpcore.ConnectError):
    """No connection: nothing was sent. It carries the failure itself, as httpcore's pool cuts the chain of causes."""

    def __init__(self, failure: NetworkFailure) -> None:
        """Keep the failure; the text is its code."""
        super().__init__(failure.code)
        self.failure = failure


def failure_of(problem: BaseException) -> NetworkFailure:
    """Find the cause of an exception of httpx, httpcore or the socket layer."""
    chain = list(_causes(problem))
    for each in chain:
        if isinstance(each, NetworkFailure):
            return each
        if isinstance(each, ConnectFailed):
            return each.failure
    for each in chain:
        if isinstance(each, OSError) and not isinstance(each, TimeoutError):
            return NetworkFailure(_of_socket(each, "server"))
    if any(isinstance(each, (TimeoutError, httpcore.TimeoutException, httpx.TimeoutException)) for each in chain):
        return NetworkFailure("server-timeout")
    unknown = any(isinstance(each, (httpcore.ConnectError, httpx.ConnectError)) for each in chain)
    return NetworkFailure(None if unknown else "connection-lost")


def dialling(problem: OSError, peer: str) -> NetworkFailure:
    """Name why no connection to the peer, `proxy` or `server`, came about."""
    return NetworkFailure(_of_socket(problem, peer))


def _of_socket(problem: OSError, peer: str) -> str:
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


def _causes(problem: BaseException) -> Iterator[BaseException]:
    """Walk from an exception to its causes, at most a dozen."""
    for _ in range(12):
        yield problem
        following = problem.__cause__ or problem.__context__
        if following is None:
            return
        problem = following
