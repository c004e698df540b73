"""The services of a demo installation, in the order of their start."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from config.demo.installation import ROOT, Installation
from runtime.embedded.accounts import service_account
from runtime.embedded.binaries import find_postgres, find_valkey
from runtime.embedded.mailsink import HOST
from runtime.embedded.postgres import DURABLE, OWNER, PostgresServer, cluster_version
from runtime.embedded.processes import Child, start_child, wait_until
from runtime.embedded.sockets import HeldPort, free_port, socket_folder
from runtime.embedded.supervisor import Service
from runtime.embedded.valkey import ValkeyServer

PANEL_PORT, MAIL_PORT = 8000, 8025
START_SECONDS = 90.0
APPLICATION = "sigillo_app"
CELERY = (sys.executable, "-m", "celery", "--app=config.celery:app")


@dataclass
class Stack:
    """Builds the services of one installation; `say` tells the person at the terminal what is used."""

    installation: Installation
    say: Callable[[str], None]

    def data_services(self) -> Iterator[Service]:
        """Database, broker and mail sink: each unless the user has named his own by the settings' variables."""
        account = service_account()
        sockets = socket_folder(self.installation.data.path, account)
        copies = self.installation.data.path / "programs"
        if self._is_ours("SIGILLO_DB_HOST", "base dati"):
            cluster = self.cluster
            programs = find_postgres(major=cluster_version(cluster)).reachable_by(account, copies=copies)
            self.say(f"PostgreSQL {programs.major} ({programs.origin}: {programs.folder})")
            self.installation.addresses |= {"SIGILLO_DB_HOST": str(sockets), "SIGILLO_DB_USER": APPLICATION}
            log = self.installation.logs / "postgresql.log"
            server = PostgresServer(programs, cluster, sockets, account, log, DURABLE)
            yield Service("postgresql", server.start, stop_seconds=30)
        if self._is_ours("SIGILLO_REDIS_URL", "broker"):
            broker = find_valkey().reachable_by(account, copies=copies)
            self.say(f"{broker.program.name} ({broker.origin}: {broker.program})")
            log = self.installation.logs / "valkey.log"
            valkey = ValkeyServer(broker, self.installation.data.path / "valkey", sockets, account, log)
            self.installation.addresses["SIGILLO_REDIS_URL"] = valkey.url
            yield Service("valkey", valkey.start)
        if self._is_ours("SIGILLO_SMTP_HOST", "server di posta"):
            port = free_port(MAIL_PORT)
            self.installation.addresses |= {"SIGILLO_SMTP_HOST": HOST, "SIGILLO_SMTP_PORT": str(port)}
            yield Service("posta", partial(self._start_mail, port))

    @property
    def cluster(self) -> Path:
        """The folder of the database."""
        return self.installation.data.path / "postgresql"

    def web(self) -> Service:
        """The web server on the usual port, or the next free one."""
        held = HeldPort(PANEL_PORT)
        port = held.number
        if port != PANEL_PORT:
            self.say(f"La porta {PANEL_PORT} è occupata: il pannello usa la {port}.")
        self.installation.addresses["SIGILLO_BASE_URL"] = f"http://localhost:{port}"
        command = [
            sys.executable,
            "-m",
            "granian",
            "--interface=wsgi",
            f"--host={HOST}",
            f"--port={port}",
            "--workers=1",
            "--blocking-threads=4",
            "--backpressure=64",
            "--no-ws",
            "--workers-kill-timeout=10",  # one that is asked to stop while it starts would never end
            "config.wsgi:application",
        ]
        return Service("web", partial(self._start_web, command, held), stop_seconds=20)

    def worker(self) -> Service:
        """The worker with two processes."""
        command = [*CELERY, "worker", "--loglevel=info", "--concurrency=2", "--without-mingle", "--without-gossip"]
        return Service("worker", partial(self._start, "worker", command), stop_seconds=25)

    def beat(self) -> Service:
        """The clock."""
        return Service("beat", partial(self._start, "beat", [*CELERY, "beat", "--loglevel=info", "--pidfile="]))

    def owner_environment(self) -> dict[str, str]:
        """Return the environment for preparing the database: the superuser of ours, or the login the user named."""
        if "SIGILLO_DB_HOST" in os.environ:
            return self.installation.environment()
        return self.installation.environment(SIGILLO_DB_USER=OWNER)

    def _is_ours(self, variable: str, what: str) -> bool:
        if variable not in os.environ:
            return True
        self.say(f"{what}: quello indicato da {variable}")
        return False

    def _start_mail(self, port: int) -> Child:
        command = [sys.executable, "-m", "runtime.embedded.mailsink", "--port", str(port)]
        return self._start("posta", [*command, "--folder", str(self.installation.mails)])

    def _start_web(self, command: list[str], held: HeldPort) -> Child:
        held.release()
        child = self._start("web", command)
        try:
            wait_until(child, partial(is_answering, f"http://{HOST}:{held.number}/readyz"), timeout=START_SECONDS)
        except BaseException:
            child.stop()
            raise
        return child

    def _start(self, name: str, command: list[str]) -> Child:
        return start_child(
            name,
            command,
            folder=ROOT,
            environment=self.installation.environment(),
            log=self.installation.logs / f"{name}.log",
        )


def is_answering(url: str) -> bool:
    """Tell whether an address answers 200."""
    try:
        with urlopen(url, timeout=5) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
