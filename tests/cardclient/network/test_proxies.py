"""Every kind of proxy: right, wrong password, down, silent, and something that is no proxy at all."""

from __future__ import annotations

import threading

import httpx
import pytest

from cardclient.errors import OfficeUnreachable
from cardclient.network.causes import failure_of
from cardclient.preferences import ProxyChoice, ProxyKind
from tests.cardclient.network.conftest import BODY, HOST, FakeHolder, FakeKeyring, FixedSystem, post
from tests.cardclient.proxies import http, socks
from tests.cardclient.proxies.servers import Server, free_port

USER, PASSWORD = "rossi", "Segreto#2026"
DOMAIN_USER = "AZIENDA\\rossi"


def at(server, kind, **facts):
    return ProxyChoice(kind, "127.0.0.1", server.port, **facts)


def failure(client) -> tuple[str, dict]:
    with pytest.raises(httpx.TransportError) as problem:
        post(client)
    found = failure_of(problem.value)
    assert isinstance(found, OfficeUnreachable)
    return found.code, found.facts


@pytest.fixture
def ntlm_users(tmp_path, monkeypatch):
    users = tmp_path / "users"
    users.write_text(f"AZIENDA:rossi:{PASSWORD}\n")
    monkeypatch.setenv("NTLM_USER_FILE", str(users))


@pytest.fixture
def basic(names):
    with http.http_proxy(http.BasicProxy, names=names, username=USER, password=PASSWORD) as server:
        yield server


@pytest.fixture
def ntlm(names, ntlm_users):
    with http.http_proxy(http.NtlmProxy, names=names, scheme="NTLM", also=()) as server:
        yield server


@pytest.fixture
def socks5(names):
    with socks.socks5_proxy(names=names, username=USER, password=PASSWORD) as server:
        yield server


# Right


def test_an_open_http_proxy_resolves_the_name_itself(connect, names):
    with http.http_proxy(names=names) as server:
        assert post(connect(at(server, ProxyKind.HTTP))) == len(BODY)
    assert server.log == [(f"{HOST}:443", False)]


def test_a_connection_is_used_again(connect, names):
    with http.http_proxy(names=names) as server:
        client = connect(at(server, ProxyKind.HTTP))
        assert post(client) == post(client)
    assert len(server.log) == 1


def test_basic_sends_the_password_only_after_it_was_asked_for(connect, basic):
    holder = FakeHolder((USER, PASSWORD))
    assert post(connect(at(basic, ProxyKind.HTTP), holder)) == len(BODY)
    assert [sent for _, sent in basic.log] == [False, True]
    assert holder.asked == [("proxy-login-needed", "")]


def test_ntlm_logs_a_connection_in(connect, ntlm):
    assert post(connect(at(ntlm, ProxyKind.NTLM), FakeHolder((DOMAIN_USER, PASSWORD)))) == len(BODY)
    assert ("user", DOMAIN_USER) in ntlm.log


def test_a_proxy_set_as_http_that_wants_ntlm_gets_it(connect, ntlm):
    ntlm.also = ('Basic realm="weak"',)
    assert post(connect(at(ntlm, ProxyKind.HTTP), FakeHolder((DOMAIN_USER, PASSWORD)))) == len(BODY)


def test_negotiate_carries_ntlm_where_nothing_stronger_is_there(connect, ntlm):
    ntlm.scheme = "Negotiate"
    assert post(connect(at(ntlm, ProxyKind.NTLM), FakeHolder((DOMAIN_USER, PASSWORD)))) == len(BODY)


def test_socks4a_leaves_the_name_to_the_proxy(connect, names):
    with socks.socks4_proxy(names=names) as server:
        assert post(connect(at(server, ProxyKind.SOCKS4, username="rossi"))) == len(BODY)
    assert server.log == [(HOST, "rossi")]


def test_socks5_leaves_the_name_to_the_proxy(connect, names):
    with socks.socks5_proxy(names=names) as server:
        assert post(connect(at(server, ProxyKind.SOCKS5))) == len(BODY)
    assert server.log == [(HOST, 443)]


def test_socks5_with_a_login(connect, socks5):
    holder = FakeHolder((USER, PASSWORD))
    assert post(connect(at(socks5, ProxyKind.SOCKS5), holder)) == len(BODY)
    assert holder.asked == [("proxy-login-needed", "")]


# Logins: asked, remembered, refused

LOGIN_KINDS = [
    ("basic", ProxyKind.HTTP, USER),
    ("ntlm", ProxyKind.NTLM, DOMAIN_USER),
    ("socks5", ProxyKind.SOCKS5, USER),
]
by_kind = pytest.mark.parametrize(("proxy", "kind", "user"), LOGIN_KINDS)


@by_kind
def test_a_wrong_password_is_asked_for_again_and_said(request, connect, proxy, kind, user):
    server = request.getfixturevalue(proxy)
    holder = FakeHolder((user, "sbagliata"), (user, PASSWORD))
    assert post(connect(at(server, kind), holder)) == len(BODY)
    assert holder.asked == [("proxy-login-needed", ""), ("proxy-login-wrong", user)]


@by_kind
def test_three_wrong_passwords_are_enough(request, connect, proxy, kind, user):
    server = request.getfixturevalue(proxy)
    holder = FakeHolder(*[(user, "sbagliata")] * 9)
    assert failure(connect(at(server, kind), holder))[0] == "proxy-login-wrong"
    assert len(holder.asked) == 3


@by_kind
def test_nobody_to_ask_is_a_failure_of_its_own(request, connect, proxy, kind, user):
    server = request.getfixturevalue(proxy)
    assert failure(connect(at(server, kind)))[0] == "proxy-login-needed"


@by_kind
def test_a_password_of_the_keyring_asks_nobody(request, connect, proxy, kind, user):
    server = request.getfixturevalue(proxy)
    keyring = FakeKeyring(**{f"{user}@127.0.0.1:{server.port}": PASSWORD})
    holder = FakeHolder()
    assert post(connect(at(server, kind, username=user), holder, keyring=keyring)) == len(BODY)
    assert holder.asked == []


@by_kind
def test_an_outdated_password_of_the_keyring_is_tried_once_and_replaced(request, connect, proxy, kind, user):
    server = request.getfixturevalue(proxy)
    account = f"{user}@127.0.0.1:{server.port}"
    keyring = FakeKeyring(**{account: "vecchia"})
    holder = FakeHolder((user, PASSWORD), remember=True)
    client = connect(at(server, kind, username=user), holder, keyring=keyring)
    assert post(client) == len(BODY)
    assert holder.asked == [("proxy-login-wrong", user)]
    assert keyring.passwords == {account: PASSWORD}


@by_kind
def test_a_login_is_asked_for_once_per_run(request, connect, proxy, kind, user):
    from cardclient.network.credentials import Logins

    server = request.getfixturevalue(proxy)
    holder = FakeHolder((user, PASSWORD))
    logins = Logins(holder)
    for _ in range(2):
        assert post(connect(at(server, kind), logins=logins)) == len(BODY)
    assert len(holder.asked) == 1


def test_who_wants_to_be_asked_each_time_is(connect, basic):
    keyring = FakeKeyring(**{f"{USER}@127.0.0.1:{basic.port}": PASSWORD})
    holder = FakeHolder((USER, PASSWORD), remember=True)
    choice = at(basic, ProxyKind.HTTP, username=USER, ask_each_time=True)
    assert post(connect(choice, holder, keyring=keyring)) == len(BODY)
    assert holder.asked == [("proxy-login-needed", USER)]


def test_a_refused_password_is_not_kept(connect, basic):
    keyring = FakeKeyring()
    assert failure(connect(at(basic, ProxyKind.HTTP), FakeHolder((USER, "x"), remember=True), keyring=keyring))
    assert keyring.passwords == {}


def test_who_chose_ntlm_never_sends_a_password_in_clear(connect, basic):
    code, facts = failure(connect(at(basic, ProxyKind.NTLM), FakeHolder((USER, PASSWORD))))
    assert (code, facts) == ("proxy-scheme-unknown", {"schemes": "basic"})
    assert not any(sent for _, sent in basic.log)


@pytest.mark.parametrize(
    ("proxy", "kind", "login"),
    [
        ("basic", ProxyKind.HTTP, ("a:b", "x")),
        ("socks5", ProxyKind.SOCKS5, ("rossi", "perché")),
        ("socks5", ProxyKind.SOCKS5, ("rossi", "x" * 256)),
        ("socks5", ProxyKind.SOCKS5, ("", "x")),
    ],
)
def test_a_login_that_cannot_be_sent_says_so(request, connect, proxy, kind, login):
    assert failure(connect(at(request.getfixturevalue(proxy), kind), FakeHolder(login)))[0] == "proxy-login-unsendable"


class SessionUser:
    """SSPI for the user of the running session, who has no name and password here."""

    def __init__(self, scheme, login, host) -> None:
        import spnego

        assert login is None
        self.inner = spnego.client(DOMAIN_USER, PASSWORD, hostname=host, service="HTTP", protocol=scheme)

    def step(self, token=None):
        return self.inner.step(token)


def test_on_windows_the_session_s_user_logs_in_without_a_question(tls_authority, ntlm):
    from cardclient.network import trust
    from cardclient.network.backend import Backend
    from cardclient.network.credentials import Logins
    from cardclient.network.transport import ProxiedTransport
    from tests.cardclient.proxies.certificates import NOW

    holder = FakeHolder()
    backend = Backend(
        at(ntlm, ProxyKind.NTLM),
        Logins(holder),
        FixedSystem(),
        now=lambda: NOW,
        new_context=SessionUser,
        session_user=True,
    )
    with httpx.Client(transport=ProxiedTransport(backend, trust.context(str(tls_authority.file)))) as client:
        assert post(client) == len(BODY)
    assert holder.asked == []


# Down, silent, strange


@pytest.mark.parametrize("kind", [ProxyKind.HTTP, ProxyKind.NTLM, ProxyKind.SOCKS4, ProxyKind.SOCKS5])
@pytest.mark.parametrize(
    ("host", "code"), [("127.0.0.1", "proxy-refused"), ("no-such-proxy.invalid", "proxy-name-unknown")]
)
def test_a_proxy_that_is_not_there(connect, kind, host, code):
    assert failure(connect(ProxyChoice(kind, host, free_port())))[0] == code


@pytest.mark.parametrize("kind", [ProxyKind.HTTP, ProxyKind.SOCKS4, ProxyKind.SOCKS5])
def test_a_silent_proxy_ends_in_time(connect, kind):
    with Server(http.Hanging) as server:
        assert failure(connect(at(server, kind), timeout=0.3))[0] == "proxy-timeout"


def test_a_proxy_that_drips_ends_in_time(connect):
    with Server(http.Dripping, stopped=threading.Event()) as server:
        assert failure(connect(at(server, ProxyKind.HTTP), timeout=0.3))[0] == "proxy-timeout"
        server.stopped.set()


@pytest.mark.parametrize("kind", [ProxyKind.HTTP, ProxyKind.SOCKS4, ProxyKind.SOCKS5])
@pytest.mark.parametrize(
    "words", [b"220 mail.example.org ESMTP\r\n", b"", b"\x05\x07garbage", b"HTTP/1.1 404 Not Found\r\n\r\n", b"\0" * 8]
)
def test_what_is_no_proxy_is_named_so(connect, kind, words):
    with Server(http.Garbage, words=words) as server:
        assert failure(connect(at(server, kind)))[0] == "proxy-not-a-proxy"


@pytest.mark.parametrize("kind", [ProxyKind.HTTP, ProxyKind.SOCKS4, ProxyKind.SOCKS5])
def test_a_proxy_that_hangs_up_is_none(connect, kind):
    with Server(http.Resetting) as server:
        assert failure(connect(at(server, kind)))[0] == "proxy-not-a-proxy"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("403 Forbidden", "proxy-forbidden"),
        ("502 Bad Gateway", "proxy-server-unreachable"),
        ("503 Service Unavailable", "proxy-server-unreachable"),
        ("302 Found", "portal-answered"),
        ("511 Network Authentication Required", "portal-answered"),
        ("405 Method Not Allowed", "proxy-not-a-proxy"),
    ],
)
def test_a_refusal_of_the_proxy_has_its_code(connect, names, status, code):
    with http.http_proxy(http.RefusingProxy, names=names, status=status) as server:
        assert failure(connect(at(server, ProxyKind.HTTP)))[0] == code


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (http.http_proxy, ProxyKind.HTTP),
        (socks.socks4_proxy, ProxyKind.SOCKS4),
        (socks.socks5_proxy, ProxyKind.SOCKS5),
    ],
)
def test_a_server_that_the_proxy_does_not_reach(connect, make, kind):
    with make() as server:
        assert failure(connect(at(server, kind)))[0] == "proxy-server-unreachable"


@pytest.mark.parametrize(
    ("make", "kind", "reply"), [(socks.socks5_proxy, ProxyKind.SOCKS5, 2), (socks.socks4_proxy, ProxyKind.SOCKS4, 0x5D)]
)
def test_a_server_that_the_proxy_forbids(connect, names, make, kind, reply):
    with make(names=names, reply=reply) as server:
        assert failure(connect(at(server, kind)))[0] == "proxy-forbidden"


def test_a_proxy_that_cannot_be_meant(connect):
    assert failure(connect(ProxyChoice(ProxyKind.HTTP, "", 0)))[0] == "proxy-settings-wrong"
