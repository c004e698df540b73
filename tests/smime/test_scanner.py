"""The virus scanner: clamd's own words over TCP and a unix socket, and nothing clean without an answer."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import struct
import threading
from collections.abc import Iterator

import pytest

from smime.services.scanner import Clamd, NoScanner, ScannerAway, configured
from tests.smime.corpus import EICAR, pdf


class _Session(socketserver.BaseRequestHandler):
    """One INSTREAM as clamd runs it: chunks with their length until an empty one, then the verdict."""

    def handle(self) -> None:
        assert self._read(10) == b"zINSTREAM\0"
        content = b""
        while size := struct.unpack("!I", self._read(4))[0]:
            content += self._read(size)
            if len(content) > self.server.most:
                self.request.sendall(b"INSTREAM size limit exceeded. ERROR\0")
                return
        self.server.seen.append(content)
        said = self.server.says or ("stream: Eicar-Test-Signature FOUND" if EICAR in content else "stream: OK")
        self.request.sendall(said.encode() + b"\0")

    def _read(self, size: int) -> bytes:
        read = b""
        while len(read) < size:
            piece = self.request.recv(size - len(read))
            if not piece:
                raise ConnectionError
            read += piece
        return read


@contextlib.contextmanager
def daemon(address, *, kind=socketserver.TCPServer, says: str = "", most: int = 25_000_000) -> Iterator:
    with kind(address, _Session) as server:
        server.says, server.most, server.seen = says, most, []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def clamd():
    with daemon(("127.0.0.1", 0)) as server:
        yield server


def address_of(server) -> str:
    return "{}:{}".format(*server.server_address)


def test_a_clean_file_is_sent_whole_and_found_clean(clamd):
    content = pdf() + b"x" * 200_000
    assert Clamd(address_of(clamd)).find(content) is None
    assert clamd.seen == [content]


def test_the_vendors_test_virus_is_named(clamd):
    assert Clamd(address_of(clamd)).find(b"before " + EICAR) == "Eicar-Test-Signature"


def test_a_unix_socket_serves_as_well(tmp_path):
    path = str(tmp_path / "clamd")
    with daemon(path, kind=socketserver.UnixStreamServer):
        assert Clamd(path).find(EICAR) == "Eicar-Test-Signature"


@pytest.mark.parametrize(
    ("says", "most", "code"),
    [
        ("", 1000, "scanner-limit"),
        ("stream: OK? perhaps", 9_999, "scanner-confused"),
        ("UNKNOWN COMMAND", 9_999, "scanner-confused"),
        (" ", 9_999, "scanner-confused"),
    ],
)
def test_any_other_answer_is_none(says, most, code):
    with daemon(("127.0.0.1", 0), says=says, most=most) as server, pytest.raises(ScannerAway) as away:
        Clamd(address_of(server)).find(pdf())
    assert str(away.value) in {code, "scanner-unreachable"}


def test_who_hangs_up_has_not_answered():
    with socket.create_server(("127.0.0.1", 0)) as line:
        address = "{}:{}".format(*line.getsockname())
        hanging = threading.Thread(target=lambda: line.accept()[0].close())  # noqa: PLW0108 - it waits in the thread
        hanging.start()
        with pytest.raises(ScannerAway):
            Clamd(address, seconds=2).find(pdf())
        hanging.join()


@pytest.mark.parametrize("address", ["127.0.0.1:1", "/nowhere/clamd", "no-port"])
def test_where_nobody_listens_nothing_is_clean(address):
    with pytest.raises(ScannerAway):
        Clamd(address, seconds=1).find(pdf())


def test_an_installation_without_scanner_finds_nothing_clean(settings):
    settings.SMIME = settings.SMIME.model_copy(update={"clamd": ""})
    assert isinstance(configured(), NoScanner)
    with pytest.raises(ScannerAway):
        configured().find(pdf())


def test_a_daemon_that_is_silent_is_not_waited_for():
    with socket.create_server(("127.0.0.1", 0)) as line, pytest.raises(ScannerAway):
        Clamd("{}:{}".format(*line.getsockname()), seconds=0.2).find(b"x" * 5_000_000)
