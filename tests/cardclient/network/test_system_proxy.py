"""What Qt says of the system's proxy, as the ways our connections take."""

from __future__ import annotations

import pytest
from PySide6.QtNetwork import QNetworkProxy

from cardclient.network.routes import Route
from cardclient.preferences import ProxyChoice, ProxyKind
from cardclient.ui.system_proxy import QtSystemProxy

Type = QNetworkProxy.ProxyType
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def test_a_script_s_list_keeps_its_order():
    answers = [
        QNetworkProxy(Type.HttpProxy, "one.example.org", 8080),
        QNetworkProxy(Type.Socks5Proxy, "two.example.org", 1080, "rossi", "Segreto#2026"),
        QNetworkProxy(Type.FtpCachingProxy, "three.example.org", 21),
        QNetworkProxy(Type.NoProxy),
    ]
    asked = []
    first, second, last = QtSystemProxy(lambda query: asked.append(query.url().toString()) or answers).routes(
        "::2", 443
    )
    assert first == Route(ProxyChoice(ProxyKind.HTTP, "one.example.org", 8080))
    assert second.choice == ProxyChoice(ProxyKind.SOCKS5, "two.example.org", 1080, "rossi")
    assert second.login.password.reveal() == "Segreto#2026"
    assert last.is_direct
    assert asked == ["https://[::2]:443/"]


@pytest.mark.parametrize("nameless", [QNetworkProxy(Type.HttpProxy), QNetworkProxy(Type.HttpProxy, "h", 0)])
def test_a_proxy_without_address_is_left_out(nameless):
    assert QtSystemProxy(lambda _query: [nameless]).routes("ra.example.org", 443) == ()


@pytest.mark.skipif("sys.platform != 'linux'", reason="Qt reads variables on Linux only")
def test_on_linux_qt_reads_the_variables_and_their_exceptions(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert all(route.is_direct for route in QtSystemProxy().routes("ra.example.org", 443))
    monkeypatch.setenv("https_proxy", "http://proxy.example.org:3128")
    monkeypatch.setenv("no_proxy", "intranet.example.org")
    (route,) = QtSystemProxy().routes("ra.example.org", 443)
    assert (route.choice.kind, route.choice.host, route.choice.port) == (ProxyKind.HTTP, "proxy.example.org", 3128)
    assert all(each.is_direct for each in QtSystemProxy().routes("intranet.example.org", 443))
