"""Signs of life: worker and beat are seen alive as long as they are, and not longer."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from config import heartbeat, pulse
from config.heartbeat import LONGEST_SILENCE_SECONDS, main, touch


@pytest.fixture(autouse=True)
def forgotten() -> None:
    heartbeat._last_touch.clear()


def age(file: Path, seconds: float) -> None:
    past = time.time() - seconds
    os.utime(file, (past, past))


def test_a_fresh_sign_of_life_is_health(tmp_path: Path) -> None:
    touch(tmp_path / "made-when-missing" / "worker")
    assert main([str(tmp_path / "made-when-missing" / "worker")]) == 0


def test_a_missing_sign_of_life_is_illness(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "worker")]) == 1
    assert "no sign of life" in capsys.readouterr().err


def test_an_old_sign_of_life_is_illness(tmp_path: Path) -> None:
    touch(tmp_path / "beat")
    age(tmp_path / "beat", LONGEST_SILENCE_SECONDS + 5)
    assert main([str(tmp_path / "beat")]) == 1


def test_frequent_signs_write_seldom(tmp_path: Path) -> None:
    touch(tmp_path / "worker")
    age(tmp_path / "worker", 30)
    touch(tmp_path / "worker")
    assert heartbeat.silence(tmp_path / "worker") >= 29


def test_the_check_loads_nothing_of_the_project(tmp_path: Path) -> None:
    touch(tmp_path / "worker")
    shown = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "config.heartbeat", str(tmp_path / "worker")],
        check=True,
        capture_output=True,
        text=True,
    )
    assert "django" not in shown.stderr
    assert "celery" not in shown.stderr


def test_worker_and_beat_touch_each_its_own_file(tmp_path: Path, settings) -> None:
    settings.HEARTBEAT_FOLDER = str(tmp_path)
    pulse.worker_is_alive()
    assert [path.name for path in tmp_path.iterdir()] == ["worker"]


def test_without_a_folder_nothing_is_written(tmp_path: Path, settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings.HEARTBEAT_FOLDER = ""
    pulse.worker_is_alive()
    assert list(tmp_path.iterdir()) == []


def test_after_a_start_everything_is_due_at_once() -> None:
    from config.celery import app

    scheduler = pulse.TickingScheduler(app=app, lazy=True)
    scheduler.setup_schedule()
    assert scheduler.data
    assert all(entry.is_due().is_due for entry in scheduler.data.values())
