"""Some cards show their new certificate only after they were out of the reader for a moment (AC 2014 and AC 2018)."""

from __future__ import annotations

import time
from collections.abc import Callable

from cardclient.ports import Readers

LOOK = 1.0  # seconds between two looks, where a reader cannot wake us


def was_reinserted(
    readers: Readers,
    reader: str,
    *,
    seconds: float,
    elapsed: Callable[[], float] = time.monotonic,
    stopped: Callable[[], bool] = lambda: False,
) -> bool:
    """Wait until the card was taken out of this reader and a card put in again; False when time is up or `stopped`.

    A reader whose name is not among the present ones (a driver may name it otherwise) stands for all of them.
    """
    until, was_out = elapsed() + seconds, False
    known = {each.name for each in readers.snapshot()}
    only = reader if reader in known else None
    before = _filled(readers, only)
    while not stopped():
        present = _filled(readers, only)
        was_out = was_out or present < before
        if was_out and present >= before:
            return True
        left = until - elapsed()
        if left <= 0:
            return False
        readers.wait(min(LOOK, left))
    return False


def _filled(readers: Readers, only: str | None) -> int:
    """How many readers hold a card: of all, or of the one with this name."""
    return sum(each.atr is not None and only in {None, each.name} for each in readers.snapshot())
