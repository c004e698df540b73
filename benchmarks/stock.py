"""W8: many clients take from one counter, with 2 ms of other work in each transaction.

Product: `cms.services.stock.reserve` as the last statement of the transaction. Peer: the row locked first
(`select_for_update`), as one writes it without thinking. Limit: movements only, which no counter guards.
Afterwards the scarce counter: more clients than units. After every run the books must agree to the unit.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import django

from benchmarks import report, services
from benchmarks.report import Spread, Target

if TYPE_CHECKING:
    from benchmarks.counters import Faults

CLIENTS = (16, 64)
ROUNDS, SECONDS = (2, 0.6) if services.IS_QUICK else (5, 3.0)
PLENTY, SCARCE = 1_000_000, 200

Rates = dict[tuple[str, int], list[float]]


def main() -> int:
    """Run everything and report, whatever the figures; missed targets stand in the last line."""
    with services.running() as servers:
        servers.prepare()
        os.environ.update(servers.environment())
        django.setup()
        present(*measure(servers))
    return 0


def measure(servers: services.Servers) -> tuple[Rates, Faults]:
    """Run the three ways in turn for each number of clients, and check the books after each run."""
    from benchmarks import counters  # noqa: PLC0415 - needs the settings, which need the servers

    rates: Rates = {}
    faults, crew = counters.Faults(), counters.Crew(max(CLIENTS))
    for _ in range(ROUNDS):
        for clients in CLIENTS:
            for name in counters.WAYS:
                counter = counters.new_counter(PLENTY)
                seen = crew.run(name, counter, clients, SECONDS)
                rates.setdefault((name, clients), []).append(seen.committed / SECONDS)
                if name != "ledger":
                    faults.check(counter, PLENTY, seen)
    for clients in CLIENTS:
        counter = counters.new_counter(SCARCE)
        faults.check(counter, SCARCE, crew.run("product", counter, clients, None))
    faults.deadlocks += servers.count("SELECT deadlocks FROM pg_stat_database WHERE datname = 'sigillo'")
    return rates, faults


def present(rates: Rates, faults: Faults) -> None:
    """Print the table and the ratios."""
    names = list(dict.fromkeys(name for name, _ in rates))
    head = ["transactions/s", *(f"{clients} clients: median (least to most)" for clients in CLIENTS)]
    report.print_table(head, [[name, *(Spread.of(rates[name, clients]) for clients in CLIENTS)] for name in names])
    ratios: dict[str, list[float]] = {}
    for clients in CLIENTS:
        product = rates["product", clients]
        ratios[f"product/lock-first, {clients} clients"] = report.quotients(product, rates["lock-first", clients])
        ratios[f"product/ledger, {clients} clients"] = report.quotients(product, rates["ledger", clients])
    few, many = (rates["product", clients] for clients in CLIENTS)
    ratios["product, 64/16 clients"] = report.quotients(many, few)
    counted = {"oversold": faults.oversold, "lost": faults.lost, "deadlocks": faults.deadlocks}
    ratios |= {name: [float(count)] for name, count in counted.items()}
    targets = {"product/lock-first, 16 clients": Target(at_least=6), **dict.fromkeys(counted, Target(at_most=0))}
    report.conclude("stock", ratios, targets)


if __name__ == "__main__":
    sys.exit(main())
