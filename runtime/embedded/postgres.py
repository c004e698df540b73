"""A PostgreSQL server of our own: created, started on a unix socket, stopped."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from runtime.embedded.accounts import Account
from runtime.embedded.binaries import PostgresPrograms
from runtime.embedded.errors import FolderRefused, ServiceFailed
from runtime.embedded.processes import Child, end_stray, start_child, wait_until, working_in

PORT = 5432  # only part of the socket's name
OWNER = "sigillo_owner"
START_SECONDS = 60.0

DURABLE: Mapping[str, str] = {"max_connections": "100", "shared_buffers": "64MB"}
THROWAWAY: Mapping[str, str] = {
    **DURABLE,
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
}


@dataclass(frozen=True)
class PostgresAddress:
    """How to reach the server; host is the folder of its socket."""

    host: Path
    port: int = PORT
    user: str = OWNER
    name: str = "sigillo"

    def connect(self, *, database: str | None = None) -> psycopg.Connection:
        """Return an autocommit connection to `database`, by default the product's."""
        return psycopg.connect(
            host=str(self.host), port=self.port, user=self.user, dbname=database or self.name, autocommit=True
        )


@dataclass
class PostgresServer:
    """A cluster in `folder` (0700, the service account's) with its socket in `sockets`."""

    programs: PostgresPrograms
    folder: Path
    sockets: Path
    account: Account
    log: Path
    settings: Mapping[str, str]
    superuser: str = OWNER

    @property
    def address(self) -> PostgresAddress:
        """Return how to reach the server."""
        return PostgresAddress(host=self.sockets, user=self.superuser)

    def start(self) -> Child:
        """Create the cluster if the folder is empty, start the server, create our database; return the process.

        Raises `FolderRefused` for a folder that is no cluster of this version, `ServiceFailed` if it does not come up.
        """
        self.account.own(self.folder, mode=0o700)
        major = cluster_version(self.folder)
        if major is None:
            self._create()
        elif major != self.programs.major:
            raise _other_version(self.folder, major, self.programs.major)
        self._end_stray()
        child = start_child(
            "postgresql",
            self._command(),
            account=self.account,
            environment=_environment(),
            log=self.log,
            stop_signal=signal.SIGINT,  # "fast shutdown": open transactions are rolled back
        )
        try:
            wait_until(child, self._answers, timeout=START_SECONDS)
            self._create_database()
        except BaseException:
            child.stop()
            raise
        return child

    def _command(self) -> list[str | Path]:
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "port": str(PORT),
            "log_line_prefix": "%m [%p] ",
            **self.settings,
        }
        command: list[str | Path] = [self.programs.postgres, "-D", self.folder]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        return command

    def _create(self) -> None:
        """Create the cluster; whoever can enter the private socket folder is trusted, nobody else can connect."""
        sync = ["--no-sync"] if self.settings.get("fsync") == "off" else []
        command: list[str | Path] = [
            self.programs.initdb,
            "-D",
            self.folder,
            f"--username={self.superuser}",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            *sync,
        ]
        # C.UTF-8 knows the lower case of accented letters; systems without it get plain C.
        no_extra: list[str | Path] = []
        for extra in (["--lc-ctype=C.UTF-8"], no_extra):
            done = subprocess.run(
                [*command, *extra],
                check=False,
                capture_output=True,
                text=True,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                **self.account.popen_options(),
            )
            if done.returncode == 0:
                return
            for left in self.folder.iterdir():  # initdb cleans up after itself, but not when it is killed
                shutil.rmtree(left) if left.is_dir() else left.unlink()
        raise ServiceFailed(
            f"PostgreSQL non riesce a creare la base dati:\n{done.stderr.strip()}",
            "PostgreSQL could not create the database cluster.",
        )

    def _create_database(self) -> None:
        with self.address.connect(database="postgres") as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self.address.name]).fetchone()
            if not found:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.address.name)))

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError), self.address.connect(database="postgres"):
            return True
        return False

    def _end_stray(self) -> None:
        """Deal with what a server that was not stopped has left: processes, and files with a process number.

        Our lock on the data folder says that nobody supervises them any more. The files are removed only where we
        can see that no process works in the folder: PostgreSQL itself refuses to start as long as a number is alive,
        even as a zombie or as another program's by now, and it must, as two servers would destroy the data.
        """
        notes = [self.folder / "postmaster.pid", self.sockets / f".s.PGSQL.{PORT}.lock"]
        if not any(note.exists() for note in notes):
            return
        for pid in working_in(self.folder):
            end_stray(pid, signal.SIGINT)
        if sys.platform == "linux" and not working_in(self.folder):
            for note in notes:
                note.unlink(missing_ok=True)


def cluster_version(folder: Path) -> int | None:
    """Return the major version of the cluster in `folder`, or None when the folder is missing or empty.

    Raises `FolderRefused` when it holds anything that is not a whole cluster; nothing is changed.
    """
    if not folder.exists() or not any(folder.iterdir()):
        return None
    try:
        version = int((folder / "PG_VERSION").read_text().strip())
    except (OSError, ValueError) as error:
        raise _damaged(folder) from error
    if not all((folder / part).exists() for part in ("base", "global/pg_control", "pg_wal")):
        raise _damaged(folder)
    return version


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _damaged(folder: Path) -> FolderRefused:
    return FolderRefused(
        f"La cartella {folder} non contiene una base dati PostgreSQL intera (file mancanti o danneggiati): "
        "non è stata modificata. Ripristinarla da una copia, oppure spostarla per ripartire da zero.",
        f"The folder {folder} does not hold a whole PostgreSQL cluster (files are missing or damaged); "
        "it was not changed. Restore it from a copy, or move it away to start afresh.",
    )


def _other_version(folder: Path, found: int, present: int) -> FolderRefused:
    return FolderRefused(
        f"La base dati in {folder} è di PostgreSQL {found}, ma qui c'è PostgreSQL {present}: non è stata modificata. "
        f"Installare PostgreSQL {found}, oppure spostare la cartella per ripartire da zero.",
        f"The database in {folder} belongs to PostgreSQL {found}, but this is PostgreSQL {present}; "
        f"it was not changed. Install PostgreSQL {found}, or move the folder away to start afresh.",
    )
