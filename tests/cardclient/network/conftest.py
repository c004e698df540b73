"""A server that only proxies can name, an authority it is trusted by, and a holder who knows a password or two."""

from __future__ import annotations

import httpx
import pytest

from cardclient.network import opening
from cardclient.network.credentials import Logins, ProxyLogin
from cardclient.preferences import Preferences, ProxyChoice
from cardclient.secret import Secret
from tests.cardclient.proxies.certificates import NOW, Authority
from tests.cardclient.proxies.servers import TlsServer, Web

HOST = "ra.sigillo.test"
BODY = b"x" * 50_000


class FakeHolder:
    """Answers questions about the proxy with prepared logins; None gives up."""

    def __init__(self, *answers: tuple[str, str] | None, remember=False) -> None:
        self.answers, self.remember, self.asked = list(answers), remember, []

    def ask(self, question):
        self.asked.append((question.problem, question.username))
        answer = self.answers.pop(0) if self.answers else None
        return ProxyLogin(answer[0], Secret(answer[1]), self.remember) if answer else None


class FakeKeyring:
    available = True

    def __init__(self, **passwords) -> None:
        self.passwords = passwords

    def read(self, account):
        return Secret(self.passwords[account]) if account in self.passwords else None

    def write(self, account, password):
        self.passwords[account] = password.reveal()
        return True

    def forget(self, account):
        self.passwords.pop(account, None)


class FixedSystem:
    """A system that is set to these ways."""

    def __init__(self, *routes) -> None:
        self.ways, self.asked = routes, []

    def routes(self, host, port):
        self.asked.append((host, port))
        return self.ways


@pytest.fixture(scope="session")
def tls_authority(tmp_path_factory):
    return Authority("Prova CA", tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def stranger(tmp_path_factory):
    return Authority("Azienda Proxy CA", tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="session")
def certificate(tls_authority):
    return tls_authority.server_file(HOST, "localhost")


def echo(method, path, headers, body):
    return 200, {"Content-Type": "application/json"}, b'{"size": %d}' % len(body)


@pytest.fixture(scope="session")
def origin(certificate):
    with TlsServer(Web, certificate, answer=echo) as server:
        yield server


@pytest.fixture
def names(origin):
    """What the proxies resolve."""
    return {HOST: origin.port}


@pytest.fixture
def connect(tls_authority):
    """Open an httpx client that trusts the test authority, through a proxy choice."""
    opened = []

    def client(choice: ProxyChoice, holder=None, *, keyring=None, system=None, ca_file=None, timeout=5.0, logins=None):
        logins = logins or Logins(holder or FakeHolder(), **({"keyring": keyring} if keyring else {}))
        trusted = str(ca_file or tls_authority.file)
        made = opening.transport(Preferences(proxy=choice), logins, system=system, ca_file=trusted, now=lambda: NOW)
        opened.append(httpx.Client(transport=made, timeout=timeout))
        return opened[-1]

    yield client
    for each in opened:
        each.close()


def post(client):
    """Send 50 kB to the server only the proxy knows, and return how many bytes it received."""
    return client.post(f"https://{HOST}/api", content=BODY).json()["size"]
