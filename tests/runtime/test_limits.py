"""Rate limits count one by one, in Redis, and bound each process when Redis is away."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from runtime import limits
from runtime.limits import Limiter, LocalCounters


@pytest.fixture
def away():
    return limits.connect("unix:///nonexistent/redis.sock")


def test_fifty_threads_at_once_get_exactly_the_limit():
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: limits.hit("login:x", limit=10, window_seconds=60), range(200)))

    assert answers.count(True) == 10


def test_keys_do_not_share_their_room():
    assert limits.hit("a", limit=1, window_seconds=60)
    assert limits.hit("b", limit=1, window_seconds=60)
    assert not limits.hit("a", limit=1, window_seconds=60)


def test_every_counter_has_an_end(settings):
    limits.hit("a", limit=1, window_seconds=60)

    with redis.Redis.from_url(settings.REDIS_URL) as client:
        assert 0 < client.ttl("limit:a") <= 60


def test_a_counter_left_without_an_end_gets_one(settings):
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.set("limit:a", 5)

        limits.hit("a", limit=1, window_seconds=60)

        assert client.ttl("limit:a") > 0


def test_after_the_window_there_is_room_again(settings):
    limits.hit("a", limit=1, window_seconds=60)
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.expire("limit:a", 0)

    assert limits.hit("a", limit=1, window_seconds=60)


def test_without_redis_the_process_alone_still_bounds(away):
    limiter = Limiter(away)

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: limiter.hit("login:x", limit=10, window_seconds=60), range(200)))

    assert answers.count(True) == 10


def test_without_redis_callers_wait_for_it_once_and_not_each_time(away):
    limiter = Limiter(away)
    began = time.monotonic()

    for _ in range(500):
        limiter.hit("login:x", limit=10, window_seconds=60)

    assert time.monotonic() - began < 1


def test_the_process_keeps_a_bounded_number_of_counters():
    counters = LocalCounters(most_keys=100)

    for number in range(1000):
        counters.count(f"address:{number}", 60)

    assert len(counters._windows) == 100
    assert counters.count("address:999", 60) == 2


def test_a_flushed_redis_costs_the_count_and_nothing_else(settings):
    limits.hit("a", limit=1, window_seconds=60)
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushall()
        client.script_flush()

    assert limits.hit("a", limit=1, window_seconds=60)
