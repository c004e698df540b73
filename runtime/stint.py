"""How long one task works before it leaves the rest to the next."""

from __future__ import annotations

import time

SECONDS = 60.0  # half of a task's soft limit: the batch that is under way when it is over still ends in time


class Stint:
    """A stretch of work. Monotonic seconds: this is about lasting, not about dates."""

    def __init__(self, seconds: float = SECONDS) -> None:
        """Start now."""
        self._ends = time.monotonic() + seconds

    @property
    def is_over(self) -> bool:
        """Whether no further batch should be begun."""
        return time.monotonic() >= self._ends
