"""Closed-loop load: a fixed number of clients, each starting its next piece of work when the last one is done."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from benchmarks import cores

_Piece = TypeVar("_Piece")


@dataclass
class Run:
    """One measured run: how long it took, each piece's own time, and the server's processor time; in seconds."""

    seconds: float = 0.0
    server_cpu: float = 0.0
    times: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Pieces of work per second."""
        return len(self.times) / self.seconds

    @property
    def cpu_each(self) -> float:
        """The server's processor time for one piece of work, in seconds: hardly moved by other load on the machine."""
        return self.server_cpu / len(self.times)


def drive(pieces: Sequence[_Piece], do: Callable[[_Piece], None], *, clients: int, server_pid: int) -> Run:
    """Let `clients` threads do all pieces; raises the first error of any of them."""
    waiting: queue.SimpleQueue[_Piece] = queue.SimpleQueue()
    for piece in pieces:
        waiting.put(piece)
    run, errors = Run(), list[BaseException]()
    start = threading.Barrier(clients + 1)

    def client() -> None:
        start.wait()
        try:
            while not errors:
                piece = waiting.get_nowait()
                begun = time.perf_counter()
                do(piece)
                run.times.append(time.perf_counter() - begun)
        except queue.Empty:
            return
        except BaseException as error:  # noqa: BLE001 - raised again below
            errors.append(error)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    cpu = cores.cpu_seconds(server_pid)
    begun = time.perf_counter()
    start.wait()
    for thread in threads:
        thread.join()
    run.seconds = time.perf_counter() - begun
    run.server_cpu = cores.cpu_seconds(server_pid) - cpu
    if errors:
        raise errors[0]
    return run
