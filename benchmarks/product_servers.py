"""The product's own processes as a benchmark starts them: web on the core under test, worker, beat, a mail sink."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks import cores
from benchmarks.services import ROOT
from config.demo.stack import is_answering
from runtime.embedded.processes import Child, start_child, wait_until
from runtime.embedded.sockets import free_port

START_SECONDS = 60.0
FIRST_PORT = 8600
CELERY = (sys.executable, "-m", "celery", "--app=config.celery:app")


@contextmanager
def web(application: str, environment: Mapping[str, str], log: Path) -> Iterator[tuple[int, int]]:
    """Serve a WSGI application as production does, with one worker on the core under test; yield its port and pid."""
    port = free_port(FIRST_PORT)
    command = [
        *(sys.executable, "-m", "granian", "--interface=wsgi", "--host=127.0.0.1", f"--port={port}"),
        *("--workers=1", "--blocking-threads=4", "--backpressure=64", "--no-ws", application),
    ]
    with cores.on(cores.SERVER):
        child = start_child("web", command, folder=ROOT, environment=environment, log=log)
    try:
        wait_until(child, partial(is_answering, f"http://127.0.0.1:{port}/readyz"), timeout=START_SECONDS)
        yield port, child.process.pid
    finally:
        child.stop()


@contextmanager
def background(environment: Mapping[str, str], folder: Path) -> Iterator[dict[str, Child]]:
    """Run worker, beat and a mail sink on the port that the environment names."""
    port, mails = environment["SIGILLO_SMTP_PORT"], folder / "mails"
    mails.mkdir()
    commands = {
        "mail": [sys.executable, "-m", "runtime.embedded.mailsink", "--port", port, "--folder", str(mails)],
        "worker": [*CELERY, "worker", "--loglevel=warning", "--concurrency=2", "--without-mingle", "--without-gossip"],
        "beat": [*CELERY, "beat", "--loglevel=warning", "--pidfile="],
    }
    children: dict[str, Child] = {}
    try:
        for name, command in commands.items():
            log = folder / f"{name}.log"
            children[name] = start_child(name, command, folder=ROOT, environment=environment, log=log)
        yield children
    finally:
        for child in children.values():
            child.stop()
