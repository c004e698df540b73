"""Where the card comes from: simulated cards in files, one PKCS#11 module by its path, or all readers of the computer.

The window and the command line choose here, so that both see the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from cardclient.card_pkcs11 import Pkcs11Card
from cardclient.ports import Card, Readers
from cardclient.readers.cards import ReaderCards
from cardclient.readers.pcsc import PcscReaders, Service
from cardclient.readers.polling import module_readers, simulated_readers
from cardclient.simulator import SimulatedCard, SimulatedReader
from cardclient.support.trace import traced


@dataclass(frozen=True, slots=True)
class Source:
    """A card, what watches its readers, and how the computer's card service does (None where none is needed).

    `card` loads nothing before its first call.
    """

    card: Card
    readers: Readers
    service: Callable[[], Service] | None = None


def simulated_source(paths: Sequence[str]) -> Source:
    """Use simulated cards, each a file and a reader."""
    cards = [SimulatedCard(path) for path in paths]
    card = cards[0] if len(cards) == 1 else cast("Card", SimulatedReader(cards))
    return Source(traced(card), simulated_readers(cards))


def module_source(path: str, *, slot: int | None = None) -> Source:
    """Use one module by its full path, as the person at the computer named it; its slots are the readers."""
    card = Pkcs11Card(path, slot=slot)
    return Source(traced(card), module_readers(card))


def computer_source() -> Source:
    """Use every reader of this computer and the drivers installed on it."""
    watched = PcscReaders.of_this_computer()
    # A second look at the same readers: each object serves one watcher.
    return Source(traced(cast("Card", ReaderCards(PcscReaders.of_this_computer()))), watched, watched.service)


def source(simulated: Sequence[str] | None = None, module: str | None = None, *, slot: int | None = None) -> Source:
    """Return what the command line names, or the computer's own readers where it names nothing."""
    if simulated:
        return simulated_source(simulated)
    return module_source(module, slot=slot) if module else computer_source()
