"""The proxy's password shows nowhere: not in a log, a representation, a file, a command line, an exception."""

from __future__ import annotations

import logging
import traceback

import httpx
import pytest

from cardclient.network.credentials import Logins
from cardclient.preferences import Preferences, ProxyChoice, ProxyKind, Store
from cardclient.secret import Secret
from tests.cardclient.network.conftest import FakeHolder, FakeKeyring, post
from tests.cardclient.proxies import http, socks

PASSWORD = "Segreto-Introvabile-7261"
BASE64 = "U2VncmV0by1JbnRyb3ZhYmlsZS03MjYx"


@pytest.fixture(params=["http", "socks5", "ntlm"])
def proxy(request, names, tmp_path, monkeypatch):
    """A proxy that refuses the password, so that every path of failure is walked too."""
    users = tmp_path / "users"
    users.write_text("AZIENDA:rossi:another\n")
    monkeypatch.setenv("NTLM_USER_FILE", str(users))
    made = {
        "http": lambda: http.http_proxy(http.BasicProxy, names=names, username="rossi", password="another"),
        "socks5": lambda: socks.socks5_proxy(names=names, username="rossi", password="another"),
        "ntlm": lambda: http.http_proxy(http.NtlmProxy, names=names, scheme="NTLM", also=()),
    }[request.param]()
    with made as server:
        yield ProxyChoice(ProxyKind(request.param), "127.0.0.1", server.port, "rossi")


def test_a_refused_password_is_in_no_log_exception_or_representation(connect, proxy, caplog, tmp_path):
    keyring = FakeKeyring(**{f"rossi@127.0.0.1:{proxy.port}": PASSWORD})
    logins = Logins(FakeHolder(("rossi", PASSWORD), ("rossi", PASSWORD + "è")), keyring)
    client = connect(proxy, logins=logins)
    with caplog.at_level(logging.DEBUG, "cardclient"), pytest.raises(httpx.ConnectError) as problem:
        post(client)

    seen = caplog.text + "".join(traceback.format_exception(problem.value)) + repr(logins) + repr(problem.value)
    seen += "".join(repr(vars(each)) for each in (client, client._transport, client._transport._pool._network_backend))
    assert PASSWORD not in seen
    assert BASE64 not in seen


def test_the_chain_of_causes_holds_no_password(connect, proxy):
    with pytest.raises(httpx.ConnectError) as problem:
        post(connect(proxy, FakeHolder(("rossi", PASSWORD + "è"), ("rossi", PASSWORD))))
    each = problem.value
    while each is not None:
        assert PASSWORD not in f"{each.args!r}{vars(each)!r}"
        each = each.__cause__ or each.__context__


def test_the_settings_have_no_place_for_it(tmp_path):
    store = Store(tmp_path)
    logins = Logins(FakeHolder((("rossi"), PASSWORD)))
    choice = ProxyChoice(ProxyKind.HTTP, "proxy.example.org", 8080, "rossi")
    logins.accepted(choice, logins.ask(choice, None))
    store.save(Preferences(proxy=choice))
    assert PASSWORD not in store.path.read_text()
    assert "password" not in store.path.read_text()
    assert str(Secret(PASSWORD)) == "Secret(…)"
