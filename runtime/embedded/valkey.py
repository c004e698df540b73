"""A Valkey (or Redis) server of our own on a unix socket, with append-only persistence."""

import re
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

from runtime.embedded.accounts import Account
from runtime.embedded.binaries import BrokerProgram
from runtime.embedded.errors import ServiceFailed
from runtime.embedded.processes import Child, command_of, end_stray, start_child, wait_until

START_SECONDS = 20.0
ANSWER_SECONDS = 2.0


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
            "valkey",
            self._command(),
            account=self.account,
            environment={"LC_ALL": "C"},
            log=self.log,
            stop_signal=signal.SIGTERM,
        )
        try:
            wait_until(child, self._answers, timeout=START_SECONDS)
        except BaseException:
            child.stop()
            raise
        return child

    def _command(self) -> list[str | Path]:
        options: dict[str, str | Path] = {
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
        command: list[str | Path] = [self.program.program]
        for name, value in options.items():
            command += [f"--{name}", value]
        return command

    def _answers(self) -> bool:
        return self._ask("PING").startswith("+PONG")

    def _ask(self, command: str) -> str:
        """Send one inline command and return the first piece of the answer, or an empty text if nobody listens."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.settimeout(ANSWER_SECONDS)
                line.connect(str(self.socket))
                line.sendall(f"{command}\r\n".encode())
                return line.recv(4096).decode(errors="replace")
        except OSError:
            return ""

    def _end_stray(self) -> None:
        """End a server that a killed supervisor left behind on our socket (possible where there is no PDEATHSIG)."""
        found = re.search(r"^process_id:(\d+)", self._ask("INFO server"), re.MULTILINE)
        if found and re.search("valkey|redis", command_of(int(found[1]))):
            end_stray(int(found[1]), signal.SIGTERM)
        self.socket.unlink(missing_ok=True)

    def _put_aside(self) -> None:
        number = 1
        while (aside := self.folder.with_name(f"{self.folder.name}.unreadable-{number}")).exists():
            number += 1
        self.folder.rename(aside)
        self.account.own(self.folder, mode=0o700)
