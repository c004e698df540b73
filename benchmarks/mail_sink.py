"""The mail server of the outbox benchmark, a process of its own: takes every mail and writes down its Message-ID.

`python -m benchmarks.mail_sink PORT FILE`. It is aiosmtpd as it comes: the same for product, peer and limit.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection, socket

from aiosmtpd.smtp import SMTP, Envelope, Session

_MESSAGE_ID = re.compile(rb"^Message-ID: (\S+)", re.MULTILINE)


class Writing:
    """aiosmtpd's handler: a line for each mail, written before the answer."""

    def __init__(self, file: Path) -> None:
        """Begin an empty list."""
        self._list = file.open("wb", buffering=0)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - its name
        """Take the mail."""
        del server, session
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        found = _MESSAGE_ID.search(content)
        self._list.write((found[1] if found else b"-") + b"\n")
        return "250 kept"


@dataclass(frozen=True, slots=True)
class Sink:
    """The running server: where it listens, and what it has taken."""

    port: int
    file: Path

    def count(self) -> int:
        """How many mails it has taken."""
        return self.file.stat().st_size // (len(self.ids(most=1)[0]) + 1) if self.file.stat().st_size else 0

    def ids(self, most: int | None = None) -> list[str]:
        """Message-IDs in the order of arrival; all are equally long."""
        with self.file.open() as lines:
            return [line.strip() for _, line in zip(range(most or sys.maxsize), lines, strict=False)]


@contextmanager
def running(folder: Path) -> Iterator[Sink]:
    """Start the server on a free port and stop it with the block."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sink = Sink(port, folder / f"mails-{port}")
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.mail_sink", str(port), str(sink.file)])
    try:
        _wait_for(port)
        yield sink
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    message = "the mail sink did not start"
    raise RuntimeError(message)


async def _serve(port: int, file: Path) -> None:
    handler = Writing(file)
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(handler), host="127.0.0.1", port=port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), Path(sys.argv[2])))
