"""Who we are to the proxy: remembered for the run, else in the system's keyring, else asked of the holder.

The password lives in memory of the run and, if the holder wishes, in the keyring; nowhere else.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import Protocol

from cardclient.preferences import Keyring, ProxyChoice
from cardclient.secret import Secret

LOG = logging.getLogger("cardclient.network")
SERVICE = "sigillo-card"
NEEDED, WRONG = "proxy-login-needed", "proxy-login-wrong"


@dataclass(frozen=True, slots=True)
class ProxyLogin:
    """A name and password for the proxy; `remember` asks for the keyring."""

    username: str
    password: Secret
    remember: bool = False


@dataclass(frozen=True, slots=True)
class ProxyQuestion:
    """What the window asks: which proxy (`host:port`), the name known so far, why, and whether it can be kept."""

    proxy: str
    username: str
    problem: str  # NEEDED or WRONG
    can_remember: bool


class Credentials(Protocol):
    """The holder, who knows the proxy's password. Called from the thread that sends the request."""

    def ask(self, question: ProxyQuestion) -> ProxyLogin | None:
        """Ask for name and password; None when the holder has none or gives up."""


class NobodyToAsk:
    """The command line with `--no-input`: no question is answered."""

    def ask(self, question: ProxyQuestion) -> ProxyLogin | None:
        """Answer nothing."""
        del question


class NoKeyring:
    """A system without a keyring that works."""

    available = False

    def read(self, account: str) -> Secret | None:
        """Hold nothing."""
        del account

    def write(self, account: str, password: Secret) -> bool:
        """Keep nothing."""
        del account, password
        return False

    def forget(self, account: str) -> None:
        """Do nothing: there is nothing to remove."""


@dataclass
class Logins:
    """The logins of one run. A login counts as good once the proxy took it; only then is it kept."""

    credentials: Credentials = field(default_factory=NobodyToAsk)
    keyring: Keyring = field(default_factory=NoKeyring)
    _good: dict[str, ProxyLogin] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def known(self, choice: ProxyChoice) -> ProxyLogin | None:
        """Return what this run used with success, else what the keyring holds; asks nobody."""
        address = _address(choice)
        with self._lock:
            if address in self._good:
                return self._good[address]
        if choice.ask_each_time or not choice.username or not self.keyring.available:
            return None
        password = self.keyring.read(account(choice, choice.username))
        return ProxyLogin(choice.username, password) if password else None

    def ask(self, choice: ProxyChoice, refused: ProxyLogin | None) -> ProxyLogin | None:
        """Ask the holder, saying whether a login was refused just now."""
        username = refused.username if refused else choice.username
        can_remember = self.keyring.available and not choice.ask_each_time
        question = ProxyQuestion(_address(choice), username, WRONG if refused else NEEDED, can_remember)
        return self.credentials.ask(question)

    def accepted(self, choice: ProxyChoice, login: ProxyLogin) -> None:
        """Keep a login that the proxy took."""
        with self._lock:
            known = self._good.get(_address(choice))
            self._good[_address(choice)] = login
        if login.remember and known is not login and not choice.ask_each_time:
            kept = self.keyring.write(account(choice, login.username), login.password)
            LOG.info("the proxy's password %s in the system's keyring", "rests" if kept else "was not kept")

    def refused(self, choice: ProxyChoice, login: ProxyLogin) -> None:
        """Forget a login that the proxy no longer takes, in this run only: a proxy may err, the keyring's owner not."""
        with self._lock:
            if self._good.get(_address(choice)) is login:
                del self._good[_address(choice)]


def account(choice: ProxyChoice, username: str) -> str:
    """Return the keyring's name of a login: `user@host:port`."""
    return f"{username}@{_address(choice)}"


def _address(choice: ProxyChoice) -> str:
    return f"{choice.host.lower()}:{choice.port}"
