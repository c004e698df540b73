"""The system's proxy as Qt knows it: environment on Linux, settings with PAC and WPAD on Windows and macOS."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QUrl
from PySide6.QtNetwork import QNetworkProxy, QNetworkProxyFactory, QNetworkProxyQuery

from cardclient.network.credentials import ProxyLogin
from cardclient.network.routes import Route
from cardclient.preferences import ProxyChoice, ProxyKind
from cardclient.secret import Secret

_Type = QNetworkProxy.ProxyType
_KINDS = {
    _Type.HttpProxy: ProxyKind.HTTP,
    _Type.HttpCachingProxy: ProxyKind.HTTP,
    _Type.Socks5Proxy: ProxyKind.SOCKS5,
}
Ask = Callable[[QNetworkProxyQuery], Sequence[QNetworkProxy]]


class QtSystemProxy:
    """See `network.routes.SystemProxy`. Asked in the worker: a PAC script may take Qt several seconds."""

    def __init__(self, ask: Ask = QNetworkProxyFactory.systemProxyForQuery) -> None:
        """Ask Qt, or whoever answers in its place."""
        self._ask = ask

    def routes(self, host: str, port: int) -> Sequence[Route]:
        """Return Qt's ways in its order; a kind that cannot lead to a TLS server (FTP caching) is left out."""
        name = f"[{host}]" if ":" in host else host
        found = self._ask(QNetworkProxyQuery(QUrl(f"https://{name}:{port}/")))
        return tuple(route for each in found if (route := _route(each)) is not None)


def _route(proxy: QNetworkProxy) -> Route | None:
    if proxy.type() in {_Type.NoProxy, _Type.DefaultProxy}:
        return Route()
    kind = _KINDS.get(proxy.type())
    if kind is None or not proxy.hostName() or not proxy.port():
        return None
    login = ProxyLogin(proxy.user(), Secret(proxy.password())) if proxy.user() and proxy.password() else None
    return Route(ProxyChoice(kind, proxy.hostName(), proxy.port(), proxy.user()), login)
