"""W3 and W4: a full CRL from the database to a file, and one suspension to the republished shard.

W3, product: one change waits; the complete list is published (read, checked, signed, committed) and its file replaced.
*Anew* is the same with every part of the list gathered from the ledger again. Peers: django-ca's own function, which
stores the list in its database, and a file; `openssl ca -gencrl` with its index file. Floor: SHA-256 of the bytes and
one signature. Peak memory is what the publication adds to the process.

W4, product: one suspension and one reactivation, each until the commit that publishes its year's shard; a fifth of all
that is revoked lies in that shard. Peer: pyca's builder makes the whole list anew from the ledger's rows. Limit: one
signature and one commit.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING

import django

from benchmarks import report, services
from benchmarks.openssl_index import prepare_openssl
from benchmarks.peers import django_ca_server
from benchmarks.report import Spread, Target

if TYPE_CHECKING:
    from benchmarks.lists import Lists

KEY_TYPE = "rsa-2048"
YEARS = (2021, 2022, 2023, 2024, 2025)
SIZES = (10_000, 100_000) if services.IS_QUICK else (10_000, 100_000, 1_000_000)
ROUNDS = 3 if services.IS_QUICK else 5
PEER_ROUNDS = {10_000: ROUNDS, 100_000: 1 if services.IS_QUICK else 2}
OPENSSL_SIZE = SIZES[-1]
OPENSSL_ROUNDS = 2
LARGEST = SIZES[-1]
AT_LEAST = {10_000: 60, 100_000: 250}

Figures = dict[str, list[float]]


def main() -> int:
    """Run everything and report, whatever the figures; missed targets stand in the last line."""
    with services.running() as servers:
        servers.prepare()
        os.environ.update(servers.environment(SIGILLO_ALLOWED_HOSTS="testserver"))
        django.setup()
        from benchmarks.lists import Lists  # noqa: PLC0415 - it needs the settings, which need the servers

        lists = Lists.founded(servers, KEY_TYPE, YEARS)
        figures: dict[int, Figures] = {size: defaultdict(list) for size in SIZES}
        for size in SIZES:
            say(f"filling {size}")
            lists.fill(size)
        say("peers")
        measure_peers(servers, django_ca_server.founded(servers), figures)
        for number in range(ROUNDS):
            say(f"round {number + 1}")
            for size in SIZES:
                measure(lists, size, figures[size])
        lists.measure_rebuild(LARGEST, figures[LARGEST])
        present(figures)
    return 0


def say(what: str) -> None:
    """Tell somebody who waits for minutes what is being done."""
    print(f"{time.strftime('%H:%M:%S')} {what} ...", file=sys.stderr, flush=True)


def measure(lists: Lists, size: int, figures: Figures) -> None:
    """One round of the product with lists of this size."""
    with lists.of(size):
        figures["product"].append(lists.publish_complete(is_anew=False))
        figures["product, anew"].append(lists.publish_complete(is_anew=True))
        figures["floor"].append(lists.floor())
        figures["memory/size"].append(lists.memory_of_publication())
        hold, release = lists.change_one()
        figures["hold to shard"].append(hold)
        figures["release to shard"].append(release)
        figures["limit of a change"].append(lists.floor_of_change())


def measure_peers(servers: services.Servers, peer: django_ca_server.Founded, figures: dict[int, Figures]) -> None:
    """django-ca up to a hundred thousand; OpenSSL at the largest size."""
    for size, rounds in PEER_ROUNDS.items():
        told = peer.run("revocations.py", KEY_TYPE, size, 0, rounds, servers.folder / "peer.crl")
        figures[size]["django-ca"] += json.loads(told)
        peer.run("forget.py")
    folder = servers.folder / "openssl"
    folder.mkdir()
    prepare_openssl(folder, OPENSSL_SIZE, KEY_TYPE)
    for _ in range(OPENSSL_ROUNDS):
        begun = time.perf_counter()
        subprocess.run(
            ["openssl", "ca", "-config", "ca.cnf", "-gencrl", "-out", "new.crl"],
            cwd=folder,
            check=True,
            stderr=subprocess.DEVNULL,
        )
        (folder / "new.crl").replace(folder / "ca.crl")
        figures[OPENSSL_SIZE]["openssl ca"].append(time.perf_counter() - begun)


def present(figures: dict[int, Figures]) -> None:
    """Print the tables, the ratios and the targets."""
    names = list(dict.fromkeys(name for each in figures.values() for name in each))
    rows = [[name, *(_milliseconds(figures[size], name) for size in SIZES)] for name in names]
    report.print_table(["ms (memory: times the list)", *(f"{size} entries" for size in SIZES)], rows)
    ratios: dict[str, list[float]] = {}
    targets: dict[str, Target] = {}
    for size, least in AT_LEAST.items():
        name = f"django-ca/product, {size}"
        ratios[name] = _against(figures[size]["django-ca"], figures[size]["product"])
        targets[name] = Target(at_least=least)
    large = figures[LARGEST]
    for name, values, target in (
        (f"openssl ca/product, {LARGEST}", _against(large["openssl ca"], large["product"]), Target(at_least=22)),
        (f"product/floor, {LARGEST}", report.quotients(large["product"], large["floor"]), Target(at_most=8)),
        (f"product, anew/floor, {LARGEST}", report.quotients(large["product, anew"], large["floor"]), None),
        (f"memory/size of the list, {LARGEST}", large["memory/size"], Target(at_most=4)),
        ("hold to shard, ms", [each * 1000 for each in large["hold to shard"]], Target(at_most=100)),
        ("release to shard, ms", [each * 1000 for each in large["release to shard"]], Target(at_most=100)),
        ("rebuild/hold to shard", _against(large["rebuild"], large["hold to shard"]), Target(at_least=100)),
        (
            f"{LARGEST}/{SIZES[-2]} entries",
            _against(large["product"], figures[SIZES[-2]]["product"]),
            Target(at_most=12),
        ),
    ):
        ratios[name] = values
        if target is not None:
            targets[name] = target
    report.conclude("crl", ratios, targets)


def _against(upper: list[float], lower: list[float]) -> list[float]:
    """Each of the upper figures by the median of the lower ones: the two have not the same number of rounds."""
    return [each / Spread.of(lower).median for each in upper]


def _milliseconds(figures: Figures, name: str) -> object:
    if name not in figures:
        return ""
    scale = 1 if name.startswith("memory") else 1000
    return Spread.of([value * scale for value in figures[name]])


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main())
