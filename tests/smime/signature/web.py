"""A small public network on this machine: every host of the tests is one local HTTP server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from smime.services.fetching import LONGEST_SECONDS, Web


@dataclass
class Asked:
    """What came in."""

    method: str
    address: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    """What goes out; `parts` are sent one by one, each after `pause` seconds."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    pause: float = 0.0


Page = Callable[[Asked], Reply]


@dataclass
class Net:
    """Pages by their whole address, and all that was asked."""

    port: int = 0
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    rest: threading.Event = field(default_factory=threading.Event)

    def put(self, address: str, body: bytes, **headers: str) -> None:
        """Lay a document there."""
        self.pages[address] = lambda _: Reply(body, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def stamped(self, address: str, body: bytes, etag: str) -> None:
        """Lay a document there that is sent again only to whom does not know it."""

        def page(asked: Asked) -> Reply:
            known = asked.headers.get("if-none-match") == etag
            return Reply(b"" if known else body, 304 if known else 200, {"ETag": etag})

        self.pages[address] = page

    def addresses(self) -> list[str]:
        """Give what was asked for, in order."""
        return [each.address for each in self.asked]

    def web(self, seconds: float = LONGEST_SECONDS) -> Web:
        """The way into it."""
        return Web(lambda _host, _port: [("127.0.0.1", self.port)], seconds=seconds)


class Handler(BaseHTTPRequestHandler):
    """Answers with the pages of its server's network."""

    server: Server

    def handle_any(self) -> None:
        """Write down what is asked, and answer."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, f"http://{self.headers['Host']}{self.path}", headers, body)
        self.server.net.asked.append(asked)
        page = self.server.net.pages.get(asked.address)
        self.reply(page(asked) if page is not None else Reply(status=404))

    def reply(self, reply: Reply) -> None:
        """Send it, at once or a byte now and then."""
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.length != -1:
            self.send_header("Content-Length", str(reply.length if reply.length is not None else len(reply.body)))
        self.end_headers()
        if not reply.pause:
            self.wfile.write(reply.body)
        for byte in reply.body if reply.pause else b"":
            self.server.net.rest.wait(reply.pause)
            self.wfile.write(bytes([byte]))

    do_GET = do_POST = handle_any  # noqa: N815 - the library's own names

    def log_message(self, *_: object) -> None:
        """Nothing."""


class Server(ThreadingHTTPServer):
    """Serves one network."""

    daemon_threads = True

    def __init__(self, net: Net) -> None:
        self.net = net
        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, *_: object) -> None:
        """Who hangs up early is no error here."""


@contextmanager
def net() -> Iterator[Net]:
    """Open the network, and close it."""
    made = Net()
    server = Server(made)
    made.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.rest.set()
        server.shutdown()
        server.server_close()
        thread.join()
