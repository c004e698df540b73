"""The system's keyring behind our port: Windows' credential manager, macOS's keychain, the Secret Service of a desktop.

A keyring that is missing, locked or broken is as good as none: the password is asked for, and nobody is kept waiting.
"""

from __future__ import annotations

import logging
from typing import Protocol

from cardclient.network.credentials import SERVICE
from cardclient.secret import Secret

LOG = logging.getLogger("cardclient.network")


class Backend(Protocol):
    """The part of `keyring`'s backends that is used; each call may raise whatever the system's library raises."""

    @property
    def priority(self) -> float:
        """Below 1 for backends that keep nothing, or keep it in a plain file."""

    def get_password(self, service: str, username: str) -> str | None: ...  # noqa: D102 - as keyring names it
    def set_password(self, service: str, username: str, password: str) -> None: ...  # noqa: D102
    def delete_password(self, service: str, username: str) -> None: ...  # noqa: D102


class SystemKeyring:
    """See `preferences.Keyring`. The backend is found at the first question, as that can take a while."""

    def __init__(self, backend: Backend | None = None) -> None:
        """Use the system's best backend unless one is given."""
        self._given = backend
        self._found: Backend | None = None
        self._looked = False

    @property
    def available(self) -> bool:
        """See the port; a locked keyring counts as available, its questions are answered with None."""
        return self._backend is not None

    def read(self, account: str) -> Secret | None:
        """See the port."""
        if self._backend is None:
            return None
        try:
            password = self._backend.get_password(SERVICE, account)
        except Exception as problem:  # noqa: BLE001 - D-Bus, Win32 and Keychain each raise their own
            LOG.warning("the keyring was not read: %s", type(problem).__name__)
            return None
        return Secret(password) if password else None

    def write(self, account: str, password: Secret) -> bool:
        """See the port."""
        if self._backend is None:
            return False
        try:
            self._backend.set_password(SERVICE, account, password.reveal())
        except Exception as problem:  # noqa: BLE001 - the same; the text could quote the password
            LOG.warning("the keyring took no password: %s", type(problem).__name__)
            return False
        return True

    def forget(self, account: str) -> None:
        """See the port; a password that is not there is no failure."""
        if self._backend is None:
            return
        try:
            self._backend.delete_password(SERVICE, account)
        except Exception as problem:  # noqa: BLE001 - the same
            LOG.info("the keyring removed nothing: %s", type(problem).__name__)

    @property
    def _backend(self) -> Backend | None:
        if not self._looked:
            self._looked = True
            self._found = _usable(self._given or _system())
        return self._found


def _usable(backend: Backend | None) -> Backend | None:
    """Refuse backends that hold nothing (`fail`, `null`) or nothing safe: keyring gives them a priority below 1."""
    try:
        return backend if backend is not None and backend.priority >= 1 else None
    except Exception:  # noqa: BLE001 - some compute their priority by asking the system
        return None


def _system() -> Backend | None:
    try:
        import keyring  # noqa: PLC0415 - a tenth of a second that only who uses a proxy's login pays

        found: Backend = keyring.get_keyring()
    except Exception as problem:  # noqa: BLE001 - a broken keyring must not stop a renewal
        LOG.warning("no keyring: %s", type(problem).__name__)
        return None
    return found
