"""The test of the network: which leg fails, what the clock says, which hosts are blocked, and that it can be stopped."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from cardclient.messages import message_for
from cardclient.network.credentials import Logins
from cardclient.network.legs import Leg, Probe, try_legs, verdict
from cardclient.preferences import Preferences, ProxyChoice, ProxyKind
from tests.cardclient.network.conftest import HOST, FakeHolder, FixedSystem
from tests.cardclient.proxies import http
from tests.cardclient.proxies.certificates import NOW
from tests.cardclient.proxies.servers import Server, TlsServer, Web, free_port

SERVER = f"https://{HOST}"


@pytest.fixture
def office(certificate):
    """A server that tells its capabilities; the hosts are set by the test."""
    capabilities = {"now": (NOW - timedelta(minutes=7)).isoformat(), "client": {"minimum": "0.1.0"}, "hosts": [HOST]}
    said = {"status": 200, "type": "application/json", "body": capabilities}

    def answer(method, path, headers, body):
        assert (method, path) == ("GET", "/api/enrollment/v1/capabilities")
        content = said["body"] if isinstance(said["body"], bytes) else json.dumps(said["body"]).encode()
        return said["status"], {"Content-Type": said["type"]}, content

    with TlsServer(Web, certificate, answer=answer, said=said) as server:
        yield server


@pytest.fixture
def probe(tls_authority):
    def make(server, proxy, *, holder=None, **facts):
        logins = Logins(holder or FakeHolder())
        wanted = {
            "system": FixedSystem(),
            "ca_file": str(tls_authority.file),
            "now": lambda: NOW,
            "seconds": 3.0,
        } | facts
        return Probe(Preferences(server=server, proxy=proxy), logins, **wanted)

    return make


def codes(found):
    return {leg.name: leg.code for leg in found.legs}


def via(server, kind=ProxyKind.HTTP):
    return ProxyChoice(kind, "127.0.0.1", server.port)


def test_through_a_proxy_that_works_all_is_well(probe, office):
    told = []
    with http.http_proxy(names={HOST: office.port}) as proxy:
        found = try_legs(probe(SERVER, via(proxy)), told=told.append)

    assert codes(found) == {"proxy": "ok", "through-proxy": "ok", "direct": "server-name-unknown"}
    assert (found.verdict, found.minimum) == ("legs-ok", "0.1.0")
    assert found.clock_difference == pytest.approx(7 * 60)
    assert (found.server, found.proxy) == (f"{HOST}:443", f"http 127.0.0.1:{proxy.port}")
    assert sorted(told, key=lambda leg: leg.name) == sorted(found.legs, key=lambda leg: leg.name)
    assert all(leg.milliseconds is not None for leg in found.legs if leg.code == "ok")


def test_without_a_proxy_one_leg_is_tried(probe, office):
    found = try_legs(probe(f"https://localhost:{office.port}", ProxyChoice(ProxyKind.NONE)))
    assert codes(found) == {"direct": "ok"}
    assert (found.proxy, found.verdict) == ("none", "legs-hosts-blocked"), "the host of the list has no address here"


def test_a_proxy_that_is_down_is_the_first_leg(probe):
    found = try_legs(probe(SERVER, ProxyChoice(ProxyKind.SOCKS5, "127.0.0.1", free_port())))
    assert codes(found) == {"proxy": "proxy-refused", "direct": "server-name-unknown"}
    assert found.verdict == "legs-proxy-unreachable"


def test_a_server_behind_the_proxy_is_the_second_leg(probe):
    with http.http_proxy() as proxy:
        found = try_legs(probe(SERVER, via(proxy)))
    assert codes(found)["through-proxy"] == "proxy-server-unreachable"
    assert found.verdict == "legs-server-unreachable"


def test_the_proxy_s_login_is_asked_for_once(probe, office):
    office.said["body"]["hosts"] = [HOST, "ocsp.sigillo.test"]
    names = {HOST: office.port, "ocsp.sigillo.test": office.port}
    holder = FakeHolder(("rossi", "x"))
    with http.http_proxy(http.BasicProxy, names=names, username="rossi", password="x") as proxy:
        found = try_legs(probe(SERVER, via(proxy), holder=holder))
    assert found.verdict == "legs-ok"
    assert found.hosts == (Leg("ocsp.sigillo.test", "ocsp.sigillo.test", "ok", found.hosts[0].milliseconds),)
    assert len(holder.asked) == 1


def test_blocked_hosts_are_named(probe, office):
    office.said["body"]["hosts"] = [HOST, "crl.sigillo.test:80", "[nonsense", ""]
    with http.http_proxy(names={HOST: office.port}) as proxy:
        found = try_legs(probe(SERVER, via(proxy)))
    blocked = {leg.name: leg.code for leg in found.hosts}
    assert blocked["crl.sigillo.test:80"] == "proxy-server-unreachable"
    assert "ok" not in blocked.values()
    assert found.verdict == "legs-hosts-blocked"


def test_an_inspecting_proxy_is_named_in_its_leg(probe, office, tls_authority, stranger):
    facts = {"names": {HOST: office.port}, "certificate": stranger.server_file(HOST), "trusts": str(tls_authority.file)}
    with http.http_proxy(http.InspectingProxy, **facts) as proxy:
        found = try_legs(probe(SERVER, via(proxy)))
    leg = found.legs[1]
    assert (leg.code, leg.facts["issuer"]) == ("tls-untrusted", "Azienda Proxy CA")
    assert "Azienda Proxy CA" in message_for(leg.code, leg.facts).cause


@pytest.mark.parametrize(
    ("status", "kind", "body", "code"),
    [
        (404, "application/problem+json", {"code": "not-found"}, "ok"),
        (503, "application/problem+json", {"code": "service-unavailable"}, "ok"),
        (200, "application/json", {"hosts": "all", "now": 7, "client": []}, "ok"),
        (200, "text/html", b"<html>log in</html>", "portal-answered"),
        (302, "text/plain", b"", "portal-answered"),
        (200, "application/json", b"{", "answer-malformed"),
        (200, "application/json", b" " * 70_000, "answer-malformed"),
    ],
)
def test_who_answers_is_looked_at(probe, office, status, kind, body, code):
    office.said.update(status=status, type=kind, body=body)
    found = try_legs(probe(f"https://localhost:{office.port}", ProxyChoice(ProxyKind.NONE)))
    assert codes(found) == {"direct": code}


def test_the_date_header_serves_where_the_body_has_no_clock(probe, office):
    office.said["body"].pop("now")
    found = try_legs(probe(f"https://localhost:{office.port}", ProxyChoice(ProxyKind.NONE)))
    assert abs(found.clock_difference) < 3600


def test_senseless_settings_are_a_finding_and_no_crash(probe):
    assert try_legs(probe(SERVER, ProxyChoice(ProxyKind.HTTP))).legs[0].code == "proxy-settings-wrong"
    assert try_legs(probe("https://[", ProxyChoice(ProxyKind.NONE))).verdict == "legs-direct-failed"


def test_a_stop_does_not_wait_for_what_hangs(probe):
    stopped = threading.Event()
    with Server(http.Hanging) as proxy:
        threading.Timer(0.1, stopped.set).start()
        began = time.monotonic()
        found = try_legs(probe(SERVER, via(proxy)), stopped=stopped)
        assert time.monotonic() - began < 1.5
    for each in threading.enumerate():
        if each.name == "sigillo-leg":
            each.join(5)
    assert found.verdict == ""


P, T, D = (Leg(name, "", "ok") for name in ("proxy", "through-proxy", "direct"))


@pytest.mark.parametrize(
    ("good", "proxied", "expected"),
    [
        ((P, T, D), True, "legs-ok"),
        ((P, T), True, "legs-ok"),
        ((P, D), True, "legs-proxy-blocks"),
        ((D,), True, "legs-proxy-down"),
        ((P,), True, "legs-server-unreachable"),
        ((), True, "legs-proxy-unreachable"),
        ((D,), False, "legs-ok"),
        ((), False, "legs-direct-failed"),
    ],
)
def test_the_verdict_says_which_leg_fails(good, proxied, expected):
    legs = [each if each in good else replace(each, code="server-timeout") for each in (P, T, D)]
    found = verdict(legs, (), proxied=proxied)
    assert found == expected
    assert message_for(found).text
