"""Whole renewals through proxies: card, flow and office as everywhere, the network real, the holder asked once."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing

import httpx
import pytest

from cardclient import flow
from cardclient.errors import OfficeUnreachable
from cardclient.network import opening
from cardclient.network.credentials import Logins
from cardclient.office import HttpOffice
from cardclient.preferences import Preferences, ProxyChoice, ProxyKind
from cardclient.simulator import SimulatedCard
from tests.cardclient.conftest import NOW, PIN, PUK
from tests.cardclient.network.conftest import HOST, FakeHolder
from tests.cardclient.proxies import http, socks
from tests.cardclient.proxies.servers import TlsServer, Web
from tests.cardclient.recording_screen import RecordingScreen

USER, PASSWORD = "AZIENDA\\rossi", "Segreto#2026"


@pytest.fixture
def served(office, certificate):
    """The office in memory, behind TLS."""

    def answer(method, path, headers, body):
        request = httpx.Request(method, f"https://{headers['host']}{path}", headers=dict(headers), content=body)
        response = office.handle(request)
        kept = {name: value for name, value in response.headers.items() if name != "content-length"}
        return response.status_code, kept, response.content

    with TlsServer(Web, certificate, answer=answer) as server:
        yield server


@pytest.fixture(params=["ntlm", "socks5", "http"])
def proxy(request, served, tmp_path, monkeypatch):
    users = tmp_path / "users"
    users.write_text(f"AZIENDA:rossi:{PASSWORD}\n")
    monkeypatch.setenv("NTLM_USER_FILE", str(users))
    names = {HOST: served.port}
    with ExitStack() as open_:
        made = {
            "ntlm": lambda: http.http_proxy(http.NtlmProxy, names=names, scheme="NTLM", also=()),
            "socks5": lambda: socks.socks5_proxy(names=names, username=USER, password=PASSWORD),
            "http": lambda: http.http_proxy(http.BasicProxy, names=names, username=USER, password=PASSWORD),
        }[request.param]()
        server = open_.enter_context(made)
        yield ProxyChoice(ProxyKind(request.param), "127.0.0.1", server.port, "AZIENDA\\rossi")


@pytest.fixture
def open_office(proxy, tls_authority):
    """Speak to the office through the proxy; what is opened is closed with the test."""
    with ExitStack() as opened:

        def make(holder, sleep=time.sleep):
            line = opening.transport(Preferences(proxy=proxy), Logins(holder), ca_file=str(tls_authority.file))
            return opened.enter_context(closing(HttpOffice(f"https://{HOST}", transport=line, sleep=sleep)))

        yield make


def test_a_renewal_runs_through_a_proxy_and_the_password_is_asked_for_once(card, office, open_office):
    holder = FakeHolder((USER, PASSWORD))
    screen = RecordingScreen(pin=[PIN], puk=[PUK])

    outcome = flow.renew(flow.Desk(SimulatedCard(card.path), screen, open_office(holder), NOW))

    assert outcome.case.state_label == "Completato"
    assert office.is_complete
    assert len(holder.asked) == 1


def test_a_refused_login_ends_the_call_at_once(office, open_office):
    """Each repetition would count as a wrong password, and companies lock accounts after a few."""
    holder = FakeHolder(*[(USER, "sbagliata")] * 9)
    slept = []
    with pytest.raises(OfficeUnreachable, match="proxy-login-wrong"):
        open_office(holder, slept.append).capabilities()
    assert len(holder.asked) == 3
    assert slept == []
    assert office.seen == []
