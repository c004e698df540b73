"""How many mishaps were ordered and really happened, by kind; shown at the end of the run."""

from __future__ import annotations

from collections import Counter

fired: Counter[str] = Counter()


def lines() -> list[str]:
    """What the run says at its end."""
    if not fired:
        return []
    told = ", ".join(f"{kind} {count}" for kind, count in sorted(fired.items()))
    return [f"card client: {sum(fired.values())} faults fired ({told})"]
