"""The connections httpcore asks for, along the way the holder or the system has set."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable, Iterable
from datetime import datetime

import httpcore

from cardclient.network import schemes, trust
from cardclient.network.causes import ConnectFailed
from cardclient.network.credentials import Logins
from cardclient.network.failures import NetworkFailure, dialling
from cardclient.network.http_proxy import Connection, HttpTunnel
from cardclient.network.routes import Route, SystemProxy, routes
from cardclient.network.socks_proxy import open_socks
from cardclient.network.stream import SocketStream
from cardclient.preferences import ProxyChoice, ProxyKind

LOG = logging.getLogger("cardclient.network")
# The proxy itself was not reached: the next one that the system names may do (a PAC script lists several).
TRY_NEXT = frozenset({"proxy-refused", "proxy-timeout", "proxy-name-unknown", "proxy-unreachable"})


class Backend(httpcore.NetworkBackend):
    """Opens TCP connections directly or through a proxy; every failure has a NetworkFailure as its cause."""

    def __init__(
        self,
        choice: ProxyChoice,
        logins: Logins,
        system: SystemProxy,
        *,
        now: Callable[[], datetime],
        new_context: schemes.NewContext = schemes.new_context,
        session_user: bool | None = None,
    ) -> None:
        """Prepare; `session_user` tells whether the system can log its user in at the proxy (None: ask the system)."""
        self._choice = choice
        self._logins = logins
        self._system = system
        self._now = now
        self._new_context = new_context
        self._session_user = schemes.knows_session_user() if session_user is None else session_user

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to a server, which the proxy resolves where there is one; the time holds for each way tried."""
        del local_address, socket_options
        try:
            return self._open_first(host, port, timeout)
        except NetworkFailure as failure:
            LOG.warning("no way to %s:%d: %s", host, port, failure.code)
            raise ConnectFailed(failure) from failure

    def _open_first(self, host: str, port: int, timeout: float | None) -> SocketStream:
        last = NetworkFailure()
        for route in routes(self._choice, host, port, self._system):
            try:
                return self.open(route, host, port, timeout)
            except NetworkFailure as failure:
                if failure.code not in TRY_NEXT:
                    raise
                last = failure
        raise last

    def open(self, route: Route, host: str, port: int, timeout: float | None) -> SocketStream:
        """Connect along one way; raises NetworkFailure."""

        def explain(problem: ssl.SSLError, name: str) -> NetworkFailure:
            return trust.explain(
                problem, name, presented=lambda: self._presented(route, host, port, name), now=self._now
            )

        choice = route.choice
        if route.is_direct:
            return SocketStream(dial(host, port, timeout, "server"), explain)
        if choice.kind in {ProxyKind.SOCKS4, ProxyKind.SOCKS5}:
            return SocketStream(open_socks(route, host, port, timeout, self._logins), explain)

        def connect() -> Connection:
            stream = SocketStream(dial(choice.host, choice.port, timeout, "proxy"), explain)
            return Connection(stream, f"[{host}]:{port}" if ":" in host else f"{host}:{port}", timeout)

        return HttpTunnel(route, connect, self._logins, self._new_context).open(session_user=self._session_user)

    def _presented(self, route: Route, host: str, port: int, name: str) -> bytes | None:
        """Fetch the certificate that was refused, on a second connection that carries nothing; None if it is gone."""
        try:
            stream = self.open(route, host, port, LOOK_SECONDS)
        except NetworkFailure:
            return None
        connected = stream.get_extra_info("socket")
        try:
            connected.settimeout(LOOK_SECONDS)
            with trust.look_only().wrap_socket(connected, server_hostname=name or None) as looking:
                return looking.getpeercert(binary_form=True)
        except OSError:
            return None
        finally:
            stream.close()


LOOK_SECONDS = 10.0


def dial(host: str, port: int, timeout: float | None, peer: str) -> socket.socket:
    """Connect a socket to `proxy` or `server`; raises NetworkFailure named after the peer."""
    try:
        connected = socket.create_connection((host, port), timeout)
    except UnicodeError:  # a name that cannot be one (RFC 5890)
        raise NetworkFailure(f"{peer}-name-unknown") from None
    except OSError as problem:
        raise dialling(problem, peer) from None
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connected
