"""Folders and users for the embedded services; nothing here needs Django or a database."""

import contextlib
import functools
import os
import pwd
import shutil
import signal
import site
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
START_SECONDS = 60


@dataclass
class Keeper:
    """A supervisor in a process of its own, started on `folder` as the user `name`."""

    folder: Path
    user: str
    runs: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *commands: str) -> str:
        """Start it, wait for its first line and return that line."""
        run = subprocess.Popen(
            [python_for(self.user), "-m", "tests.embedded.keeper", str(self.folder), *commands],
            cwd=PROJECT,
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **_as_user(self.user),
        )
        self.runs.append(run)
        return self.line()

    def line(self) -> str:
        """Return the next line that it shows."""
        assert self.runs[-1].stdout is not None
        return self.runs[-1].stdout.readline().strip()

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send the signal, wait, and return exit status and what it showed."""
        run = self.runs[-1]
        run.send_signal(number)
        return self.outcome()

    def outcome(self) -> tuple[int, str]:
        """Wait for its end; return exit status and what it showed further."""
        run = self.runs[-1]
        assert run.stdout is not None
        with run.stdout as output:
            shown = output.read()  # not communicate(): it loses what readline() has read ahead
        return run.wait(START_SECONDS), shown

    def kill_all(self) -> None:
        """Leave nothing behind after a failed test."""
        for run in self.runs:
            if run.poll() is None:
                run.terminate()
                run.wait(START_SECONDS)
            if run.stdout is not None:
                run.stdout.close()


@pytest.fixture(params=["root", "nobody"])
def keeper(request: pytest.FixtureRequest) -> Iterator[Keeper]:
    """A supervisor started as root, and once more as a normal user (as the present one when the tests are not root's)."""
    present = pwd.getpwuid(os.geteuid()).pw_name
    user = request.param if present == "root" else present
    if present != "root" and request.param == "root":
        pytest.skip("only root can try to start as root")
    python_for(user)
    home = Path(tempfile.mkdtemp(prefix="sg", dir="/tmp"))
    home.chmod(0o755)
    account = pwd.getpwnam(user)
    os.chown(home, account.pw_uid, account.pw_gid)
    found = Keeper(folder=home / "data", user=user)
    try:
        yield found
    finally:
        found.kill_all()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder with a short path, for sockets, that every account may pass."""
    home = Path(tempfile.mkdtemp(prefix="sg", dir="/tmp"))
    home.chmod(0o711)
    yield home
    shutil.rmtree(home)


@pytest.fixture
def wait_for() -> Callable[[Callable[[], bool]], None]:
    """Wait for another process to get somewhere, failing after a generous time."""

    def wait(is_done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not is_done():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.05)

    return wait


@functools.cache
def python_for(user: str, needed: str = "os") -> str:
    """Return an interpreter of our version that `user` can run with the packages of this one; skip without one."""
    for candidate in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        with contextlib.suppress(PermissionError, FileNotFoundError):
            tried = subprocess.run(
                [candidate, "-c", f"import runtime.embedded.supervisor, psycopg, {needed}"],
                cwd="/",
                check=False,
                capture_output=True,
                env=_environment(),
                **_as_user(user),
            )
            if tried.returncode == 0:
                return candidate
    pytest.skip(f"the user {user} can run no Python 3.{sys.version_info.minor} with our packages")


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(PROJECT), *site.getsitepackages()])}


def _as_user(name: str) -> dict[str, Any]:
    account = pwd.getpwnam(name)
    if account.pw_uid == os.geteuid():
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
