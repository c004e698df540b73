"""How the client shows an HTTP proxy who it is: Basic (RFC 7617), NTLM (MS-NTHT) and Negotiate (RFC 4559).

pyspnego computes NTLM itself everywhere and asks SSPI on Windows, where "the user who is logged in" needs no password.
"""

from __future__ import annotations

import base64
import binascii
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import spnego
from spnego.exceptions import SpnegoError

from cardclient.network.credentials import ProxyLogin
from cardclient.network.failures import NetworkFailure

BASIC, NTLM, NEGOTIATE = "basic", "ntlm", "negotiate"
STRONGEST_FIRST = (NTLM, NEGOTIATE, BASIC)  # RFC 9110 §11.6.1: the strongest that both sides know
WITHOUT_PASSWORD = frozenset({NTLM, NEGOTIATE})


class SecurityContext(Protocol):
    """The part of pyspnego's contexts that is used here."""

    def step(self, in_token: bytes | None = None) -> bytes | None:
        """Take the proxy's token and return ours."""


NewContext = Callable[[str, ProxyLogin | None, str], SecurityContext]


def new_context(scheme: str, login: ProxyLogin | None, proxy_host: str) -> SecurityContext:
    """Begin NTLM or Negotiate; without a login it is the user of the running session (Windows only)."""
    username, password = (login.username, login.password.reveal()) if login else (None, None)
    return spnego.client(username, password, hostname=proxy_host, service="HTTP", protocol=scheme)


def knows_session_user(system: str = sys.platform) -> bool:
    """Tell whether the system can vouch for the user of the running session."""
    return system == "win32"


def choose(offered: Iterable[str], allowed: Sequence[str]) -> str:
    """Pick the strongest scheme of a 407 (values of Proxy-Authenticate); raises NetworkFailure when none is known."""
    names = {part.strip().split(" ")[0].lower() for value in offered for part in value.split(",")}
    for scheme in STRONGEST_FIRST:
        if scheme in names and scheme in allowed:
            return scheme
    known = sorted(name for name in names if name.isalpha())
    raise NetworkFailure("proxy-scheme-unknown", {"schemes": ", ".join(known)[:80] or "?"})


def basic(login: ProxyLogin) -> str:
    """Return the value of Proxy-Authorization; a colon in the name cannot be sent (RFC 7617 §2)."""
    if ":" in login.username:
        raise NetworkFailure("proxy-login-unsendable")
    pair = f"{login.username}:{login.password.reveal()}".encode()
    return f"Basic {base64.b64encode(pair).decode('ascii')}"


class Conversation:
    """NTLM or Negotiate over one connection: each side's tokens in turn."""

    def __init__(self, scheme: str, context: SecurityContext) -> None:
        """Begin; `scheme` is NTLM or NEGOTIATE."""
        self._scheme = scheme
        self._context = context
        self._begun = False

    def answer(self, offered: Iterable[str]) -> str | None:
        """Return the next Proxy-Authorization, or None when the proxy's answer asks for nothing more: it refused."""
        token = _token(self._scheme, offered)
        if self._begun and token is None:
            return None
        self._begun = True
        try:
            ours = self._context.step(token)
        except SpnegoError as problem:
            # Its text may name the account: only the kind is kept.
            raise NetworkFailure("proxy-login-unsendable", operation=type(problem).__name__) from None
        if not ours:
            return None
        return f"{'NTLM' if self._scheme == NTLM else 'Negotiate'} {base64.b64encode(ours).decode('ascii')}"


def _token(scheme: str, offered: Iterable[str]) -> bytes | None:
    for value in offered:
        name, _, text = value.strip().partition(" ")
        if name.lower() == scheme and text.strip():
            try:
                return base64.b64decode(text.strip(), validate=True)
            except binascii.Error:
                raise NetworkFailure("proxy-not-a-proxy") from None
    return None
