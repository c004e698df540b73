"""`make run` from the outside: it renews, tells where things are, finds its data again, and leaves nothing behind."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import pytest

from runtime.embedded.processes import command_of
from tests.embedded.conftest import PROJECT, _as_user, _environment, python_for

PATIENCE = 240
READY = "Per fermare"


@dataclass
class Run:
    """One start of the command on `folder`, its output collected as it comes."""

    folder: Path
    user: str
    process: subprocess.Popen[str] | None = None
    lines: list[str] = field(default_factory=list)

    def start(self) -> str:
        """Start and wait until it says how to stop it; return all it has said."""
        self.lines = []
        environment = {name: value for name, value in _environment().items() if not name.startswith("SIGILLO_")}
        self.process = subprocess.Popen(
            [python_for(self.user, "django, redis, celery"), "-m", "config.demo", "run"],
            cwd=PROJECT,
            env={**environment, "SIGILLO_DATA_DIR": str(self.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **_as_user(self.user),
        )
        threading.Thread(target=self._collect, daemon=True).start()
        deadline = time.monotonic() + PATIENCE
        while not any(READY in line for line in self.lines):
            assert self.process.poll() is None, "".join(self.lines)
            assert time.monotonic() < deadline, "".join(self.lines)
            time.sleep(0.1)
        return "".join(self.lines)

    def end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def descendants(self) -> list[int]:
        """All processes that came from the command."""
        assert self.process is not None
        found, parents = [], [self.process.pid]
        while parents:
            listed = subprocess.run(
                ["ps", "-o", "pid=", "--ppid", ",".join(map(str, parents))], check=False, capture_output=True, text=True
            )
            parents = [int(text) for text in listed.stdout.split()]
            found += parents
        return found

    def _collect(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self.lines.append(line)


@pytest.fixture(scope="module", params=["present", pytest.param("nobody", marks=pytest.mark.soak)])
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """The command in a fresh folder, as who we are and (in the long runs) as a normal user."""
    user = pwd.getpwuid(os.geteuid()).pw_name if request.param == "present" else request.param
    if os.geteuid() != 0 and request.param == "nobody":
        pytest.skip("only root can start as somebody else")
    home = Path(tempfile.mkdtemp(prefix="sg", dir="/tmp"))
    home.chmod(0o711)
    account = pwd.getpwnam(user)
    os.chown(home, account.pw_uid, account.pw_gid)
    run = Run(home / "data", user)
    yield run
    if run.process is not None and run.process.poll() is None:
        run.end(signal.SIGTERM)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def first(run: Run) -> str:
    """What the first start says, with the usual port taken by somebody else."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 8000))
            taken.listen()
        except OSError:
            pass  # taken already, by somebody else indeed
        return run.start()


def address(shown: str) -> str:
    found = re.search(r"http://localhost:\d+", shown)
    assert found
    return found[0].replace("localhost", "127.0.0.1")


def test_a_card_renews_before_the_visitor_s_eyes(first: str) -> None:
    steps = ["Lettura della carta", "Firma del modulo di rinnovo", "Generazione delle nuove chiavi", "Completato"]
    places = [first.find(step) for step in steps]
    assert -1 not in places, first
    assert places == sorted(places)


def test_a_taken_port_is_said_and_the_next_free_one_used(first: str) -> None:
    assert "La porta 8000 è occupata" in first
    assert address(first) != "http://127.0.0.1:8000"


def test_the_panel_answers_where_it_said(first: str) -> None:
    with urlopen(f"{address(first)}/readyz", timeout=30) as answer:  # noqa: S310 - our own server
        assert answer.status == 200


def test_the_holder_s_pages_answer_where_it_said_with_a_case_to_follow(first: str) -> None:
    told = re.search(r"Titolari +(\S+/titolare/)  \(pratica R\S+, codice fiscale [A-Z0-9]{16}", first)
    assert told, first
    with urlopen(told[1], timeout=30) as answer:  # noqa: S310 - our own server
        assert "Segua il rinnovo" in answer.read().decode()


def test_mails_lie_where_it_said_and_only_the_user_sees_them(run: Run, first: str) -> None:
    assert str(run.folder / "mails") in first
    deadline = time.monotonic() + PATIENCE
    while not (mails := list((run.folder / "mails").glob("*.eml"))):
        assert time.monotonic() < deadline, "no mail"
        time.sleep(0.2)
    assert all(mail.stat().st_mode & 0o777 == 0o600 for mail in mails)


def test_the_output_shows_no_error(first: str) -> None:
    assert "Traceback" not in first
    assert "non è riuscito" not in first


def test_sigterm_ends_everything_and_a_second_start_finds_the_data(run: Run, first: str) -> None:
    started = run.descendants()
    assert len(started) >= 6
    assert run.end(signal.SIGTERM) == 0
    assert [command_of(pid) for pid in started if command_of(pid)] == []
    shown = run.start()
    assert "(ritrovati)" in shown
    assert "già stato fatto" in shown
    assert "Generazione delle nuove chiavi" not in shown


def test_killed_by_force_it_leaves_no_orphan(run: Run, first: str) -> None:
    assert run.process is not None
    if run.process.poll() is not None:
        run.start()
    started = run.descendants()
    run.end(signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE
    while left := [command_of(pid) for pid in started if command_of(pid)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.2)
