"""A stand-in of clamd: takes streams as INSTREAM sends them, and finds nothing but the EICAR test file."""

from __future__ import annotations

import socketserver
import struct
import threading
from typing import Self

LARGEST_STREAM = 25 * 1024 * 1024  # clamd's own StreamMaxLength
_COMMAND = b"zINSTREAM\0"
_EICAR = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE"


class _Line(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        if self.rfile.read(len(_COMMAND)) != _COMMAND:
            self.wfile.write(b"UNKNOWN COMMAND\0")
            return
        content = b""
        while size := struct.unpack("!I", self.rfile.read(4))[0]:
            content += self.rfile.read(size)
            if len(content) > LARGEST_STREAM:
                self.wfile.write(b"INSTREAM size limit exceeded. ERROR\0")
                return
        self.wfile.write(b"stream: Eicar-Signature FOUND\0" if _EICAR in content else b"stream: OK\0")


class Clamd(socketserver.ThreadingTCPServer):
    """The stand-in; as a context it serves in threads of this process."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        """Bind, on a port of the system's choice by default."""
        super().__init__(("127.0.0.1", port), _Line)

    @property
    def address(self) -> str:
        """Where it listens, as `SIGILLO_SMIME_CLAMD` wants it."""
        return f"127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        """Serve in a thread."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self.shutdown()
        self.server_close()
