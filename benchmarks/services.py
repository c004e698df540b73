"""PostgreSQL and Redis of one benchmark run: throw-away, but writing to the disk as in production (fsync on)."""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from runtime.embedded.accounts import service_account
from runtime.embedded.binaries import find_postgres, find_redis
from runtime.embedded.postgres import DURABLE, PostgresServer
from runtime.embedded.sockets import socket_folder
from runtime.embedded.valkey import ValkeyServer

ROOT = Path(__file__).resolve().parent.parent
IS_QUICK = os.environ.get("QUICK", "") not in {"", "0"}
APPLICATION = "sigillo_app"
# /var/tmp lies on a disk by its definition (FHS 5.15); /tmp may be memory, where fsync costs nothing.
DISK = Path("/var/tmp")  # noqa: S108


@dataclass
class Servers:
    """The two servers while they run, and what our processes must be told about them."""

    folder: Path
    postgres: PostgresServer
    redis: ValkeyServer
    postgres_pid: int
    secret_key: str
    sealing_key: str

    def environment(self, database: str = "sigillo", *, owner: bool = False, **more: str) -> dict[str, str]:
        """Build the environment of a process of the product; with `owner`, of the one that prepares the database."""
        address = self.postgres.address
        ours = {
            "SIGILLO_SECRET_KEY": self.secret_key,
            "SIGILLO_SEALING_KEYS": self.sealing_key,
            "SIGILLO_BASE_URL": "http://localhost",
            "SIGILLO_ALLOWED_HOSTS": "127.0.0.1",
            "SIGILLO_DB_HOST": str(address.host),
            "SIGILLO_DB_PORT": str(address.port),
            "SIGILLO_DB_USER": address.user if owner else APPLICATION,
            "SIGILLO_DB_NAME": database,
            "SIGILLO_REDIS_URL": self.redis.url,
            "SIGILLO_SMTP_HOST": "127.0.0.1",
            "SIGILLO_SMTP_PORT": "9",
            "SIGILLO_FROM_EMAIL": "Sigillo <sigillo@example.org>",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONUNBUFFERED": "1",
            **more,
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SIGILLO_")}
        return {**inherited, **ours}

    def prepare(self) -> None:
        """Make roles and tables in the database `sigillo`, as an installation does."""
        environment = self.environment(owner=True)
        subprocess.run(
            [sys.executable, "manage.py", "prepare_database", "--verbosity=0"], cwd=ROOT, env=environment, check=True
        )

    def copy_database(self, name: str) -> None:
        """Copy the prepared database under another name."""
        with self.postgres.address.connect(database="postgres") as superuser:
            superuser.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier("sigillo"))
            )

    def create_empty(self, name: str) -> None:
        """Make an empty database for a peer."""
        with self.postgres.address.connect(database="postgres") as superuser:
            superuser.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def count(self, statement: str, database: str = "sigillo") -> int:
        """Ask the database for one number, past all scopes and roles."""
        with self.postgres.address.connect(database=database) as superuser:
            row = superuser.execute(statement).fetchone()  # type: ignore[arg-type] # our own constants
        return int(row[0]) if row else 0


@contextmanager
def running() -> Iterator[Servers]:
    """Start both servers and stop them with the block; everything they wrote is deleted, also after SIGTERM."""
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    account = service_account()
    folder = Path(tempfile.mkdtemp(prefix="sigillo-bench-", dir=DISK if DISK.is_dir() else None))
    folder.chmod(0o711)
    sockets = socket_folder(folder, account)
    copies = folder / "programs"
    postgres = PostgresServer(
        find_postgres().reachable_by(account, copies=copies),
        folder / "postgres",
        sockets,
        account,
        folder / "postgres.log",
        DURABLE,
        superuser="postgres",
    )
    redis = ValkeyServer(
        find_redis().reachable_by(account, copies=copies), folder / "redis", sockets, account, folder / "redis.log"
    )
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.callback(shutil.rmtree, sockets, ignore_errors=True)
        database = postgres.start()
        stack.callback(database.stop)
        stack.callback(redis.start().stop)
        sealing_key = base64.b64encode(secrets.token_bytes(32)).decode()
        yield Servers(folder, postgres, redis, database.process.pid, secrets.token_urlsafe(48), sealing_key)
