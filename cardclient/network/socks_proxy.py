"""A tunnel through a SOCKS proxy (SOCKS4a; SOCKS5, RFC 1928 and 1929), which also resolves the server's name."""

from __future__ import annotations

import contextlib
import socket

import python_socks
from python_socks.sync import Proxy

from cardclient.network.credentials import Logins, ProxyLogin
from cardclient.network.failures import NetworkFailure, dialling
from cardclient.network.routes import Route
from cardclient.preferences import ProxyChoice, ProxyKind

LONGEST_FIELD = 255  # bytes of name and password (RFC 1929 §2)
# The library tells these two apart by their texts only; the tests hold them.
_WANTS_LOGIN = "No acceptable authentication methods were offered"
_REFUSED_LOGIN = "Username and password authentication failure"
_FORBIDDEN = frozenset({2, 0x5C, 0x5D})  # RFC 1928 §6 "not allowed by ruleset"; SOCKS4 identd


class _LoginRefused(Exception):
    """The proxy wants a login, or refused the one it was given."""


def open_socks(route: Route, host: str, port: int, seconds: float | None, logins: Logins) -> socket.socket:
    """Return a socket that speaks to the server; raises NetworkFailure."""
    choice = route.choice
    if choice.kind is ProxyKind.SOCKS4:
        with contextlib.suppress(_LoginRefused):
            return _connect(choice, None, host, port, seconds)
        raise NetworkFailure("proxy-not-a-proxy")
    if not (logins.known(choice) or route.login):
        with contextlib.suppress(_LoginRefused):
            return _connect(choice, None, host, port, seconds)
    for login in logins.candidates(choice, route.login, session_user=False):
        if login is None:
            continue
        with contextlib.suppress(_LoginRefused):
            connected = _connect(choice, login, host, port, seconds)
            logins.accepted(choice, login)
            return connected
    raise NetworkFailure("proxy-login-wrong")


def _connect(
    choice: ProxyChoice, login: ProxyLogin | None, host: str, port: int, seconds: float | None
) -> socket.socket:
    kind = python_socks.ProxyType.SOCKS4 if choice.kind is ProxyKind.SOCKS4 else python_socks.ProxyType.SOCKS5
    if kind is python_socks.ProxyType.SOCKS4:
        username, password = choice.username or None, None
        sendable = choice.username.isascii()
    else:
        username, password = (login.username, login.password.reveal()) if login else (None, None)
        sendable = all(
            field.isascii() and 0 < len(field) <= LONGEST_FIELD
            for field in (username, password)
            if login and field is not None
        )
    if not sendable:  # the library would raise an exception that quotes the password
        raise NetworkFailure("proxy-login-unsendable")
    try:
        return Proxy(kind, choice.host, choice.port, username, password, rdns=True).connect(host, port, seconds)
    except python_socks.ProxyConnectionError as problem:
        failure = dialling(problem.__cause__ if isinstance(problem.__cause__, OSError) else problem, "proxy")
    except (python_socks.ProxyTimeoutError, TimeoutError):
        failure = NetworkFailure("proxy-timeout")
    except python_socks.ProxyError as problem:
        if str(problem) in {_WANTS_LOGIN, _REFUSED_LOGIN}:
            raise _LoginRefused from None
        failure = NetworkFailure(_refusal(problem.error_code))
    except (OSError, ValueError):  # reset in the middle, or an answer that is no SOCKS
        failure = NetworkFailure("proxy-not-a-proxy")
    raise failure from None


def _refusal(code: int | None) -> str:
    if code is None:
        return "proxy-not-a-proxy"
    return "proxy-forbidden" if code in _FORBIDDEN else "proxy-server-unreachable"
