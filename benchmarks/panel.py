"""W9: pages of the panel over a register of years, behind row policies.

The operator sits in the biggest of fifty centres, which holds a fifth of everything. Product: the whole page in this
process, middleware and real template included. Limit: the same SQL alone. Peer: Django's stock admin on the same table,
without scope and policies. The register is filled twice, small and large: a page must not tell which of the two it
reads.
"""

from __future__ import annotations

import os
import statistics
import sys
from collections import defaultdict
from typing import TYPE_CHECKING

import django

from benchmarks import report, services
from benchmarks.report import Spread, Target

if TYPE_CHECKING:
    from benchmarks.panel_pages import Page

SMALL = 50_000
LARGE = int(os.environ.get("CASES") or (200_000 if services.IS_QUICK else 5_000_000))
ROUNDS, PEER_ROUNDS = (5, 1) if services.IS_QUICK else (15, 3)
WARM_UP = 3
PAGE_MS, SEARCH_MS = 15.0, 50.0


def main() -> int:
    """Run everything and report, whatever the figures; missed targets stand in the last line."""
    with services.running() as servers:
        servers.prepare()
        servers.copy_database("large")
        os.environ.update(servers.environment(SIGILLO_ALLOWED_HOSTS="testserver"))
        django.setup()
        fill(servers)
        present(*measure())
    return 0


def fill(servers: services.Servers) -> None:
    """Fill the small register and the large one."""
    from benchmarks import panel_pages, panel_population  # noqa: PLC0415 - they need the settings, which need the servers

    for name, cases in (("sigillo", SMALL), ("large", LARGE)):
        with panel_pages.database(name):
            panel_population.fill(servers.postgres.address, name, cases)
            panel_pages.employ()


Figures = dict[str, dict[str, list[float]]]


def measure() -> tuple[list[Page], Figures, dict[str, int]]:
    """Ask every page in turn: small, large, SQL alone; then the peer."""
    from benchmarks import panel_pages  # noqa: PLC0415 - the same

    figures: Figures = defaultdict(lambda: defaultdict(list))
    counts: dict[str, int] = {}
    for name, column in (("sigillo", "small"), ("large", "large")):
        with panel_pages.database(name):
            found, client = panel_pages.pages(), panel_pages.seat()
            for number in range(WARM_UP + ROUNDS):
                for page in found:
                    took = panel_pages.milliseconds(page, client)
                    if number >= WARM_UP:
                        figures[page.name][column].append(took)
            if column == "small":
                continue
            for page in found:
                noted = panel_pages.statements_of(page, client)
                counts[page.name] = len(noted.asked)
                figures[page.name]["sql"] = [panel_pages.milliseconds_of_sql(noted) for _ in range(ROUNDS + 1)][1:]
            for _ in range(PEER_ROUNDS):
                for page_name, took in panel_pages.milliseconds_of_peer(found).items():
                    figures[page_name]["peer"].append(took)
    return found, figures, counts


def present(pages: list[Page], figures: Figures, counts: dict[str, int]) -> None:
    """Print the table and the ratios."""
    head = ["page, ms", "statements", f"{SMALL} cases", f"{LARGE} cases", "SQL alone", "stock admin"]
    rows = []
    for page in pages:
        columns = figures[page.name]
        shown = [Spread.of(columns[name]) if columns[name] else "" for name in ("small", "large", "sql", "peer")]
        rows.append([page.name, counts[page.name], *shown])
    report.print_table(head, rows)
    ratios, targets = _judged(pages, figures)
    report.conclude("panel", ratios, targets)


def _judged(pages: list[Page], figures: Figures) -> tuple[dict[str, list[float]], dict[str, Target]]:
    ratios: dict[str, list[float]] = {}
    targets: dict[str, Target] = {}
    plain, searches = [page for page in pages if not page.is_search], [page for page in pages if page.is_search]
    for page in pages:
        large, peer = figures[page.name]["large"], figures[page.name]["peer"]
        if peer:
            name = f"stock admin/product, {page.name}"
            ratios[name] = [one / statistics.median(large) for one in peer]
            targets[name] = Target(at_least=150)
    ratios["slowest page, ms"] = _slowest(plain, figures)
    ratios["slowest search, ms"] = _slowest(searches, figures)
    ratios["list: deep/first"] = report.quotients(figures["list, deep"]["large"], figures["list, first"]["large"])
    ratios["events: deep/first"] = report.quotients(figures["events, deep"]["large"], figures["events, first"]["large"])
    targets |= {"slowest page, ms": Target(at_most=PAGE_MS), "slowest search, ms": Target(at_most=SEARCH_MS)}
    targets |= {"list: deep/first": Target(at_most=1.3), "events: deep/first": Target(at_most=1.3)}
    for page in pages:
        name = f"large/small, {page.name}"
        ratios[name] = report.quotients(figures[page.name]["large"], figures[page.name]["small"])
    return ratios, targets


def _slowest(pages: list[Page], figures: Figures) -> list[float]:
    """The page whose median is the highest."""
    return max((figures[page.name]["large"] for page in pages), key=statistics.median)


if __name__ == "__main__":
    sys.exit(main())
