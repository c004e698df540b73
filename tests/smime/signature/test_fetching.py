"""Public documents come from public addresses, whole, in time, and no larger than expected."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import suppress

import pytest

from smime.services import fetching
from smime.services.fetching import DocumentAway, Stamps, Web, public_addresses
from tests.cardclient.proxies.certificates import Authority
from tests.smime.signature import web

ADDRESS = "http://qtsp.example.org/firma.crl"
OTHER = "http://altro.example.org/firma.crl"


@pytest.fixture
def net():
    with web.net() as made:
        yield made


PRIVATE = [
    "127.0.0.1", "10.0.0.8", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
    "::1", "fe80::1", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.8", "::", "localhost",
    "192.0.0.8", "168.63.129.16", "64:ff9b::a00:1", "2002:a00:1::", "::a00:1", "fec0::1",
]  # fmt: skip


@pytest.mark.parametrize("host", PRIVATE)
def test_private_addresses_are_not_gone_to(host):
    with pytest.raises(DocumentAway, match="address-private"):
        public_addresses(host, 80)
    shown = f"[{host}]" if ":" in host else host
    with pytest.raises(DocumentAway, match="address-private"):
        fetching.download(f"http://{shown}/", 10)
    with pytest.raises(DocumentAway, match="address-private"):
        Web().post(f"http://{shown}/", b"", "text/plain", 10)


def test_public_addresses_are_taken_as_they_are():
    assert public_addresses("8.8.8.8", 80) == [("8.8.8.8", 80)]


def test_a_document_comes_with_its_stamps_and_is_not_sent_twice(net):
    net.stamped(ADDRESS, b"lista", '"1"')
    first = net.web().get(ADDRESS, 10)

    assert (first.content, first.stamps) == (b"lista", Stamps('"1"', ""))
    assert net.web().get(ADDRESS, 10, first.stamps) is None


def test_a_server_that_says_unchanged_without_being_asked_has_sent_nothing(net):
    net.pages[ADDRESS] = lambda _: web.Reply(status=304)

    with pytest.raises(DocumentAway, match="status-304"):
        net.web().get(ADDRESS, 10)


def test_redirects_are_followed_by_questions_for_documents_only(net):
    net.put(OTHER, b"lista")
    net.pages[ADDRESS] = lambda _: web.Reply(status=302, headers={"Location": OTHER})

    assert net.web().get(ADDRESS, 10).content == b"lista"
    with pytest.raises(DocumentAway, match="status-302"):
        net.web().post(ADDRESS, b"", "text/plain", 10)


@pytest.mark.parametrize(
    ("place", "code"),
    [
        (ADDRESS, "redirected-too-often"),
        ("file:///etc/passwd", "scheme-unknown"),
        ("gopher://example.org/", "scheme-unknown"),
        ("http://169.254.169.254/latest", "address-private"),
        ("http://127.0.0.1:6379/", "address-private"),
    ],
)
def test_redirects_lead_to_no_forbidden_place(net, place, code):
    net.pages[ADDRESS] = lambda _: web.Reply(status=301, headers={"Location": place})

    def find(host, port):
        return [("127.0.0.1", net.port)] if host == "qtsp.example.org" else public_addresses(host, port)

    with pytest.raises(DocumentAway, match=code):
        Web(find).get(ADDRESS, 10)


TROUBLE = {
    "too large": (lambda: web.Reply(b"12345678901"), "document-too-large"),
    "too large, of unknown length": (lambda: web.Reply(b"12345678901", length=-1), "document-too-large"),
    "cut short": (lambda: web.Reply(b"1", length=5), "document-cut-short"),
    "absent": (lambda: web.Reply(status=404), "status-404"),
    "an error": (lambda: web.Reply(b"1", status=500), "status-500"),
    "in dribs and drabs": (lambda: web.Reply(b"1234567890", pause=0.2), "too-slow|document-cut-short"),
    "in dribs and drabs without an end": (lambda: web.Reply(b"1234567890", length=-1, pause=0.2), "too-slow"),
}


@pytest.mark.parametrize(("reply", "code"), TROUBLE.values(), ids=TROUBLE)
def test_what_is_not_whole_in_time_is_away(net, reply, code):
    net.pages[ADDRESS] = lambda _: reply()

    with pytest.raises(DocumentAway, match=code):
        net.web(seconds=0.5).get(ADDRESS, 10)


def test_nobody_there_is_away():
    with web.net() as gone:
        there = gone.web()
    with pytest.raises(DocumentAway):
        there.get(ADDRESS, 10)
    with pytest.raises(DocumentAway, match="host-unknown"):
        Web().get("http://nowhere.invalid/", 10)


class Dribbling(threading.Thread):
    """An https server that answers at once, and then sends a byte now and then for a long time."""

    def __init__(self, context):
        super().__init__(daemon=True)
        self._listener, self._context = socket.create_server(("127.0.0.1", 0)), context
        self.port = self._listener.getsockname()[1]
        self.sent = 0

    def run(self):
        plain, _ = self._listener.accept()
        self._listener.close()
        with self._context.wrap_socket(plain, server_side=True) as line, suppress(OSError):
            line.recv(4096)
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n")
            while self.sent < 600:
                line.sendall(b"x")
                self.sent += 1
                time.sleep(0.1)


def test_a_server_that_sends_for_ever_is_left_in_time_behind_tls_too(tmp_path):
    authority = Authority("Lista di prova", tmp_path)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(authority.server_file("lento.example.org"))
    believed = ssl.create_default_context(cafile=authority.file)
    server = Dribbling(served)
    server.start()
    slow = Web(lambda *_: [("127.0.0.1", server.port)], seconds=0.5, secure=lambda: believed)

    with pytest.raises(DocumentAway):
        slow.get("https://lento.example.org/firma.crl", 1000)
    server.join(30)
    assert server.sent < 600
