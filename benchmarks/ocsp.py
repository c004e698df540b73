"""W5: OCSP by POST, random serial numbers, the server alone on one core.

Product: *on demand* (each question has a nonce, so each answer is signed), *at hand* (without nonce, asked before: the
ledger is read, the signature is reused). Peers: django-ca's own view; OpenSSL's responder with its index in memory.
Limits: raw signatures of the responder's key; a plain view of the same server (`/healthz`, through all of its
middleware). Growth: the same over a ledger of millions.
"""

from __future__ import annotations

import http.client
import os
import random
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import django

from benchmarks import cores, load, product_servers, raw_signatures, report, services
from benchmarks.load import Run
from benchmarks.openssl_index import prepare_openssl
from benchmarks.peers import django_ca_server
from benchmarks.report import Spread, Target
from runtime.embedded.processes import start_child, wait_until
from runtime.embedded.sockets import free_port

CLIENTS = 8
KEY_TYPES = ("rsa-2048",) if services.IS_QUICK else ("rsa-2048", "p-256")
SMALL = 10_000
LARGE = 100_000 if services.IS_QUICK else 5_000_000
OPENSSL_SIZE = 10_000 if services.IS_QUICK else 100_000
ROUNDS = 2 if services.IS_QUICK else 5
ASKED = 600 if services.IS_QUICK else 2000
PEER_ASKED = {"rsa-2048": 40, "p-256": 200}
LIMIT_SECONDS = 0.5
AT_LEAST = {"rsa-2048": 50, "p-256": 6}
OCSP_TYPE = {"Content-Type": "application/ocsp-request"}
SUCCESSFUL = b"\x0a\x01\x00"  # OCSPResponseStatus, at the beginning of each answer

Rates = dict[str, list[float]]


def main() -> int:
    """Run everything and report, whatever the figures; missed targets stand in the last line."""
    with services.running() as servers, ExitStack() as stack:
        servers.prepare()
        os.environ.update(servers.environment(SIGILLO_ALLOWED_HOSTS="127.0.0.1"))
        django.setup()
        from benchmarks.responders import found  # noqa: PLC0415 - it needs the settings, which need the servers

        asks = {key_type: found(servers, key_type, key_type, SMALL) for key_type in KEY_TYPES}
        asks["large"] = found(servers, "large", KEY_TYPES[0], LARGE)
        stack.enter_context(cores.on(cores.REST))
        cores.keep(servers.postgres_pid, cores.REST)
        rates: dict[str, Rates] = {key_type: defaultdict(list) for key_type in KEY_TYPES}
        peer = django_ca_server.founded(servers)
        peer.run("responder.py")
        for key_type in KEY_TYPES:
            peer.run("revocations.py", key_type, SMALL // 10, SMALL - SMALL // 10, 0, servers.folder / "peer.crl")
            measure(servers, peer, key_type, asks, rates[key_type])
            peer.run("forget.py")
        present(rates)
    return 0


Question = Callable[..., bytes]


def measure(
    servers: services.Servers,
    founded: django_ca_server.Founded,
    key_type: str,
    asks: dict[str, Question],
    rates: Rates,
) -> None:
    """All contenders in turn, with one type of key."""
    with ExitStack() as stack:
        ours = stack.enter_context(_product(servers, key_type))
        large = stack.enter_context(_product(servers, "large")) if key_type == KEY_TYPES[0] else None
        peer = stack.enter_context(django_ca_server.serving(servers, founded))
        openssl = stack.enter_context(openssl_responder(servers.folder / f"openssl-{key_type}", key_type))
        path = f"/django_ca/ocsp/{founded.serials[key_type]}/cert/"
        key = raw_signatures.make_key(key_type)
        hands = [asks[key_type](number, has_nonce=False) for number in _numbers(SMALL, ASKED // 2)]
        ask(ours, "/pki/ocsp/cns", hands)
        for _ in range(ROUNDS):
            questions = _with_nonces(asks[key_type], SMALL)
            rates["on demand"].append(ask(ours, "/pki/ocsp/cns", questions).rate)
            rates["at hand"].append(ask(ours, "/pki/ocsp/cns", hands * 2).rate)
            rates["plain view"].append(get(ours, "/healthz", ASKED).rate)
            rates["django-ca"].append(ask((peer.port, peer.pid), path, questions[: PEER_ASKED[key_type]]).rate)
            rates["openssl ocsp"].append(ask(openssl, "/", questions).rate)
            rates["raw signatures"].append(raw_signatures.pairs_per_second(key, LIMIT_SECONDS) * 2)
            if large is not None:
                rates["on demand, large"].append(ask(large, "/pki/ocsp/cns", _with_nonces(asks["large"], LARGE)).rate)
    print_rates(key_type, rates)


@contextmanager
def _product(servers: services.Servers, database: str) -> Iterator[tuple[int, int]]:
    environment = servers.environment(database)
    with product_servers.web("config.wsgi:application", environment, servers.folder / f"web-{database}.log") as server:
        yield server


def _numbers(size: int, count: int) -> list[int]:
    return random.sample(range(size), min(size, count))


def _with_nonces(question: Question, size: int) -> list[bytes]:
    return [question(random.randrange(size), has_nonce=True) for _ in range(ASKED)]


def ask(server: tuple[int, int], path: str, questions: Sequence[bytes]) -> Run:
    """Have the questions answered by POST; each answer must be successful."""
    return _drive(server, questions, lambda line, body: line.request("POST", path, body, OCSP_TYPE), SUCCESSFUL)


def get(server: tuple[int, int], path: str, count: int) -> Run:
    """Get a page this often."""
    return _drive(server, range(count), lambda line, _: line.request("GET", path), b"")


def _drive(server: tuple[int, int], pieces: Sequence[object], request: Callable[..., None], expected: bytes) -> Run:
    port, pid = server
    lines = threading.local()

    def one(piece: object) -> None:
        line = lines.__dict__.setdefault("line", http.client.HTTPConnection("127.0.0.1", port, timeout=60))
        request(line, piece)
        answer = line.getresponse()
        body = answer.read()
        if answer.status != http.HTTPStatus.OK or expected not in body[:8]:
            message = f"port {port} answered {answer.status}: {body[:40]!r}"
            raise AssertionError(message)

    return load.drive(pieces, one, clients=CLIENTS, server_pid=pid)


@contextmanager
def openssl_responder(folder: Path, key_type: str) -> Iterator[tuple[int, int]]:
    """Run `openssl ocsp` as a responder over an index of its own, on the core of the server under test."""
    folder.mkdir()
    prepare_openssl(folder, OPENSSL_SIZE, key_type)
    port = free_port(8700)
    command = ["openssl", *f"ocsp -index index.txt -port {port} -rsigner ca.pem -rkey ca.key -CA ca.pem".split()]
    with cores.on(cores.SERVER):
        child = start_child("openssl", command, folder=folder, environment=dict(os.environ), log=folder / "log")
    try:
        wait_until(child, partial(_listens, folder / "log"), timeout=60.0)
        yield port, child.process.pid
    finally:
        child.stop()


def _listens(log: Path) -> bool:
    """Read it in its log: it ends itself on a request that is none."""
    return log.exists() and b"waiting for OCSP client connections" in log.read_bytes()


def print_rates(key_type: str, rates: Rates) -> None:
    """Print what each contender did with this type of key."""
    report.print_table([key_type, "answers/s"], [[name, Spread.of(values)] for name, values in rates.items()])


def present(rates: dict[str, Rates]) -> None:
    """Print ratios and targets."""
    ratios: dict[str, list[float]] = {}
    targets: dict[str, Target] = {}
    for key_type, each in rates.items():
        for name, upper, lower, target in (
            ("on demand/django-ca", "on demand", "django-ca", Target(at_least=AT_LEAST[key_type])),
            ("at hand/plain view", "at hand", "plain view", Target(at_least=0.4)),
            ("at hand/openssl ocsp", "at hand", "openssl ocsp", Target(at_least=1.8)),
            ("on demand/raw signatures", "on demand", "raw signatures", None),
            ("on demand/openssl ocsp", "on demand", "openssl ocsp", None),
        ):
            ratios[f"{name}, {key_type}"] = report.quotients(each[upper], each[lower])
            if target is not None:
                targets[f"{name}, {key_type}"] = target
    growth = f"time at {LARGE} / at {SMALL} certificates"
    first = rates[KEY_TYPES[0]]
    ratios[growth] = report.quotients(first["on demand"], first["on demand, large"])
    targets[growth] = Target(at_most=1.2)
    report.conclude("ocsp", ratios, targets)


if __name__ == "__main__":
    sys.exit(main())
