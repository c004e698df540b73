"""The contended counter of W8: three ways to take from it, clients that do so at once, and the audit afterwards.

Imported once the settings stand. Clients are processes, so that no interpreter lock orders them.
"""

from __future__ import annotations

import gc
import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection

from django.db import OperationalError, connection, connections, transaction
from django.db.models import Sum
from psycopg.errors import DeadlockDetected

from cms.actors import SYSTEM
from cms.errors import StockEmpty
from cms.models import Centre, Service, Stock, StockMovement
from cms.services import stock
from cms.states import CertificateType, MovementKind

WORK_SECONDS = 0.002
TYPE = CertificateType.AUTHENTICATION.value
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PATIENCE_SECONDS = 60.0
HEAD_START_SECONDS = 0.05

_forked = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Counter:
    """The stock row that all clients want."""

    stock_id: int
    centre_id: int
    service_id: int


@dataclass(frozen=True)
class Outcome:
    """What a client was told, by number of transactions."""

    committed: int = 0
    empty: int = 0
    deadlocks: int = 0

    def __add__(self, other: Outcome) -> Outcome:
        """Add up two clients."""
        return Outcome(self.committed + other.committed, self.empty + other.empty, self.deadlocks + other.deadlocks)


Way = Callable[[Counter, str], None]


@dataclass
class Faults:
    """Counts what must never happen."""

    oversold: int = 0
    lost: int = 0
    deadlocks: int = 0

    def check(self, counter: Counter, units: int, seen: Outcome) -> None:
        """Compare counter, movements, and what the clients were told."""
        row = Stock.objects.get(pk=counter.stock_id)
        movements = StockMovement.objects.filter(stock=row)
        sums = movements.aggregate(free=Sum("free_change"), reserved=Sum("reserved_change"))
        reservations = movements.filter(kind=MovementKind.RESERVATION).count()
        self.oversold += max(0, reservations - units, -row.free)
        self.lost += abs(seen.committed - reservations)
        self.lost += abs(sums["free"] - row.free) + abs(sums["reserved"] - row.reserved)
        self.deadlocks += seen.deadlocks


def new_counter(units: int) -> Counter:
    """Found a centre and a service of their own, and buy."""
    number = Centre.objects.count() + 1
    centre = Centre.objects.create(code=f"centro-{number}", name=f"Centro {number}", email="centro@example.org")
    service = Service.objects.create(code=f"servizio-{number}", name=f"Servizio {number}", types=[TYPE])
    bought = stock.purchase(
        centre_id=centre.pk,
        service_id=service.pk,
        type_=TYPE,
        quantity=units,
        reference=f"ordine-{number}",
        actor=SYSTEM,
        at=NOW,
    )
    return Counter(bought.pk, centre.pk, service.pk)


@dataclass(frozen=True)
class Job:
    """What a client is to do: `way` by name, from the instant `starts_at` (monotonic) for `seconds` or to the end."""

    way: str
    counter: Counter
    starts_at: float
    seconds: float | None


class Crew:
    """Client processes that wait for jobs; made once, as making them costs more than a round."""

    def __init__(self, size: int) -> None:
        """Fork `size` clients; they end with the benchmark."""
        connections.close_all()  # a connection must not be shared with the children
        gc.freeze()  # nor pages that the collector would copy
        self._lines = []
        for number in range(size):
            ours, theirs = _forked.Pipe()
            _forked.Process(target=_client, args=(number, theirs), daemon=True).start()
            self._lines.append(ours)

    def run(self, way: str, counter: Counter, clients: int, seconds: float | None) -> Outcome:
        """Let the first `clients` do transactions for `seconds`, each on a connection of its own, or until empty."""
        lines = self._lines[:clients]
        for line in lines:
            line.send("connect")
        for line in lines:
            line.recv()
        job = Job(way, counter, time.monotonic() + HEAD_START_SECONDS, seconds)
        for line in lines:
            line.send(job)
        return sum((line.recv() for line in lines), Outcome())


def _client(number: int, line: Connection) -> None:
    serial = 0
    while True:
        line.recv()
        connection.ensure_connection()
        line.send("connected")
        job: Job = line.recv()
        time.sleep(max(0.0, job.starts_at - time.monotonic()))
        ends = job.starts_at + (PATIENCE_SECONDS if job.seconds is None else job.seconds)
        total = Outcome()
        while time.monotonic() < ends and not total.empty:
            serial += 1
            total += _attempt(WAYS[job.way], job.counter, f"{number:03d}-{serial:08d}")
        connection.close()
        line.send(total)


def _attempt(way: Way, counter: Counter, code: str) -> Outcome:
    try:
        with transaction.atomic():
            way(counter, code)
    except StockEmpty:
        return Outcome(empty=1)
    except OperationalError as failure:
        if isinstance(failure.__cause__, DeadlockDetected):
            return Outcome(deadlocks=1)
        raise
    return Outcome(committed=1)


def work() -> None:
    """Spend the time of the rest of the use case, waiting in the database so that the processors stay free."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [WORK_SECONDS])


def reserve_last(counter: Counter, code: str) -> None:
    """Work, then the product's reservation."""
    work()
    stock.reserve(
        centre_id=counter.centre_id,
        service_id=counter.service_id,
        types=[TYPE],
        case_code=code,
        actor=SYSTEM,
        at=NOW,
    )


def lock_first(counter: Counter, code: str) -> None:
    """Lock the row, work, then change it."""
    row = Stock.objects.select_for_update().get(pk=counter.stock_id)
    if not row.free:
        raise StockEmpty
    work()
    row.free, row.reserved = row.free - 1, row.reserved + 1
    row.save(update_fields=["free", "reserved"])
    _write_movement(counter, code)


def ledger_only(counter: Counter, code: str) -> None:
    """Work, then the movement alone: nothing is guarded."""
    work()
    _write_movement(counter, code)


def _write_movement(counter: Counter, code: str) -> None:
    StockMovement.objects.create(
        stock_id=counter.stock_id,
        kind=MovementKind.RESERVATION,
        free_change=-1,
        reserved_change=1,
        case_code=code,
        at=NOW,
    )


WAYS: dict[str, Way] = {"product": reserve_last, "lock-first": lock_first, "ledger": ledger_only}
