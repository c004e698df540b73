"""Opens a port at its first use, in the thread that uses it: what stands behind one takes long to load."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


class Later:
    """Stands for what `open_it` returns, which is called once; two threads at once get the same."""

    def __init__(self, open_it: Callable[[], object]) -> None:
        """Keep how it is opened."""
        self._open, self._opened = open_it, False
        self._behind: object = None
        self._turn = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        """Pass every name on."""
        if name.startswith("_"):
            raise AttributeError(name)
        with self._turn:
            if not self._opened:
                self._behind, self._opened = self._open(), True
        return getattr(self._behind, name)
