"""W6: the sweep that suspends what nobody has authorised in time, among one and five million certificates.

Timed is all of it, for a number of certificates that are due (two of a case): the register's statement (case, holds,
wishes to the CA, event), the CA's own batch (ledger with CRL entry, journal), claim and settlement (status, event,
mail). Peers (`benchmarks.sweep_ways`): the ORM row by row; `bulk_update`; django-ca's `revoke()`, which writes its own
row and nothing else. They are timed on some of the rows, and by proportion. Limit: bare UPDATEs of the same rows. An
empty night is a round of all sweeps that finds nothing due. `CASES` takes other numbers of certificates, with commas.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

import django

from benchmarks import report, services
from benchmarks.peers import django_ca_server
from benchmarks.report import Spread, Target

if TYPE_CHECKING:
    from datetime import datetime

KEY_TYPE = "rsa-2048"
USUAL = "100000,200000" if services.IS_QUICK else "1000000,5000000"
SIZES = tuple(int(each) for each in os.environ.get("CASES", USUAL).split(","))
DUE = (1_000, 10_000) if services.IS_QUICK else (1_000, 10_000, 100_000)
ROUNDS = 2 if services.IS_QUICK else 3
BIG_ROUNDS = 1  # of the largest number due
SAMPLE = {"row by row": 200 if services.IS_QUICK else 600, "bulk_update": 2_000}
REVOKED = 300 if services.IS_QUICK else 2_000
PEER_CERTIFICATES = 20_000
CA_AGE = timedelta(days=3650)
MAIN = 10_000
EMPTY_NIGHT_MS = 5.0

Figures = dict[str, list[float]]


def main() -> int:
    """Run everything and report, whatever the figures; missed targets stand in the last line."""
    with services.running() as servers:
        servers.prepare()
        os.environ.update(servers.environment())
        django.setup()
        figures = measure(servers)
        peer = django_ca_server.founded(servers)
        for _ in range(ROUNDS):
            seconds = json.loads(peer.run("revoke.py", KEY_TYPE, PEER_CERTIFICATES, REVOKED))
            peer.run("forget.py")
            for each in figures.values():
                each["django-ca"].append(seconds / REVOKED)
    present(figures)
    return 0


def measure(servers: services.Servers) -> dict[int, Figures]:
    """Fill a database for each size, and take the ways in turn in it; seconds a certificate, but for the night."""
    from authority.services import ceremony  # noqa: PLC0415 - they need the settings, which need the servers
    from benchmarks import ledger, sweep_population  # noqa: PLC0415
    from runtime import clock  # noqa: PLC0415

    ceremony.hold_ceremony(key_type=KEY_TYPE, valid_from=clock.now() - CA_AGE, at=clock.now())
    django.db.connection.close()
    figures = {}
    for size in SIZES:
        servers.copy_database(str(size))
        with ledger.working_on(str(size)):
            begun = time.perf_counter()
            sweep_population.fill(servers, str(size), size)
            print(f"{size} certificates: filled in {time.perf_counter() - begun:.0f} s", flush=True)
            figures[size] = Measured(size // 2, servers, str(size)).run(clock.now())
    return figures


class Measured:
    """The figures of one register."""

    def __init__(self, cases: int, servers: services.Servers, database: str) -> None:
        """Begin with cases that nobody has used."""
        self.cases, self.used = cases, 0
        self.figures: Figures = defaultdict(list)
        self._servers, self._database = servers, database

    def run(self, at: datetime) -> Figures:
        """Everything, in turn."""
        from benchmarks import sweep_ways  # noqa: PLC0415 - it needs the settings

        for number in range(ROUNDS):
            for due in DUE:
                if due != max(DUE) or number < BIG_ROUNDS or due == MAIN:
                    self.product(due, at)
            for name, way in (("row by row", sweep_ways.row_by_row), ("bulk_update", sweep_ways.in_bulk)):
                self.figures[name].append(way(self.due(SAMPLE[name], at), at) / SAMPLE[name])
            self.figures["bare UPDATE"].append(sweep_ways.bare(self.due(MAIN, at), at) / MAIN)
            self.night(at)
            said = (f"{name} {values[-1] * 1e6:.0f}" for name, values in self.figures.items())
            print(f"round {number + 1}, microseconds: {', '.join(said)}", flush=True)
        return self.figures

    def due(self, certificates: int, at: datetime) -> list[int]:
        """Let so many certificates be due, that were not before."""
        from benchmarks import sweep_population  # noqa: PLC0415

        # As the application may not touch triggers, the database's owner prepares.
        first, self.used = self.used, self.used + certificates // 2
        if self.used > self.cases:
            raise AssertionError(f"{self.cases} cases are too few for this run")
        address = self._servers.postgres.address
        return sweep_population.make_due(address, self._database, (self.cases, first, certificates // 2), at)

    def product(self, due: int, at: datetime) -> None:
        """Sweep and worker, and that nothing was left."""
        from benchmarks import sweep_ways  # noqa: PLC0415
        from cms.models import CaRequest, Certificate  # noqa: PLC0415

        before = Certificate.objects.filter(status="held").count()
        self.due(due, at)
        parts = sweep_ways.product(at)
        held = Certificate.objects.filter(status="held").count() - before
        left = CaRequest.objects.exclude(state="done").count()
        if (held, left) != (due, 0):
            raise AssertionError(f"{held} of {due} were suspended, {left} wishes are left")
        for name, seconds in parts.items():
            self.figures[f"{name}, {due} due"].append(seconds / due)
        self.figures[f"product, {due} due"].append(sum(parts.values()) / due)

    def night(self, at: datetime) -> None:
        """A round that finds nothing."""
        from renewals import sweeps  # noqa: PLC0415

        begun = time.perf_counter()
        done = sweeps.run_round(now=at)
        self.figures["empty night"].append(time.perf_counter() - begun)
        if done:
            raise AssertionError(f"{done} rows were due in an empty night")


def present(figures: dict[int, Figures]) -> None:
    """Print the tables, the ratios and the targets."""
    if services.IS_QUICK:
        print(f"QUICK: {max(DUE)} due at most, {ROUNDS} rounds, smaller samples of the peers", flush=True)
    names = list(next(iter(figures.values())))
    head = ["microseconds a certificate (night: in all)", *(f"{size} certificates" for size in SIZES)]
    report.print_table(head, [[name, *(_micro(figures[size][name]) for size in SIZES)] for name in names])
    ratios: dict[str, list[float]] = {}
    targets: dict[str, Target] = {}
    for size, each in figures.items():
        main = each[f"product, {MAIN} due"]
        for name, least in (("row by row", 100), ("bulk_update", 30), ("django-ca", 40)):
            ratio = f"{name}/product, {size}"
            ratios[ratio] = _against(each[name], main)
            targets[ratio] = Target(at_least=least)
        for name in ("register", "product"):
            ratios[f"{name}/bare UPDATE, {size}"] = _against(each[f"{name}, {MAIN} due"], each["bare UPDATE"])
        targets[f"product/bare UPDATE, {size}"] = Target(at_most=1.6)
        ratios[f"empty night, ms, {size}"] = [seconds * 1000 for seconds in each["empty night"]]
        targets[f"empty night, ms, {size}"] = Target(at_most=EMPTY_NIGHT_MS)
        for fewer, more in itertools.pairwise(DUE):
            ratio = f"time for {more}/{fewer} due, {size}"
            slower = _against(each[f"product, {more} due"], each[f"product, {fewer} due"])
            ratios[ratio] = [value * more / fewer for value in slower]
            targets[ratio] = Target(at_most=more / fewer)
    if len(SIZES) > 1:
        growth = f"{SIZES[-1]}/{SIZES[0]} certificates, {MAIN} due"
        small, large = (figures[size][f"product, {MAIN} due"] for size in (SIZES[0], SIZES[-1]))
        ratios[growth] = _against(large, small)
        targets[growth] = Target(at_most=1.25)
    report.conclude("sweep", ratios, targets)


def _against(upper: list[float], lower: list[float]) -> list[float]:
    """Each of the upper figures by the median of the lower ones: the two have not the same number of rounds."""
    return [each / Spread.of(lower).median for each in upper]


def _micro(seconds: list[float]) -> Spread:
    return Spread.of([each * 1e6 for each in seconds])


if __name__ == "__main__":
    sys.exit(main())
