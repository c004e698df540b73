"""django-ca beside the product: its own virtual environment, its own database, its own server, its REST API."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import secrets
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import cores
from benchmarks.services import ROOT, Servers
from runtime.embedded.processes import start_child, wait_until
from runtime.embedded.sockets import free_port

FOLDER = Path(__file__).parent / "django_ca"
ENVIRONMENT = ROOT / "var" / "bench" / "django-ca"
DATABASE, PORT = "peer_django_ca", 8610
START_SECONDS = 60.0
SUBJECT = [{"oid": "2.5.4.3", "value": "holder.example.org"}]


@dataclass(frozen=True)
class Peer:
    """The peer's server while it runs: where it listens, its process, its CAs by key type."""

    port: int
    pid: int
    serials: dict[str, str]
    authorization: str

    def signer(self, key_type: str) -> Callable[[str], None]:
        """Return the call that has one certificate signed from a PEM request; `AssertionError` if it is refused."""
        path = f"/django_ca/api/ca/{self.serials[key_type]}/sign/"
        headers = {"Content-Type": "application/json", "Authorization": self.authorization}

        def sign(csr_pem: str) -> None:
            body = {"csr": csr_pem, "subject": SUBJECT, "profile": "client"}
            line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
            line.request("POST", path, json.dumps(body), headers)
            answer = line.getresponse()
            text = answer.read()
            line.close()
            if answer.status != http.HTTPStatus.OK:
                message = f"the peer answered {answer.status}: {text[:300]!r}"
                raise AssertionError(message)

        return sign


@dataclass(frozen=True)
class Founded:
    """The peer with tables, keys and CAs in a database of the run, not served yet."""

    python: Path
    environment: dict[str, str]
    serials: dict[str, str]
    password: str

    def run(self, script: str, *arguments: object) -> str:
        """Run one of the scripts in the peer's folder; returns the last line that it printed."""
        command = [self.python, FOLDER / script, *map(str, arguments)]
        done = subprocess.run(command, env=self.environment, check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout.splitlines()[-1]


def founded(servers: Servers) -> Founded:
    """Set the peer up in the run's PostgreSQL."""
    python = _environment()
    servers.create_empty(DATABASE)
    address, password = servers.postgres.address, secrets.token_urlsafe(16)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SIGILLO_")},
        "DJANGO_SETTINGS_MODULE": "peer_settings",
        "PYTHONPATH": str(FOLDER),
        "PEER_SECRET_KEY": secrets.token_urlsafe(48),
        "PEER_PASSWORD": password,
        "PEER_DB_HOST": str(address.host),
        "PEER_DB_PORT": str(address.port),
        "PEER_DB_USER": address.user,
        "PEER_DB_NAME": DATABASE,
        "PEER_KEY_FOLDER": str(servers.folder / "peer-keys"),
    }
    peer = Founded(python, environment, {}, password)
    peer.serials.update(json.loads(peer.run("found.py")))
    return peer


@contextmanager
def running(servers: Servers) -> Iterator[Peer]:
    """Set the peer up in the run's PostgreSQL and serve it, on the core of the server under test."""
    with serving(servers, founded(servers)) as peer:
        yield peer


@contextmanager
def serving(servers: Servers, peer: Founded) -> Iterator[Peer]:
    """Serve the peer, on the core of the server under test."""
    port = free_port(PORT)
    command = [peer.python, "-m", "gunicorn", f"--bind=127.0.0.1:{port}", "--workers=1", "peer_wsgi:application"]
    log = servers.folder / "django-ca.log"
    with cores.on(cores.SERVER):
        child = start_child("django-ca", command, environment=peer.environment, log=log)
    try:
        wait_until(child, partial(_answers, port), timeout=START_SECONDS)
        authorization = f"Basic {base64.b64encode(f'bench:{peer.password}'.encode()).decode()}"
        yield Peer(port, child.process.pid, peer.serials, authorization)
    finally:
        child.stop()


def _environment() -> Path:
    """Make the peer's virtual environment unless it stands, and return its interpreter."""
    requirements, python = FOLDER / "requirements.txt", ENVIRONMENT / "bin" / "python"
    stamp, wanted = ENVIRONMENT / "made-from", hashlib.sha256(requirements.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    print("Making the environment of django-ca, once ...", file=sys.stderr)
    venv.create(ENVIRONMENT, clear=True, with_pip=True)
    options = ["-qq", "--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:"]
    subprocess.run([python, "-m", "pip", "install", *options, "-r", requirements], check=True)
    stamp.write_text(wanted)
    return python


def _answers(port: int) -> bool:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        line.request("GET", "/django_ca/api/openapi.json")
        return line.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        line.close()
