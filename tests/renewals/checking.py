"""The invariant checker as tests call it; its runs are counted and shown at the end of the run."""

from __future__ import annotations

from datetime import datetime

from renewals import invariants

runs = 0


def assert_invariants(now: datetime) -> None:
    """Fail with every breach named."""
    global runs  # noqa: PLW0603 - a counter of the run
    runs += 1
    found = [str(breach) for breach in invariants.breaches(now=now)]
    assert found == [], found
