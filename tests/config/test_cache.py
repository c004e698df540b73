"""The cache may be away at any time: reads miss, writes are dropped, nothing raises."""

from __future__ import annotations

import time

import pytest
from django.core.cache import cache

from config.cache import CONNECTION, ForgivingRedisCache


@pytest.fixture
def away():
    return ForgivingRedisCache("unix:///nonexistent/redis.sock", {"OPTIONS": CONNECTION})


def test_it_keeps_values_while_redis_is_there():
    cache.set("a", {"b": 1}, 60)

    assert cache.get("a") == {"b": 1}
    assert not cache.add("a", 2)
    assert cache.get_many(["a", "z"]) == {"a": {"b": 1}}


def test_a_missing_counter_is_still_the_error_that_callers_know():
    with pytest.raises(ValueError, match="not found"):
        cache.incr("nobody")


def test_reads_miss_while_redis_is_away(away):
    assert away.get("a", "default") == "default"
    assert away.get_many(["a"]) == {}
    assert not away.has_key("a")
    assert "a" not in away
    assert away.get_or_set("a", 5) == 5


def test_writes_are_dropped_while_redis_is_away(away):
    away.set("a", 1)
    away.delete("a")
    away.delete_many(["a"])
    assert away.add("a", 1)
    assert away.set_many({"a": 1}) == ["a"]
    assert not away.touch("a")
    away.clear()
    assert away.incr("a") == 1


def test_an_absent_redis_is_waited_for_once_and_not_at_each_use(away):
    began = time.monotonic()

    for number in range(500):
        away.get(f"key:{number}")

    assert time.monotonic() - began < 0.5


def test_it_is_looked_for_again_after_a_pause(away):
    away.get("a")
    assert ForgivingRedisCache.away_until > time.monotonic()

    ForgivingRedisCache.away_until = 0.0
    cache.set("a", 1)
    assert cache.get("a") == 1
