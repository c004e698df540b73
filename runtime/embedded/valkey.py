"""A Valkey (or Redis) server of our own on a unix socket, with append-only persistence."""

import contextlib
import signal
from dataclasses import dataclass
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from runtime.embedded.accounts import Account
from runtime.embedded.binaries import BrokerProgram
from runtime.embedded.errors import ServiceFailed
from runtime.embedded.processes import Child, command_of, end_stray, start_child, wait_until

START_SECONDS = 20.0


@dataclass
class ValkeyServer:
    """A server with its data in `folder` and its socket in `sockets`, both the service account's."""

    program: BrokerProgram
    folder: Path
    sockets: Path
    account: Account
    log: Path

    @property
    def socket(self) -> Path:
        """Return the path of the server's socket."""
        return self.sockets / "valkey.sock"

    @property
    def url(self) -> str:
        """Return the address in the form that redis-py understands, database 0."""
        return f"unix://{self.socket}?db=0"

    def start(self) -> Child:
        """Start the server and wait until it answers.

        What it keeps may be lost at any time without harm. So files that the server cannot read (cut off, or of
        another version) are put aside under a new name, and it starts empty.
        """
        self.account.own(self.folder, mode=0o700)
        self._end_stray()
        try:
            return self._launch()
        except ServiceFailed:
            if not any(self.folder.iterdir()):
                raise
            self._put_aside()
            return self._launch()

    def _launch(self) -> Child:
        child = start_child(
            "valkey", self._command(), account=self.account, environment={"LC_ALL": "C"}, log=self.log,
            stop_signal=signal.SIGTERM,
        )  # fmt: skip
        try:
            wait_until(child, self._answers, timeout=START_SECONDS)
        except BaseException:
            child.stop()
            raise
        return child

    def _command(self) -> list[str | Path]:
        options = {
            "port": "0",
            "unixsocket": self.socket,
            "unixsocketperm": "700",
            "dir": self.folder,
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        return [self.program.program, *(part for name, value in options.items() for part in (f"--{name}", value))]

    def _answers(self) -> bool:
        with contextlib.suppress(redis.RedisError), self._client() as client:
            return bool(client.ping())
        return False

    def _end_stray(self) -> None:
        """End a server that a killed supervisor left behind on our socket (possible where there is no PDEATHSIG)."""
        with contextlib.suppress(redis.RedisError), self._client() as client:
            pid = int(client.info("server")["process_id"])
            if "valkey" in command_of(pid) or "redis" in command_of(pid):
                end_stray(pid, signal.SIGTERM)
        self.socket.unlink(missing_ok=True)

    def _client(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.socket), socket_timeout=2, retry=Retry(NoBackoff(), 0))

    def _put_aside(self) -> None:
        number = 1
        while (aside := self.folder.with_name(f"{self.folder.name}.unreadable-{number}")).exists():
            number += 1
        self.folder.rename(aside)
        self.account.own(self.folder, mode=0o700)
