"""Which adapters stand behind the window's ports; the card's are chosen in `readers.opening`."""

from __future__ import annotations

from cardclient.office import HttpOffice
from cardclient.ports import Office
from cardclient.preferences import Preferences
from cardclient.readers.opening import source


def open_office(preferences: Preferences) -> Office:
    """Open a conversation with the office the preferences name."""
    return HttpOffice(preferences.server)


__all__ = ["open_office", "source"]
