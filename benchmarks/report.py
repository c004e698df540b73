"""What a benchmark prints: a table that shows the noise, and the last line for programs."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Target:
    """A bound on the median of a ratio: `at_least` or, where that is None, `at_most`."""

    at_least: float | None = None
    at_most: float | None = None

    def is_met_by(self, value: float) -> bool:
        """Say whether the value lies within the bound."""
        if self.at_least is not None:
            return value >= self.at_least
        return self.at_most is not None and value <= self.at_most

    def __str__(self) -> str:
        """Show the bound as one writes it."""
        return f">= {self.at_least:g}" if self.at_least is not None else f"<= {self.at_most:g}"


@dataclass(frozen=True)
class Spread:
    """Median of a figure over the rounds, with the extremes: on a busy machine they lie far apart."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Take the rounds' values."""
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        """Show `median (least to most)` with three digits."""
        return f"{_short(self.median)} ({_short(self.least)} to {_short(self.most)})"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    position = max(0, min(len(ordered) - 1, -(-int(share * 1000) * len(ordered) // 1000) - 1))
    return ordered[position]


def quotients(upper: Sequence[float], lower: Sequence[float]) -> list[float]:
    """Divide round by round: both were measured in turn, under the same disturbance."""
    return [a / b for a, b in zip(upper, lower, strict=True)]


def print_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print columns, the first one flush left."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    for number, row in enumerate(cells):
        shown = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join([row[0].ljust(widths[0]), *shown[1:]]).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))
    print(flush=True)


def conclude(workload: str, ratios: Mapping[str, Sequence[float]], targets: Mapping[str, Target]) -> bool:
    """Print each ratio against its target, then the line for programs; return whether all targets are met."""
    spreads = {name: Spread.of(values) for name, values in ratios.items()}
    met = {name: target.is_met_by(spreads[name].median) for name, target in targets.items()}
    rows = [
        [name, spread, targets.get(name, ""), {True: "met", False: "MISSED", None: ""}[met.get(name)]]
        for name, spread in spreads.items()
    ]
    print_table(["ratio", "median (least to most)", "target", ""], rows)
    summary: dict[str, Any] = {
        "workload": workload,
        "ratios": {name: round(spread.median, 3) for name, spread in spreads.items()},
        "targets": {name: str(target) for name, target in targets.items()},
        "meets": all(met.values()),
    }
    print(json.dumps(summary), flush=True)
    return all(met.values())


def _short(value: float) -> str:
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
