"""A nudge reaches the broker after the commit, and a dead broker costs a moment and never a use case."""

from __future__ import annotations

import json
import socket
import time

import pytest
import redis
from celery import current_app
from django.db import transaction

from runtime import nudge

TASK = "no.such.task"


@pytest.fixture
def queue(settings):
    """What lies in the broker's queue: (task name, arguments)."""

    def read():
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            messages = [json.loads(raw) for raw in client.lrange(current_app.conf.task_default_queue, 0, -1)]
        return [(message["headers"]["task"], message["headers"]["argsrepr"]) for message in messages]

    return read


@pytest.fixture
def dead_broker(monkeypatch):
    monkeypatch.setattr(current_app.conf, "broker_write_url", "redis+socket:///nonexistent/redis.sock")


@pytest.fixture
def mute_broker(monkeypatch):
    """A broker that accepts the connection and never answers: the worst case for a timeout."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setattr(current_app.conf, "broker_write_url", f"redis://127.0.0.1:{listener.getsockname()[1]}/0")
        yield


def test_the_task_is_sent_by_name_after_the_commit(committed, queue):
    with transaction.atomic():
        nudge.after_commit(TASK, "id-1")
        assert queue() == []

    assert queue() == [(TASK, "('id-1',)")]


def test_a_rolled_back_use_case_pokes_nobody(committed, queue):
    with transaction.atomic():
        nudge.after_commit(TASK, "id-1")
        transaction.set_rollback(True)

    assert queue() == []


def test_outside_a_transaction_it_is_sent_at_once(committed, queue):
    nudge.after_commit(TASK, 7)

    assert queue() == [(TASK, "(7,)")]


def test_a_dead_broker_raises_nothing_and_answers_fast(committed, dead_broker):
    began = time.monotonic()

    with transaction.atomic():
        nudge.after_commit(TASK, "id-1")

    assert time.monotonic() - began < 1
    assert nudge.breaker.is_open()


def test_a_mute_broker_costs_one_timeout_and_then_nothing(committed, mute_broker):
    began = time.monotonic()

    sent = [nudge.send(TASK, number) for number in range(50)]

    assert not any(sent)
    assert time.monotonic() - began < 4


def test_even_what_cannot_be_sent_harms_no_use_case(committed, queue):
    with transaction.atomic():
        nudge.after_commit(TASK, object())

    assert queue() == []


def test_the_breaker_closes_again_after_its_pause():
    breaker = nudge.Breaker(pause_seconds=0)
    breaker.trip()

    assert not breaker.is_open()


def test_all_nudges_of_a_thread_use_one_connection(committed, queue, settings):
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        nudge.send(TASK, 0)
        before = client.info("stats")["total_connections_received"]
        for number in range(1, 5):
            nudge.send(TASK, number)
        assert client.info("stats")["total_connections_received"] == before

    assert len(queue()) == 5


def test_a_broker_that_has_hung_up_is_called_again(committed, queue, settings):
    nudge.send(TASK, 1)
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.client_kill_filter(skipme=True, _type="normal")

    assert nudge.send(TASK, 2)
    assert not nudge.breaker.is_open()
    assert len(queue()) == 2


def test_hanging_up_closes_the_line_and_the_next_nudge_opens_another(committed, queue):
    nudge.send("some.task")
    before = nudge._line.connection

    nudge._line.hang_up()

    assert not before.connected
    assert nudge._line.kept() is None
    assert nudge.send("some.task")
