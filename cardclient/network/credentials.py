"""Who we are to the proxy: remembered for the run, else in the system's keyring, else asked of the holder.

The password lives in memory of the run and, if the holder wishes, in the keyring; nowhere else.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from cardclient.network.failures import NetworkFailure
from cardclient.preferences import Keyring, ProxyChoice
from cardclient.secret import Secret

LOG = logging.getLogger("cardclient.network")
SERVICE = "sigillo-card"
NEEDED, WRONG = "proxy-login-needed", "proxy-login-wrong"
MOST_QUESTIONS = 3  # a fourth wrong password would lock many a company's account


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
        return None


class NoKeyring:
    """A system without a keyring that works."""

    available = False

    def read(self, account: str) -> Secret | None:
        """Hold nothing."""
        del account
        return None

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
    _outdated: set[str] = field(default_factory=set, repr=False)  # proxies that refused what the keyring holds
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def candidates(
        self, choice: ProxyChoice, given: ProxyLogin | None, *, session_user: bool
    ) -> Iterator[ProxyLogin | None]:
        """Yield logins to try one by one; to go on means that the last was refused. Raises NetworkFailure at the end.

        First the one known, or the one the system's own setting gave; where there is none, None for the user of the
        running session; then what the holder answers. No password is tried twice without a question.
        """
        refused = self.known(choice) or (None if self._is_outdated(choice) else given)
        if refused:
            yield refused
            self.refused(choice, refused)
        elif session_user and not choice.username:
            yield None
        for _ in range(MOST_QUESTIONS):
            login = self.ask(choice, refused)
            if login is None:
                break
            yield login
            self.refused(choice, login)
            refused = login
        raise NetworkFailure(WRONG if refused else NEEDED)

    def known(self, choice: ProxyChoice) -> ProxyLogin | None:
        """Return what this run used with success, else what the keyring holds; asks nobody."""
        address = _address(choice)
        with self._lock:
            if address in self._good:
                return self._good[address]
        if choice.ask_each_time or not choice.username or not self.keyring.available or self._is_outdated(choice):
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
        """Forget a login for this run; the keyring keeps its own until another one is accepted: a proxy may err."""
        with self._lock:
            self._outdated.add(_address(choice))
            if self._good.get(_address(choice)) is login:
                del self._good[_address(choice)]

    def _is_outdated(self, choice: ProxyChoice) -> bool:
        """Tell whether the proxy refused, in this run, what was known before the holder was asked."""
        return _address(choice) in self._outdated


def account(choice: ProxyChoice, username: str) -> str:
    """Return the keyring's name of a login: `user@host:port`."""
    return f"{username}@{_address(choice)}"


def _address(choice: ProxyChoice) -> str:
    return f"{choice.host.lower()}:{choice.port}"
