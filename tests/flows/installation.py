"""The product as real processes beside the run's own services: web server, worker and beat, each on the machine's clock."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import httpx
from django.utils.module_loading import import_string

from config.demo.stack import CELERY, is_answering
from runtime import nudge
from runtime.embedded.processes import Child, start_child, wait_until
from runtime.embedded.sockets import free_port
from tests.flows.programs import ROOT

PATIENCE_SECONDS = 90.0


class Installation:
    """Processes that end with the block; `settings` are further variables of their environment."""

    def __init__(self, folder: Path, **settings: str) -> None:
        """Choose the port; nothing is started yet."""
        self.folder, self.port = folder, free_port(19_000)
        self.address = f"http://localhost:{self.port}"
        self._environment = {**os.environ, "SIGILLO_BASE_URL": self.address, **settings}
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        """Nothing yet: tests start what they need."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop what runs, all together."""
        for child in self._children:
            child.ask_to_stop()
        for child in reversed(self._children):
            child.stop(timeout=15)

    def web(self) -> Child:
        """Granian, as `make run` and the image start it; returns when it is ready."""
        command = [sys.executable, "-m", "granian", "--interface=wsgi", "--host=127.0.0.1", f"--port={self.port}"]
        child = self._start(
            "web", [*command, "--workers=1", "--blocking-threads=4", "--no-ws", "config.wsgi:application"]
        )
        wait_until(child, lambda: is_answering(f"http://127.0.0.1:{self.port}/readyz"), timeout=PATIENCE_SECONDS)
        return child

    def worker(self) -> Child:
        """Two processes; it takes up its work by itself."""
        options = ("--concurrency=2", "--without-mingle", "--without-gossip", "--loglevel=info")
        return self._start("worker", [*CELERY, "worker", *options])

    def beat(self) -> Child:
        """The clock of the installation."""
        return self._start("beat", [*CELERY, "beat", "--pidfile=", "--loglevel=info"])

    def _start(self, name: str, command: list[str]) -> Child:
        log = self.folder / f"{name}.log"
        child = start_child(name, command, folder=ROOT, environment=self._environment, log=log)
        self._children.append(child)
        return child


def eventually(is_so: Callable[[], object], *, poking: tuple[str, ...] = (), seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until it is so; meanwhile poke these tasks as beat does, only faster. Fails when it takes too long."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s"
        for task in poking:
            assert import_string(task)
            nudge.breaker.reset()
            nudge.send(task)
        time.sleep(0.3)


class HttpClient:
    """Stands where Django's test client does, and speaks real HTTP."""

    def __init__(self, address: str) -> None:
        """One connection pool."""
        self._http = httpx.Client(base_url=address, timeout=30)

    def get(self, path: str, *, headers: dict[str, str]) -> httpx.Response:
        """GET."""
        return self._http.get(path, headers=headers)

    def post(
        self, path: str, data: object = None, content_type: str = "", *, headers: dict[str, str]
    ) -> httpx.Response:
        """POST of a JSON body, or of none."""
        return self._http.post(path, json=data, headers=headers)

    def put(self, path: str, data: object = None, content_type: str = "", *, headers: dict[str, str]) -> httpx.Response:
        """PUT of a JSON body."""
        return self._http.put(path, json=data, headers=headers)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
