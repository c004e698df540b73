"""Which adapters stand behind the window's ports: simulated cards, one PKCS#11 module, or every reader."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import cast

from cardclient.card_pkcs11 import Pkcs11Card
from cardclient.errors import ClientError, NoCard
from cardclient.office import HttpOffice
from cardclient.ports import Card, Office, Readers, ReaderState
from cardclient.preferences import Preferences
from cardclient.simulator import SimulatedCard, SimulatedReader

LOOK = 0.25  # seconds between two looks at simulated cards


def card_opener(simulated: Sequence[str] | None, module: str | None) -> Callable[[], Card]:
    """Return what opens the card, to be called in the worker."""
    if simulated:
        cards = [SimulatedCard(path) for path in simulated]
        return lambda: cards[0] if len(cards) == 1 else cast("Card", SimulatedReader(cards))
    return lambda: Pkcs11Card(module or "")


def readers(simulated: Sequence[str] | None, module: str | None) -> Readers:
    """Return what watches the readers."""
    del module
    return FileReaders([SimulatedCard(path) for path in simulated or ()])


def open_office(preferences: Preferences) -> Office:
    """Open a conversation with the office the preferences name."""
    return HttpOffice(preferences.server)


class FileReaders:
    """The readers of simulated cards: each file is a reader, looked at a few times a second."""

    def __init__(self, cards: Sequence[SimulatedCard]) -> None:
        """Watch these cards."""
        self._cards = list(cards)
        self._pause = threading.Event()

    def snapshot(self) -> tuple[ReaderState, ...]:
        """See `Readers.snapshot`."""
        return tuple(ReaderState(f"simulator {each.path.name}", self._atr(each)) for each in self._cards)

    def wait(self, seconds: float) -> bool:
        """See `Readers.wait`."""
        before = self.snapshot()
        for _ in range(max(1, round(seconds / LOOK))):
            self._pause.wait(LOOK)
            if self.snapshot() != before:
                return True
        return False

    def _atr(self, card: SimulatedCard) -> bytes | None:
        try:
            return card.scan()[0].atr
        except (NoCard, ClientError, OSError, ValueError):
            return None
