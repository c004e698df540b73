"""`Readers` where PC/SC tells nothing: simulated cards in files, and the slots of one PKCS#11 module."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from cardclient import simulated_state
from cardclient.card_pkcs11 import Pkcs11Card
from cardclient.errors import CardError
from cardclient.ports import ReaderState
from cardclient.simulator import SimulatedCard

INTERVAL = 0.5  # seconds between two looks: a card is seen well within the two seconds asked of the window


class PolledReaders:
    """Readers that are looked at again and again; for one watcher, as `PcscReaders`."""

    def __init__(
        self,
        look: Callable[[], tuple[ReaderState, ...]],
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Look with this function, which never raises."""
        self._look = look
        self._sleep = sleep
        self._clock = clock
        self._last: tuple[ReaderState, ...] | None = None

    def snapshot(self) -> tuple[ReaderState, ...]:
        """See `Readers.snapshot`."""
        self._last = self._look()
        return self._last

    def wait(self, seconds: float) -> bool:
        """See `Readers.wait`."""
        before = self._last if self._last is not None else self._look()
        ends = self._clock() + seconds
        while True:
            self._last = self._look()
            if self._last != before:
                return True
            left = ends - self._clock()
            if left <= 0:
                return False
            self._sleep(min(left, INTERVAL))


def simulated_readers(cards: Sequence[SimulatedCard]) -> PolledReaders:
    """Watch simulated cards, each in a reader of its own; a file that is missing or broken is an empty reader."""
    return PolledReaders(lambda: tuple(state for card in cards for state in _state_of(card)))


def module_readers(card: Pkcs11Card) -> PolledReaders:
    """Watch the readers of a module, through the very process that works with it; while it works, nothing changes."""
    return PolledReaders(_SlotLook(card))


def _state_of(card: SimulatedCard) -> tuple[ReaderState, ...]:
    try:
        state = simulated_state.load(card.path)
    except (OSError, ValueError, TypeError, KeyError):
        return (ReaderState(card.reader, None),)
    if not state.plugged:
        return ()
    return (ReaderState(card.reader, bytes.fromhex(state.atr) if state.present else None, state.insertions),)


class _SlotLook:
    """What a module's readers held when it was last free to tell."""

    def __init__(self, card: Pkcs11Card) -> None:
        self._card = card
        self._told: tuple[ReaderState, ...] = ()

    def __call__(self) -> tuple[ReaderState, ...]:
        try:
            told = self._card.slots()
        except CardError:
            told = ()
        self._told = self._told if told is None else told
        return self._told
