"""Which way leads to a server: directly, through the holder's proxy, or as the system says."""

from __future__ import annotations

import ipaddress
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote, urlsplit

from cardclient.network.credentials import ProxyLogin
from cardclient.network.failures import NetworkFailure
from cardclient.preferences import ProxyChoice, ProxyKind
from cardclient.secret import Secret

DIRECT = ProxyChoice(ProxyKind.NONE)
_SCHEMES = {"http": ProxyKind.HTTP, "socks4": ProxyKind.SOCKS4, "socks4a": ProxyKind.SOCKS4, "socks5": ProxyKind.SOCKS5,
            "socks5h": ProxyKind.SOCKS5, "socks": ProxyKind.SOCKS5}  # fmt: skip
_PORTS = {ProxyKind.HTTP: 80, ProxyKind.SOCKS4: 1080, ProxyKind.SOCKS5: 1080}


@dataclass(frozen=True, slots=True)
class Route:
    """One way: a proxy (or DIRECT), and the login that came with the system's own setting, if one did."""

    choice: ProxyChoice = DIRECT
    login: ProxyLogin | None = None

    @property
    def is_direct(self) -> bool:
        """Tell whether no proxy lies between."""
        return self.choice.kind is ProxyKind.NONE


class SystemProxy(Protocol):
    """What the system is set to: variables, registry, a PAC script. The window gives one that asks Qt."""

    def routes(self, host: str, port: int) -> Sequence[Route]:
        """Return the ways to a host in the order to try them; an empty answer means directly."""


class EnvironmentProxy:
    """The settings that Python's library finds: variables everywhere, the registry and macOS's settings; no PAC."""

    def __init__(
        self,
        proxies: Callable[[], Mapping[str, str]] = urllib.request.getproxies,
        bypassed: Callable[[str], object] = urllib.request.proxy_bypass,
    ) -> None:
        """Read the settings at each question, so that a change is seen without a restart."""
        self._proxies = proxies
        self._bypassed = bypassed

    def routes(self, host: str, port: int) -> Sequence[Route]:
        """See SystemProxy; `https_proxy` goes before `all_proxy`, and `no_proxy` before both."""
        found = self._proxies()
        address = found.get("https") or found.get("all")
        if not address or self._bypassed(host) or self._bypassed(f"{host}:{port}"):
            return ()
        return (route_of(address),)


def routes(choice: ProxyChoice, host: str, port: int, system: SystemProxy) -> Sequence[Route]:
    """Return the ways to try; raises NetworkFailure for a proxy that cannot be meant. This machine is no proxy's."""
    if choice.kind is ProxyKind.NONE or is_loopback(host):
        return (Route(),)
    if choice.kind is ProxyKind.SYSTEM:
        return tuple(system.routes(host, port)) or (Route(),)
    if choice.problem:
        raise NetworkFailure("proxy-settings-wrong")
    return (Route(choice),)


def route_of(address: str) -> Route:
    """Read an address such as `http://user:password@proxy:3128`; raises NetworkFailure, which never quotes it."""
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        kind, host, port = _SCHEMES.get(parts.scheme.lower()), parts.hostname, parts.port
    except ValueError:
        raise NetworkFailure("proxy-settings-wrong") from None
    if kind is None or not host:
        raise NetworkFailure("proxy-settings-wrong")
    username, password = unquote(parts.username or ""), unquote(parts.password or "")
    choice = ProxyChoice(kind, host, port or _PORTS[kind], username)
    return Route(choice, ProxyLogin(username, Secret(password)) if username and password else None)


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine: localhost (RFC 6761 §6.3), 127.0.0.0/8, ::1."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
