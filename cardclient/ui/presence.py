"""Whether the card is in its reader, as the strip and the pages say it; and a card being put in again after success."""

from __future__ import annotations

from collections.abc import Callable

from cardclient.ports import CardView, ReaderState
from cardclient.ui.pages.ending import REINSERTION_PAUSE, ResultPage
from cardclient.words import tr


class Presence:
    """Follows the readers; without a card to follow it speaks of any.

    A driver may call a reader by another name than the system does: then all readers stand for it.
    """

    def __init__(self) -> None:
        """Know nothing yet."""
        self._states: tuple[ReaderState, ...] = ()
        self._card: CardView | None = None
        self._wanted = 0
        self.is_known = False

    def see(self, states: tuple[ReaderState, ...]) -> None:
        """Take what the readers hold now."""
        self._states, self.is_known = states, True

    def snapshot(self) -> tuple[ReaderState, ...]:
        """Return what was seen last: a second asker costs the readers nothing (`Readers.snapshot`)."""
        return self._states

    def wait(self, seconds: float) -> bool:
        """Wait for nothing: the watch sees what changes (`Readers.wait`)."""
        del seconds
        return False

    def follow(self, card: CardView | None) -> None:
        """Follow this card from now on; it is in at this moment."""
        self._card = card
        self._wanted = self._filled

    @property
    def _mine(self) -> list[ReaderState]:
        named = [each for each in self._states if self._card and each.name == self._card.reader]
        return named or list(self._states)

    @property
    def _filled(self) -> int:
        return sum(each.atr is not None for each in self._mine)

    @property
    def is_in(self) -> bool:
        """Whether the followed card is in, or any card; True while nothing is known.

        No reader at all: the followed card went with its reader, unless none was seen when it was found either (a
        module named by its path, on a computer without the system's card service).
        """
        if not self.is_known:
            return True
        if not self._states:
            return not (self._card and self._wanted)
        return self._filled >= max(self._wanted, 1)

    @property
    def text(self) -> str:
        """Return the strip's line."""
        if not self.is_known:
            return ""
        if self._card:
            serial = self._card.serial
            if self.is_in:
                return tr("Carta {serial} nel lettore", serial=serial)
            return tr("La carta {serial} è stata rimossa: reinseriscila", serial=serial)
        filled = [each.name for each in self._states if each.atr is not None]
        if not self._states:
            return tr("Nessun lettore collegato")
        return tr("Carta nel lettore: {names}", names=", ".join(filled)) if filled else tr("Nessuna carta nel lettore")


class Reinsertion:
    """Sees a card of AC 2014 or AC 2018 being taken out and put in again after some seconds (SogeiExtend §2)."""

    def __init__(self, page: ResultPage, elapsed: Callable[[], float]) -> None:
        """Follow on this page; `elapsed` counts seconds."""
        self._page, self._elapsed = page, elapsed
        self._out_since: float | None = None
        self.is_done = False

    def see(self, *, is_in: bool) -> None:
        """Take what the reader says now."""
        if self.is_done:
            return
        if not is_in:
            self._out_since = self._elapsed()
            self._page.show_removed()
        elif self._out_since is not None:
            self.is_done = self._elapsed() - self._out_since >= REINSERTION_PAUSE
            (self._page.show_reinserted if self.is_done else self._page.show_too_early)()
