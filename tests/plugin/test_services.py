"""The run's servers are private, unprivileged, and gone with the run, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.plugin import services

ROOT = Path(__file__).resolve().parents[2]
INNER = """
import os, signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a run in the background of a shell inherits it ignored
from tests.plugin import services
services.start()
print(services.folder, *(child.process.pid for child in services._children), flush=True)
time.sleep(60)
"""


@pytest.fixture
def inner_run():
    """Another run with servers of its own: its process, its folder, its servers' pids."""
    process = subprocess.Popen(
        [sys.executable, "-c", INNER], cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    folder, *pids = process.stdout.readline().split()
    yield process, Path(folder), [int(pid) for pid in pids]
    process.kill()
    process.stdout.close()
    process.wait()


def is_alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    try:
        return "zombie" not in status.read_text()
    except FileNotFoundError:
        return False


def gone(folder: Path, pids: list[int]) -> bool:
    deadline = time.monotonic() + 15
    while folder.exists() or any(is_alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=lambda number: number.name)
def test_nothing_is_left_behind_by(inner_run, number):
    process, folder, pids = inner_run
    assert all(is_alive(pid) for pid in pids)

    os.killpg(process.pid, number)
    process.wait(20)

    assert gone(folder, pids)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to drop")
def test_the_servers_do_not_run_as_root():
    owners = {Path(f"/proc/{child.process.pid}").stat().st_uid for child in services._children}

    assert 0 not in owners


def test_the_database_listens_on_its_private_socket_only(superuser):
    with superuser.connect() as boss:
        found = boss.execute("SELECT current_setting('listen_addresses'), current_setting('unix_socket_directories')")
        assert found.fetchone() == ("", str(superuser.host))


def test_commits_of_one_test_are_gone_before_the_next(committed, superuser):
    from django.contrib.contenttypes.models import ContentType

    from cms.models import Centre

    assert Centre.objects.count() == 0
    assert ContentType.objects.count() > 10  # what migrations made is there again


def test_the_environment_of_the_shell_is_not_the_tests(monkeypatch):
    monkeypatch.setenv("SIGILLO_DB_HOST", "production.example.org")

    inner = subprocess.run(
        [sys.executable, "-c", "import os, tests.plugin; print(os.environ['SIGILLO_DB_HOST'])"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert "production" not in inner.stdout
