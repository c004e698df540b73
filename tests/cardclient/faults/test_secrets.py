"""After all that can go wrong: no PIN, PUK, proxy password, name or codice fiscale in log, output, process list or dump.

The real program in processes of its own: a run whose helper dies in the middle with a dump of its stack, the run after
it, a diagnosis; meanwhile its processes are looked at as any other user of the computer can look at them.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cardclient.preferences import Preferences, ProxyChoice, ProxyKind, Store
from tests.cardclient import shimmed
from tests.cardclient.conftest import PIN, PUK
from tests.cardclient.faults import held_passwords, tally
from tests.cardclient.proxies import http
from tests.flows.programs import ROOT

LACK = shimmed.missing()
pytestmark = [pytest.mark.softhsm, pytest.mark.skipif(LACK is not None, reason=f"package missing: {LACK}")]
FAR = {"server": "https://ra.example.org"}  # a name that only a proxy would know: this machine is no proxy's business
LOOK = 0.02  # seconds between two looks at the processes


class Program:
    """`sigillo-card` as a person starts it; keeps all that it and its helpers showed to others."""

    def __init__(self, home, folder: Path) -> None:
        self.home, self.folder, self.seen = home, folder, {}
        self.looks = 0
        (folder / "pin").write_text(PIN)
        (folder / "puk").write_text(PUK)

    def run(self, command: str, *arguments: str, server: str = "", **variables: str) -> dict:
        """Run one command to its end; returns what it reports. `variables` are added to its environment."""
        line = [
            sys.executable, "-X", "faulthandler", "-m", "cardclient", command, "--module", str(self.home.town.shim),
            "--server", server or self.home.town.address, "--settings", str(self.folder / "settings"), "--debug-log",
            "--log", str(self.folder / f"{command}.log"), "--no-input", "--json", *arguments,
        ]  # fmt: skip
        environment = os.environ | self.home.medium.shim.environment | variables
        with subprocess.Popen(
            line, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
        ) as process:
            while True:
                self._look(process.pid)
                try:
                    out, err = process.communicate(timeout=LOOK)
                    break
                except subprocess.TimeoutExpired:
                    continue
        self.seen[f"output of {command} {len(self.seen)}"] = out + err
        return json.loads(out)

    def _look(self, pid: int) -> None:
        self.looks += 1
        for each in (pid, *descendants(pid)):
            for name in ("cmdline", "environ"):
                text = read(Path(f"/proc/{each}/{name}"))
                if text:
                    self.seen[f"{name} of {each}"] = text

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Whatever the program left on the disk."""
        for path in self.folder.rglob("*"):
            if path.is_file() and path.name not in {"pin", "puk", "password"}:
                yield path.name, path.read_bytes()


def descendants(pid: int) -> list[int]:
    """Ids of the processes that a process started, and those started."""
    told = read(Path(f"/proc/{pid}/task/{pid}/children")).split()
    return [each for child in map(int, told) for each in (child, *descendants(child))]


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_nothing_that_the_client_leaves_or_shows_holds_a_secret(town, tmp_path):
    home = town.home()
    program = Program(home, tmp_path)
    codes = ("--pin-file", str(tmp_path / "pin"), "--puk-file", str(tmp_path / "puk"))
    home.medium.shim.say(slow="C_GenerateKeyPair 300")
    home.medium.shim.plan("C_CreateObject", "crash", when="after")

    failed = program.run("renew", *codes[:2], "--accept-all")
    home.medium.shim.insert()
    done = program.run("renew", *codes[:2], "--accept-all")
    program.run("diagnose")

    assert (failed["code"], done["code"]) == ("driver-failed", "done"), (failed, done)
    tally.fired["helper died"] += 1
    home.require_renewed_once()
    everything = {**program.seen, **dict(program.files())}
    kinds = {name.split()[0] for name in everything}
    assert {"cmdline", "environ", "output", "renew.log"} <= kinds
    assert len([name for name in everything if name.startswith("cmdline")]) >= 4, "the helpers were not looked at"
    assert b"Fatal Python error" in b"".join(everything.values()), "the helper left no dump to search"
    secrets = [PIN, PUK, home.tax_code, "ROSSI", "Rossi"]
    assert [(name, secret) for name, text in everything.items() for secret in secrets if holds(text, secret)] == []


USER, PROXY_PASSWORD = "rossi", "Segreto-Introvabile-5190"


@pytest.mark.parametrize("right", [True, False], ids=["taken", "refused"])
def test_a_proxys_password_is_shown_to_the_proxy_alone(town, tmp_path, right):
    """Taken and refused; with a helper that dies and dumps its stack meanwhile, and in a diagnosis."""
    home = town.home()
    program = Program(home, tmp_path)
    wanted = PROXY_PASSWORD if right else "another"
    with http.http_proxy(http.BasicProxy, names={}, username=USER, password=wanted) as proxy:
        choice = ProxyChoice(ProxyKind.HTTP, "127.0.0.1", proxy.port, USER)
        Store(tmp_path / "settings").save(replace(Preferences(), proxy=choice, debug_log=True))
        (tmp_path / "password").write_text(PROXY_PASSWORD)
        told = program.run("scan", **FAR, **held_passwords.chosen(tmp_path / "password"))
        home.medium.shim.plan("C_FindObjectsInit", "crash")
        program.run("scan", **FAR, **held_passwords.chosen(tmp_path / "password"))
        home.medium.shim.insert()
        program.run("diagnose", **FAR, **held_passwords.chosen(tmp_path / "password"))

    # The proxy let us through and found no such server, or it took no password: either way it was told one.
    assert told["code"] == ("proxy-server-unreachable" if right else "proxy-login-wrong"), told
    everything = {**program.seen, **dict(program.files())}
    assert {"cmdline", "environ", "output", "scan.log", "diagnose.log"} <= {name.split()[0] for name in everything}
    assert b"Fatal Python error" in b"".join(everything.values()), "the helper left no dump to search"
    encoded = base64.b64encode(f"{USER}:{PROXY_PASSWORD}".encode())
    for secret in (PROXY_PASSWORD.encode(), encoded, PROXY_PASSWORD.encode("utf-16-le")):
        assert [name for name, text in everything.items() if secret in text] == []


def holds(text: bytes, secret: str) -> bool:
    """Whether the code stands there by itself: five digits inside a digest are no PIN."""
    return re.search(rb"(?<![0-9A-Za-z])" + secret.encode() + rb"(?![0-9A-Za-z])", text) is not None


def test_the_search_would_find_them():
    assert holds(b'{"pin": "48273"}', PIN)
    assert not holds(b"0a48273f", PIN)
