"""Which adapters stand behind the window's ports; the card's are chosen in `readers.opening`."""

from __future__ import annotations

import threading

import httpx

from cardclient.errors import ClientError
from cardclient.network import opening
from cardclient.network.credentials import Logins, NobodyToAsk
from cardclient.network.keyring import SystemKeyring
from cardclient.network.legs import Network, Probe, Told, try_legs
from cardclient.office import HttpOffice
from cardclient.ports import Office
from cardclient.preferences import Keyring, Preferences
from cardclient.readers.opening import source
from cardclient.support.status import HttpWeb
from cardclient.ui.credentials_dialog import WindowCredentials
from cardclient.ui.system_proxy import QtSystemProxy


class Connection:
    """How this window reaches the office: one memory of proxy logins for all its conversations."""

    def __init__(self, credentials: WindowCredentials | None = None, keyring: Keyring | None = None) -> None:
        """Ask these credentials when a proxy wants a login; keep passwords in this keyring."""
        self.keyring = keyring or SystemKeyring()
        self._credentials = credentials
        self._logins = Logins(credentials or NobodyToAsk(), self.keyring)
        self._system = QtSystemProxy()

    def close(self) -> None:
        """Leave a proxy's open question unanswered: whoever waits for it goes on at once."""
        if self._credentials is not None:
            self._credentials.close()

    def open_office(self, preferences: Preferences) -> Office:
        """Open a conversation with the office the preferences name; raises ClientError for an unusable address."""
        way = opening.transport(preferences, self._logins, system=self._system)
        return HttpOffice(preferences.server, transport=way)

    def open_web(self, preferences: Preferences) -> HttpWeb:
        """Reach the authorities' publications the same way, for the card's check; the caller closes it."""
        return HttpWeb(opening.transport(preferences, self._logins, system=self._system))

    def try_network(self, preferences: Preferences, logins: Logins, told: Told, stopped: threading.Event) -> Network:
        """Test leg by leg, with logins of the caller's."""
        return try_legs(Probe(preferences, logins, self._system), told=told, stopped=stopped)

    def network_of(self, preferences: Preferences) -> Network:
        """Test leg by leg with what this window knows; for the diagnosis."""
        return try_legs(Probe(preferences, self._logins, self._system))


def open_office(preferences: Preferences) -> Office:
    """Open one conversation by itself, asking nobody."""
    return Connection().open_office(preferences)


def is_usable_address(address: str) -> bool:
    """Whether an office may be spoken to at this address: https, or this machine."""
    try:
        HttpOffice(address, transport=httpx.BaseTransport()).close()
    except ClientError:
        return False
    return True


__all__ = ["Connection", "is_usable_address", "open_office", "source"]
