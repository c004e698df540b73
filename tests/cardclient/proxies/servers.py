"""The ground all test servers stand on: threads on 127.0.0.1 that end with the test, and a pump between two sockets."""

from __future__ import annotations

import contextlib
import selectors
import socket
import socketserver
import ssl
import threading
from http.server import BaseHTTPRequestHandler


class Server(socketserver.ThreadingTCPServer):
    """A server on a free port; `log` keeps what its handlers want the test to know."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, handler, **facts) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.log: list = []
        self.open: set[socket.socket] = set()
        vars(self).update(facts)
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def port(self) -> int:
        return self.server_address[1]

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_unused):
        self.shutdown()
        self._thread.join()
        for each in list(self.open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def process_request(self, request, client_address):
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        """Clients of these tests hang up in the middle on purpose."""


class TlsServer(Server):
    """The same behind TLS."""

    def __init__(self, handler, certificate, **facts) -> None:
        super().__init__(handler, **facts)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)

    def finish_request(self, request, client_address):
        with self.context.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)


class Web(BaseHTTPRequestHandler):
    """Hands each request to `server.answer(method, path, headers, body)` → (status, headers, body)."""

    protocol_version = "HTTP/1.1"

    def handle_one(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        status, headers, content = self.server.answer(self.command, self.path, self.headers, body)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = handle_one  # noqa: N815 - the names http.server looks for

    def log_message(self, *_unused):
        """Say nothing."""


def pump(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until one side ends."""
    with selectors.DefaultSelector() as waiting:
        waiting.register(one, selectors.EVENT_READ, other)
        waiting.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _ in waiting.select():
                data = waiting_bytes(key.fileobj)
                if data is None:
                    return
                key.data.sendall(data)


def waiting_bytes(source: socket.socket) -> bytes | None:
    """Everything that can be read without waiting, None at the end: half a TLS record must not stop the other way."""
    data = b""
    source.setblocking(False)
    try:
        while more := source.recv(65536):
            data += more
    except (BlockingIOError, ssl.SSLWantReadError):
        return data
    finally:
        source.setblocking(True)
    return data or None


def exactly(source: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = source.recv(size - len(data))
        if not more:
            raise ConnectionError
        data += more
    return data


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]
