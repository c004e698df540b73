"""Which way is taken: the holder's, the system's, or none at all."""

from __future__ import annotations

import pytest

from cardclient.network.failures import NetworkFailure
from cardclient.network.routes import DIRECT, EnvironmentProxy, Route, is_loopback, route_of, routes
from cardclient.preferences import ProxyChoice, ProxyKind
from tests.cardclient.network.conftest import HOST, FakeHolder, FixedSystem, post
from tests.cardclient.proxies import http
from tests.cardclient.proxies.servers import free_port

MANUAL = ProxyChoice(ProxyKind.HTTP, "proxy.example.org", 8080)
SYSTEM = ProxyChoice(ProxyKind.SYSTEM)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"])
def test_this_machine_is_never_reached_through_a_proxy(host):
    assert routes(MANUAL, host, 8000, FixedSystem(Route(MANUAL))) == (Route(),)
    assert routes(SYSTEM, host, 8000, FixedSystem(Route(MANUAL))) == (Route(),)


@pytest.mark.parametrize("host", ["localhost.example.org", "128.0.0.1", "ra.example.org", "::2"])
def test_other_machines_are(host):
    assert not is_loopback(host)
    assert routes(MANUAL, host, 443, FixedSystem()) == (Route(MANUAL),)


def test_the_system_is_asked_for_each_server_and_may_say_directly():
    system = FixedSystem()
    assert routes(SYSTEM, "ra.example.org", 443, system) == (Route(),)
    assert system.asked == [("ra.example.org", 443)]


def test_no_proxy_means_none_whatever_the_system_says():
    assert routes(DIRECT, "ra.example.org", 443, FixedSystem(Route(MANUAL))) == (Route(),)


@pytest.mark.parametrize(
    ("address", "kind", "host", "port"),
    [
        ("http://proxy.example.org:3128", ProxyKind.HTTP, "proxy.example.org", 3128),
        ("proxy.example.org:3128", ProxyKind.HTTP, "proxy.example.org", 3128),
        ("HTTP://proxy.example.org/", ProxyKind.HTTP, "proxy.example.org", 80),
        ("socks5h://proxy.example.org", ProxyKind.SOCKS5, "proxy.example.org", 1080),
        ("socks4://[2001:db8::1]:1081", ProxyKind.SOCKS4, "2001:db8::1", 1081),
    ],
)
def test_an_address_of_the_environment_is_read(address, kind, host, port):
    assert route_of(address).choice == ProxyChoice(kind, host, port)


def test_a_login_in_the_address_is_used_and_shown_nowhere():
    route = route_of("http://rossi:p%40ss@proxy.example.org:3128")
    assert (route.login.username, route.login.password.reveal()) == ("rossi", "p@ss")
    assert "p@ss" not in repr(route)


@pytest.mark.parametrize(
    "address", ["https://u:s3cr3t@proxy", "ftp://proxy", "http://:80", "http://s3cr3t:x@[::1", "http://p:x"]
)
def test_a_senseless_address_is_refused_without_being_quoted(address):
    with pytest.raises(NetworkFailure, match="proxy-settings-wrong") as refusal:
        route_of(address)
    assert "s3cr3t" not in repr(refusal.value)


def test_the_environment_s_exceptions_are_honoured(monkeypatch):
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    system = EnvironmentProxy()
    assert system.routes("ra.example.org", 443) == ()

    monkeypatch.setenv("all_proxy", "socks5://one.example.org:1080")
    assert system.routes("ra.example.org", 443)[0].choice.host == "one.example.org"
    monkeypatch.setenv("https_proxy", "http://two.example.org:8080")
    assert system.routes("ra.example.org", 443)[0].choice.host == "two.example.org"
    monkeypatch.setenv("no_proxy", "intranet.example.org,.corp.example.org,ra.example.org:444")
    assert system.routes("intranet.example.org", 443) == ()
    assert system.routes("a.corp.example.org", 443) == ()
    assert system.routes("ra.example.org", 444) == ()
    assert system.routes("ra.example.org", 443) != ()


def test_a_dead_proxy_of_a_script_gives_way_to_the_next(connect, names):
    with http.http_proxy(names=names) as server:
        dead, alive = (Route(ProxyChoice(ProxyKind.HTTP, "127.0.0.1", port)) for port in (free_port(), server.port))
        assert post(connect(SYSTEM, system=FixedSystem(dead, alive))) == 50_000


def test_the_login_of_the_system_s_setting_is_used_once(connect, names):
    with http.http_proxy(http.BasicProxy, names=names, username="rossi", password="giusta") as server:
        right, wrong = (route_of(f"http://rossi:{word}@127.0.0.1:{server.port}") for word in ("giusta", "vecchia"))
        assert post(connect(SYSTEM, system=FixedSystem(right))) == 50_000

        holder = FakeHolder(("rossi", "giusta"))
        assert post(connect(SYSTEM, holder, system=FixedSystem(wrong))) == 50_000
        assert holder.asked == [("proxy-login-wrong", "rossi")]
    assert HOST in server.names
