"""Redis is disposable: a real worker does its work, and goes on after the broker was emptied or restarted."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis
from celery import current_app
from django.conf import settings as project

from config.models import Canary
from runtime import nudge
from tests.plugin import services

ROOT = Path(__file__).resolve().parents[2]
SING = "config.tasks.sing"


def test_messages_are_json_and_acknowledged_after_the_work():
    conf = current_app.conf

    assert list(conf.accept_content) == ["json"]
    assert conf.task_serializer == "json"
    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost
    assert conf.task_ignore_result
    assert conf.worker_prefetch_multiplier == 1


def test_a_task_ends_before_its_message_comes_back():
    options = current_app.conf.broker_transport_options

    assert current_app.conf.task_soft_time_limit < current_app.conf.task_time_limit < options["visibility_timeout"]
    assert options["visibility_timeout"] <= 300
    assert options["socket_connect_timeout"] <= 5
    assert options["socket_timeout"] <= 5


def test_beat_counts_in_utc():
    assert current_app.conf.enable_utc
    assert str(current_app.conf.timezone) == "UTC"


@pytest.fixture
def worker(committed, tmp_path):
    log = (tmp_path / "worker.log").open("wb")
    command = [sys.executable, "-m", "celery", "-A", "config.celery", "worker", "-c", "1", "-l", "INFO"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
    yield process
    process.terminate()
    process.wait(30)
    log.close()


def sings(seconds: float = 45) -> bool:
    """Poke until the canary has sung: what the schedule does, only faster."""
    Canary.objects.all().delete()
    deadline = time.monotonic() + seconds
    while not Canary.objects.exists():
        if time.monotonic() > deadline:
            return False
        nudge.send(SING)
        time.sleep(0.5)
    return True


def test_a_worker_goes_on_after_the_broker_was_emptied_and_restarted(worker):
    assert sings()

    with redis.Redis.from_url(project.REDIS_URL) as client:
        client.flushall()
    assert sings()

    services.stop_redis()
    services.start_redis()
    nudge.breaker.reset()
    assert sings()
    assert worker.poll() is None
