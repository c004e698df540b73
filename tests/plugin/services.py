"""Throw-away PostgreSQL and Redis for one run: on private sockets, without root's rights, gone with the run.

No Django here: the addresses are put into the environment before anybody reads the settings.
"""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from runtime.embedded.accounts import Account, service_account
from runtime.embedded.binaries import find_postgres, find_redis
from runtime.embedded.postgres import THROWAWAY, PostgresAddress, PostgresServer
from runtime.embedded.processes import Child
from runtime.embedded.sockets import socket_folder
from runtime.embedded.valkey import ValkeyServer

KEPT_VARIABLES = frozenset({"SIGILLO_PG_BIN", "SIGILLO_DATA_DIR"})

# Ends when the pipe's other end does, that is, when the run ends in whatever way; then the servers, on their leash, end too.
JANITOR = """
read -r _
for pid in "$@"; do
  for turn in $(seq 200); do kill -0 "$pid" 2>/dev/null || break; sleep 0.05; done
done
rm -rf "$FOLDER" "$SOCKETS"
"""


@dataclass
class Services:
    """The servers of one run and the folder that holds all they write."""

    folder: Path
    account: Account
    postgres: PostgresServer
    redis: ValkeyServer
    origins: str
    _children: list[Child] = field(default_factory=list)
    _janitor: subprocess.Popen[bytes] | None = None

    @classmethod
    def plan(cls) -> Services:
        """Choose programs and addresses; nothing is started yet."""
        account = service_account()
        folder = Path(tempfile.mkdtemp(prefix="sigillo-tests-"))
        folder.chmod(0o711)
        sockets = socket_folder(folder, account)
        programs = find_postgres().reachable_by(account, copies=folder / "programs")
        broker = find_redis().reachable_by(account, copies=folder / "programs")
        return cls(
            folder=folder,
            account=account,
            postgres=PostgresServer(
                programs,
                folder / "postgres",
                sockets,
                account,
                folder / "postgres.log",
                THROWAWAY,
                superuser="postgres",
            ),
            redis=ValkeyServer(broker, folder / "redis", sockets, account, folder / "redis.log"),
            origins=f"PostgreSQL {programs.major} ({programs.folder}), {broker.program}",
        )

    @property
    def superuser(self) -> PostgresAddress:
        """Address of the cluster's superuser: for preparing, and for emptying tables between tests."""
        return self.postgres.address

    def environment(self) -> dict[str, str]:
        """`SIGILLO_*` for the processes under test: they log in as the application, not as the superuser."""
        address = self.postgres.address
        return {
            "SIGILLO_SECRET_KEY": secrets.token_urlsafe(48),
            "SIGILLO_SEALING_KEYS": base64.b64encode(secrets.token_bytes(32)).decode(),
            "SIGILLO_BASE_URL": "http://localhost",
            "SIGILLO_ALLOWED_HOSTS": "testserver,127.0.0.1",
            "SIGILLO_DB_HOST": str(address.host),
            "SIGILLO_DB_PORT": str(address.port),
            "SIGILLO_DB_USER": "sigillo_app",
            "SIGILLO_DB_NAME": address.name,
            "SIGILLO_REDIS_URL": self.redis.url,
            "SIGILLO_SMTP_HOST": "127.0.0.1",
            "SIGILLO_SMTP_PORT": "9",
            "SIGILLO_FROM_EMAIL": "Sigillo <sigillo@example.org>",
        }

    def export(self) -> None:
        """Put the addresses into this process's environment, and take out what the person's own shell had there."""
        for name in [name for name in os.environ if name.startswith("SIGILLO_") and name not in KEPT_VARIABLES]:
            del os.environ[name]
        os.environ.update(self.environment())
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

    def start(self) -> None:
        """Start both servers; if one does not come up, stop what was started and let the error through."""
        try:
            self._children.append(self.postgres.start())
            self._children.append(self.redis.start())
        except BaseException:
            self.stop()
            raise
        self._janitor = subprocess.Popen(
            ["/bin/sh", "-c", JANITOR, "janitor", *(str(child.process.pid) for child in self._children)],
            stdin=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, "FOLDER": str(self.folder), "SOCKETS": str(self.postgres.sockets)},
        )

    def stop_redis(self) -> None:
        """Take the broker away."""
        self._children.pop().stop(timeout=5)

    def start_redis(self) -> None:
        """Bring it back, at the same address."""
        self._children.append(self.redis.start())

    def restart_postgres(self) -> None:
        """Take the database away and bring it back: every open connection breaks."""
        self._children.pop(0).stop(timeout=20)
        self._children.insert(0, self.postgres.start())

    def crash_postgres(self) -> None:
        """Kill the database's main process, as the kernel does when memory runs out, and bring it back."""
        child = self._children.pop(0)
        child.process.kill()
        child.process.wait()
        self._children.insert(0, self.postgres.start())

    def stop(self) -> None:
        """Stop both servers and remove the folder. Callable more than once."""
        for child in reversed(self._children):
            child.stop(timeout=5)
        self._children.clear()
        if self._janitor and self._janitor.stdin:
            self._janitor.stdin.close()
            self._janitor.wait(15)
            self._janitor = None
        for folder in (self.folder, self.postgres.sockets):  # the sockets lie elsewhere when the path is too long
            shutil.rmtree(folder, ignore_errors=True)


def say(text: str) -> None:
    """Tell the person at the terminal, past any capturing."""
    sys.__stderr__.write(f"{text}\n")  # type: ignore[union-attr] # a test run has a standard error
