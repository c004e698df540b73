"""Whom the client believes, what it says of the others, and that it never goes on with them."""

from __future__ import annotations

import ssl
from datetime import timedelta

import httpx
import pytest

from cardclient.errors import ClientError
from cardclient.messages import rows, words_for
from cardclient.network import opening, trust
from cardclient.network.causes import failure_of
from cardclient.network.credentials import Logins
from cardclient.network.failures import CODES
from cardclient.preferences import Preferences, ProxyChoice, ProxyKind
from tests.cardclient.network.conftest import HOST, FakeHolder, echo, post
from tests.cardclient.proxies import http
from tests.cardclient.proxies.certificates import DAY, NOW
from tests.cardclient.proxies.servers import Server, TlsServer, Web, free_port

DIRECT = ProxyChoice(ProxyKind.NONE)


def failure(client, url):
    with pytest.raises(httpx.TransportError) as problem:
        client.get(url)
    return failure_of(problem.value)


@pytest.fixture
def inspecting(names, tls_authority, stranger):
    facts = {"names": names, "certificate": stranger.server_file(HOST), "trusts": str(tls_authority.file)}
    with http.http_proxy(http.InspectingProxy, **facts) as server:
        yield server


def test_an_inspecting_proxy_is_named_and_nothing_is_sent(connect, inspecting):
    found = failure(connect(ProxyChoice(ProxyKind.HTTP, "127.0.0.1", inspecting.port)), f"https://{HOST}/")
    assert (found.code, found.facts["issuer"], found.facts["host"]) == ("tls-untrusted", "Azienda Proxy CA", HOST)
    assert "«Azienda Proxy CA»" in words_for(found).cause
    assert found.lasting


def test_an_inspecting_proxy_whose_authority_the_system_trusts_is_gone_through(connect, inspecting, stranger):
    client = connect(ProxyChoice(ProxyKind.HTTP, "127.0.0.1", inspecting.port), ca_file=stranger.file)
    assert post(client) == 50_000


def test_without_a_file_the_system_s_store_decides(monkeypatch, origin, tls_authority):
    def get():
        made = opening.transport(Preferences(proxy=DIRECT), Logins(FakeHolder()))
        with httpx.Client(transport=made) as client:
            return client.get(f"https://localhost:{origin.port}/").status_code

    with pytest.raises(httpx.ConnectError) as problem:
        get()
    assert failure_of(problem.value).facts["issuer"] == "Prova CA"

    monkeypatch.setenv("SSL_CERT_FILE", str(tls_authority.file))
    assert get() == 200


@pytest.mark.parametrize(
    ("names", "start", "end", "code"),
    [
        (("other.example.org",), NOW - DAY, NOW + DAY, "tls-other-name"),
        (("localhost",), NOW - 2 * DAY, NOW - DAY, "tls-expired"),
        (("localhost",), NOW + DAY, NOW + 2 * DAY, "tls-early"),
    ],
)
def test_a_certificate_that_does_not_fit_has_its_code(connect, tls_authority, names, start, end, code):
    with TlsServer(Web, tls_authority.server_file(*names, start=start, end=end), answer=echo) as server:
        found = failure(connect(DIRECT), f"https://localhost:{server.port}/")
    assert found.code == code
    assert found.facts["subject"] == names[0]
    assert found.facts["until"] == f"{end:%d/%m/%Y}"


def test_windows_one_number_for_expired_and_early_is_told_apart_by_the_dates(tls_authority):
    problem = ssl.SSLCertVerificationError(1, "CERT_E_EXPIRED")
    problem.verify_code = 0x800B0101
    from cryptography import x509

    pem = tls_authority.server_file("localhost", start=NOW + DAY, end=NOW + 2 * DAY).read_bytes()
    der = x509.load_pem_x509_certificate(pem).public_bytes(trust_encoding())
    for now, code in ((NOW, "tls-early"), (NOW + timedelta(days=3), "tls-expired")):
        assert trust.explain(problem, "localhost", presented=lambda: der, now=lambda now=now: now).code == code


def trust_encoding():
    from cryptography.hazmat.primitives.serialization import Encoding

    return Encoding.DER


@pytest.mark.parametrize("der", [None, b"", b"no certificate"])
def test_a_certificate_that_cannot_be_read_is_still_refused(der):
    problem = ssl.SSLCertVerificationError(1, "unable to get local issuer certificate")
    problem.verify_code = 20
    found = trust.explain(problem, HOST, presented=lambda: der, now=lambda: NOW)
    assert (found.code, found.facts["issuer"]) == ("tls-untrusted", "?")


def test_a_page_in_place_of_tls_is_named(connect):
    with Server(http.Garbage, words=b"HTTP/1.1 302 Found\r\nLocation: http://portal/\r\n\r\n") as server:
        assert failure(connect(DIRECT), f"https://127.0.0.1:{server.port}/").code == "tls-absent"


def test_a_server_that_hangs_up_in_the_handshake_is_a_lost_connection(connect):
    with Server(http.Resetting) as server:
        assert failure(connect(DIRECT), f"https://127.0.0.1:{server.port}/").code == "connection-lost"


@pytest.mark.parametrize(
    ("host", "code"), [("127.0.0.1", "server-refused"), ("no-such-server.invalid", "server-name-unknown")]
)
def test_a_server_that_is_not_there(connect, host, code):
    assert failure(connect(DIRECT), f"https://{host}:{free_port()}/").code == code


def test_a_silent_server_ends_in_time(connect):
    with Server(http.Hanging) as server:
        found = failure(connect(DIRECT, timeout=0.3), f"https://127.0.0.1:{server.port}/")
    assert (found.code, found.lasting) == ("server-timeout", False)


def test_a_name_that_cannot_be_one_is_unknown(connect):
    assert failure(connect(DIRECT), f"https://{'a' * 70}.example.org/").code == "server-name-unknown"


@pytest.mark.parametrize("content", [None, b"no certificates"])
def test_a_bad_file_of_authorities_is_wrong_use(tmp_path, content):
    file = tmp_path / "ca.pem"
    if content:
        file.write_bytes(content)
    with pytest.raises(ClientError, match="usage"):
        trust.context(str(file))


def test_every_code_of_the_network_has_its_words():
    assert CODES - rows().keys() == set()
