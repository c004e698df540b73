"""A mail server for demonstrations and tests: accepts every message and keeps it as a file, sends nothing on."""

import argparse
import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from types import TracebackType
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

HOST = "127.0.0.1"
LARGEST_MESSAGE = 10 * 1024 * 1024


class KeepingHandler:
    """Keeps each accepted message in `folder` as `<number>-<recipient>.eml`, mode 0600, written before the answer."""

    def __init__(self, folder: Path) -> None:
        """Continue the numbering of the messages that lie in `folder` already."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        numbers = [int(name[1]) for path in folder.iterdir() if (name := re.match(r"(\d+)-", path.name))]
        self.next_number = max(numbers, default=0) + 1

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Store the message as it came, then accept it (RFC 5321 §4.2.5: the answer takes over responsibility)."""
        del server, session
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        self._store(envelope.rcpt_tos[0], content)
        return "250 2.0.0 Message kept"

    def _store(self, recipient: str, content: bytes) -> None:
        safe = re.sub(r"[^A-Za-z0-9@._+-]", "_", recipient)[:80]
        target = self.folder / f"{self.next_number:05d}-{safe}.eml"
        self.next_number += 1
        draft = target.with_suffix(".part")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(target)


@dataclass
class MailSink:
    """A mail sink in a thread of this process, for tests; the port is free choice of the system."""

    folder: Path
    port: int = 0
    _controller: Controller | None = field(default=None, init=False)

    def start(self) -> Self:
        """Start to accept mail and return itself with the `port` filled in; a second start uses the same port."""
        controller = _Controller(KeepingHandler(self.folder), hostname=HOST, port=self.port)
        controller.start()
        self._controller = controller
        self.port = controller.bound_port
        return self

    def stop(self) -> None:
        """Refuse connections from now on; what was kept stays."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def messages(self) -> list[EmailMessage]:
        """Return the kept messages in the order of their arrival."""
        return kept_messages(self.folder)

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()


def kept_messages(folder: Path) -> list[EmailMessage]:
    """Return the messages kept in `folder`, parsed, in the order of their arrival."""
    parser = BytesParser(EmailMessage, policy=policy.default)
    return [parser.parsebytes(path.read_bytes()) for path in sorted(folder.glob("*.eml"))]


class _Controller(Controller):
    """aiosmtpd's controller, able to take any free port: its start-up probe must ask for the bound one."""

    bound_port = 0

    def factory(self) -> SMTP:
        return SMTP(self.handler, data_size_limit=LARGEST_MESSAGE, enable_SMTPUTF8=True)

    def _trigger_server(self) -> None:
        self.bound_port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        self.port = self.bound_port
        super()._trigger_server()  # type: ignore[no-untyped-call]


async def _serve(folder: Path, port: int) -> None:
    handler = KeepingHandler(folder)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(handler, data_size_limit=LARGEST_MESSAGE, enable_SMTPUTF8=True), host=HOST, port=port
    )
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    async with server:
        await ended.wait()


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGINT or SIGTERM: `python -m runtime.embedded.mailsink --folder FOLDER --port PORT`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    chosen = parser.parse_args(arguments)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(chosen.folder, chosen.port))


if __name__ == "__main__":
    main()
