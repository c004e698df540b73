"""W1: complete enrolments over HTTP with eight clients, the server alone on one core.

Timed, as one piece of work of six requests, for a card whose form is signed: challenge and session (proof of possession
with the old key), two RSA-2048 requests with the old key's statement, two certificates issued and fetched, proof of
installation with both new keys; committed at the end: two ledger rows, the pair, the case *Completato*, the stock
debited, events, outbox. The form (PDF, signature of the document) is not in the definition of the workload; the whole
way with it is measured and printed beside.

Peer: django-ca's REST `sign`, one certificate a call, without login of a holder, register, stock, events and mails.
Limit: two raw signatures of the CA's key. `minus lint` is the same server with a linter that finds nothing.
"""

from __future__ import annotations

import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

from benchmarks import cores, load, product_servers, purse, raw_signatures, report, services
from benchmarks.cores import Memory
from benchmarks.holder_client import HolderClient
from benchmarks.load import Run
from benchmarks.minted_keys import minted
from benchmarks.peers import django_ca_server
from benchmarks.peers.django_ca_server import Peer
from benchmarks.purse import Card, request_for
from benchmarks.report import Spread, Target, percentile
from benchmarks.services import ROOT, Servers
from runtime.embedded.sockets import free_port

CLIENTS = 8
CERTIFICATES = 2  # in one enrolment
KEY_TYPES = ("p-256", "rsa-2048", "rsa-4096")
TARGETS = {
    "product/peer": {"rsa-4096": 20, "rsa-2048": 4, "p-256": 1},
    "minus lint/peer": {"rsa-4096": 60, "rsa-2048": 20, "p-256": 6},
}
P99_SHARE = 0.1
DRAIN_SECONDS = 120.0


@dataclass(frozen=True)
class Size:
    """How much is done in a round: enrolments with and without lint, and from the start; calls of the peer."""

    key_types: tuple[str, ...]
    rounds: int
    enrolments: int
    from_the_start: int
    peer_calls: Mapping[str, int]
    limit_seconds: float
    warm_up: int

    @property
    def signed_cards(self) -> int:
        """Cards that are to be prepared up to the signed form."""
        return 2 * (self.warm_up + self.rounds * self.enrolments)

    @property
    def unsigned_cards(self) -> int:
        """Cards that begin at the beginning."""
        return self.rounds * self.from_the_start


FULL = Size(KEY_TYPES, 5, 16, 4, {"rsa-4096": 16, "rsa-2048": 48, "p-256": 96}, 0.5, 4)
QUICK = Size(KEY_TYPES[-1:], 2, 6, 2, {"rsa-4096": 6}, 0.2, 2)


@dataclass
class Measured:
    """The rounds of one key type."""

    runs: dict[str, list[Run]] = field(default_factory=dict)
    limits: list[float] = field(default_factory=list)

    def add(self, name: str, run: Run) -> None:
        """Keep a run of one of the contenders."""
        self.runs.setdefault(name, []).append(run)

    def rates(self, name: str) -> list[float]:
        """Certificates per second, by round."""
        return [run.rate * _certificates(name) for run in self.runs[name]]

    def cpu(self, name: str) -> list[float]:
        """The server's processor milliseconds for one certificate, by round."""
        return [run.cpu_each / _certificates(name) * 1000 for run in self.runs[name]]

    def quantiles(self, name: str, share: float) -> list[float]:
        """A quantile of the time of one piece of work, in milliseconds, by round."""
        return [percentile(run.times, share) * 1000 for run in self.runs[name]]


def main() -> int:
    """Run everything and report, whatever the figures; missed targets stand in the last line."""
    size = QUICK if services.IS_QUICK else FULL
    with ExitStack() as stack:
        servers = stack.enter_context(services.running())
        writers = start_populating(servers, size)
        stack.enter_context(cores.on(cores.REST))
        cores.keep(servers.postgres_pid, cores.REST)
        peer = stack.enter_context(django_ca_server.running(servers))
        wallets = populated(servers, writers)
        measured = {key_type: measure(servers, peer, key_type, cards, size) for key_type, cards in wallets.items()}
        served = servers.count("SELECT count(*) FROM django_ca_certificate", django_ca_server.DATABASE)
        asked = sum(len(run.times) for each in measured.values() for run in each.runs["django-ca"])
        if served < asked:
            message = f"django-ca answered {asked} calls and stored {served} certificates"
            raise AssertionError(message)
        present(measured)
    return 0


def start_populating(servers: Servers, size: Size) -> dict[str, subprocess.Popen[bytes]]:
    """Begin to fill one database per key type, all at the same time."""
    servers.prepare()
    numbers, writers = [str(size.signed_cards), str(size.unsigned_cards)], {}
    for key_type in size.key_types:
        servers.copy_database(key_type)
        command = [sys.executable, "-m", "benchmarks.population", key_type, *numbers, str(_wallet(servers, key_type))]
        writers[key_type] = subprocess.Popen(command, cwd=ROOT, env=environment(servers, key_type))
    return writers


def populated(servers: Servers, writers: Mapping[str, subprocess.Popen[bytes]]) -> dict[str, list[Card]]:
    """Wait until the databases are filled, and read the cards."""
    failed = [key_type for key_type, writer in writers.items() if writer.wait()]
    if failed:
        message = f"the population ended with an error: {', '.join(failed)}"
        raise RuntimeError(message)
    return {key_type: purse.read(_wallet(servers, key_type)) for key_type in writers}


def _wallet(servers: Servers, key_type: str) -> Path:
    return servers.folder / f"{key_type}.cards"


def environment(servers: Servers, key_type: str, **more: str) -> dict[str, str]:
    """Build the environment of the product with this key type: a database and a Redis database of its own."""
    redis = servers.redis.url.replace("db=0", f"db={1 + KEY_TYPES.index(key_type)}")
    return servers.environment(key_type, SIGILLO_REDIS_URL=redis, **more)


def measure(servers: Servers, peer: Peer, key_type: str, cards: Sequence[Card], size: Size) -> Measured:
    """Run all contenders in turn with one type of CA key, then check and tidy up as production would."""
    measured, supply = Measured(), Supply(cards, size)
    own = environment(servers, key_type, SIGILLO_SMTP_PORT=str(free_port(8650)))
    key = raw_signatures.make_key(key_type)
    pem = cycle([_pem(request_for(each)) for each in minted(16)])
    sign = peer.signer(key_type)
    with ExitStack() as stack:
        log = servers.folder / f"web-{key_type}.log"
        linted = stack.enter_context(product_servers.web("config.wsgi:application", own, log))
        bare = stack.enter_context(product_servers.web("benchmarks.unlinted:application", own, log))
        for each in (linted, bare):
            _enrol(each, supply.signed(size.warm_up))
        load.drive(list(islice(pem, 2)), sign, clients=1, server_pid=peer.pid)
        for _ in range(size.rounds):
            measured.add("product", _enrol(linted, supply.signed(size.enrolments)))
            measured.add("product minus lint", _enrol(bare, supply.signed(size.enrolments)))
            measured.add("product with form", _enrol(linted, supply.unsigned(), HolderClient.renew_from_the_start))
            calls = list(islice(pem, size.peer_calls[key_type]))
            measured.add("django-ca", load.drive(calls, sign, clients=CLIENTS, server_pid=peer.pid))
            measured.limits.append(raw_signatures.pairs_per_second(key, size.limit_seconds) * CERTIFICATES)
        present_key_type(key_type, measured)
        if key_type == KEY_TYPES[-1]:
            present_memory(settle(servers, own, linted[1]))
    subprocess.run([sys.executable, "manage.py", "invariants"], cwd=ROOT, env=own, check=True)
    return measured


@dataclass
class Supply:
    """Cards, each used once."""

    cards: Sequence[Card]
    size: Size
    used: int = 0
    started: int = 0

    def signed(self, number: int) -> list[Card]:
        """Take cards whose form is signed."""
        self.used += number
        return list(self.cards[self.used - number : self.used])

    def unsigned(self) -> list[Card]:
        """Take a round's cards that begin at the beginning."""
        self.started += self.size.from_the_start
        end = self.size.signed_cards + self.started
        return list(self.cards[end - self.size.from_the_start : end])


def settle(servers: Servers, own: Mapping[str, str], web_pid: int) -> dict[str, Memory]:
    """Let worker and beat send every mail that the enrolments have left, then measure everybody's memory."""
    unsent = "SELECT count(*) FROM notifications_outboxmessage WHERE state <> 'sent'"
    with product_servers.background(own, servers.folder) as children:
        deadline = time.monotonic() + DRAIN_SECONDS
        while left := servers.count(unsent, KEY_TYPES[-1]):
            if time.monotonic() > deadline:
                message = f"{left} mails are still unsent"
                raise AssertionError(message)
            time.sleep(0.5)
        return {
            "web": Memory.of(web_pid),
            "worker": Memory.of(children["worker"].process.pid),
            "beat": Memory.of(children["beat"].process.pid),
        }


def _enrol(
    server: tuple[int, int], cards: Sequence[Card], way: Callable[[HolderClient], None] = HolderClient.renew
) -> Run:
    port, pid = server

    def one(card: Card) -> None:
        client = HolderClient(port, card)
        try:
            way(client)
        finally:
            client.close()

    return load.drive(cards, one, clients=CLIENTS, server_pid=pid)


def present_key_type(key_type: str, measured: Measured) -> None:
    """Print what each contender did with this type of CA key."""
    head = [key_type, "certificates/s", "CPU ms/certificate", "p50 ms", "p99 ms"]
    rows: list[list[object]] = [
        [
            name,
            Spread.of(measured.rates(name)),
            Spread.of(measured.cpu(name)),
            Spread.of(measured.quantiles(name, 0.5)),
            Spread.of(measured.quantiles(name, 0.99)),
        ]
        for name in measured.runs
    ]
    report.print_table(head, [*rows, ["raw signatures", Spread.of(measured.limits), "", "", ""]])


def present_memory(memory: Mapping[str, Memory]) -> None:
    """Print the memory of the product's processes after the run."""
    rows = [[name, f"{each.resident:.0f}", f"{each.proportional:.0f}"] for name, each in memory.items()]
    report.print_table(["memory after the run", "RSS MiB", "PSS MiB"], rows)


def present(measured: Mapping[str, Measured]) -> None:
    """Print ratios and targets."""
    ratios: dict[str, list[float]] = {}
    targets: dict[str, Target] = {}
    for key_type, each in measured.items():
        peer = each.rates("django-ca")
        for title, name in (("product", "product"), ("minus lint", "product minus lint")):
            ratio = f"{title}/peer, {key_type}"
            ratios[ratio] = report.quotients(each.rates(name), peer)
            targets[ratio] = Target(at_least=TARGETS[f"{title}/peer"][key_type])
            ratios[f"{title}/peer by CPU time, {key_type}"] = report.quotients(each.cpu("django-ca"), each.cpu(name))
            ratios[f"{title}/limit, {key_type}"] = report.quotients(each.rates(name), each.limits)
        slowest = (each.quantiles(name, 0.99) for name in ("product", "django-ca"))
        ratios[f"p99 product/peer, {key_type}"] = report.quotients(*slowest)
    targets["p99 product/peer, rsa-4096"] = Target(at_most=P99_SHARE)
    report.conclude("enrollment", ratios, targets)


def _certificates(name: str) -> int:
    return 1 if name == "django-ca" else CERTIFICATES


def _pem(der: bytes) -> str:
    return ssl.DER_cert_to_PEM_cert(der).replace("CERTIFICATE", "CERTIFICATE REQUEST")


if __name__ == "__main__":
    sys.exit(main())
