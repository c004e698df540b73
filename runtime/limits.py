"""Rate limits: a counter per key and window in Redis, and a bound of the process alone while Redis is away."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import redis
import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

log = structlog.get_logger(__name__)

ANSWER_SECONDS = 0.3
PAUSE_SECONDS = 2.0
LOCAL_KEYS = 20_000

# One step on the server, so that fifty callers at once are counted one by one and no counter stays without an end.
COUNT = """
local count = redis.call('INCR', KEYS[1])
if count == 1 or redis.call('TTL', KEYS[1]) < 0 then
  redis.call('EXPIRE', KEYS[1], ARGV[1])
end
return count
"""


@dataclass
class LocalCounters:
    """Counters of this process, bounded in number: a flood of new keys throws out the oldest windows first."""

    most_keys: int = LOCAL_KEYS
    _windows: dict[str, tuple[float, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, key: str, window_seconds: int) -> int:
        """Count one more for `key`; a window that has ended starts again. Monotonic seconds."""
        now = time.monotonic()
        with self._lock:
            ends, count = self._windows.get(key, (0.0, 0))
            if ends <= now:
                self._windows.pop(key, None)
                self._make_room()
                ends, count = now + window_seconds, 0
            self._windows[key] = (ends, count + 1)
            return count + 1

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._windows.clear()

    def _make_room(self) -> None:
        while len(self._windows) >= self.most_keys:
            self._windows.pop(next(iter(self._windows)))


class Limiter:
    """Counts in Redis; falls back to the process for a short pause after each failure."""

    def __init__(self, client: redis.Redis, local: LocalCounters | None = None) -> None:
        """Take the Redis client and, for tests, the local counters."""
        self._count: Any = client.register_script(COUNT)
        self._local = local or LocalCounters()
        self._away_until = 0.0

    def hit(self, key: str, *, limit: int, window_seconds: int) -> bool:
        """Count one use of `key`; True while the window has room for it."""
        return self._counted(f"limit:{key}", window_seconds) <= limit

    def _counted(self, key: str, window_seconds: int) -> int:
        if time.monotonic() >= self._away_until:
            try:
                return int(self._count(keys=[key], args=[window_seconds]))
            except RedisError as error:
                self._away_until = time.monotonic() + PAUSE_SECONDS
                log.warning("limits.redis_away", error=type(error).__name__)
        return self._local.count(key, window_seconds)


@lru_cache(maxsize=1)
def limiter() -> Limiter:
    """Build this process's limiter from the settings, once."""
    return Limiter(connect(settings.REDIS_URL))


def connect(url: str) -> redis.Redis:
    """Return a client that waits shortly and never tries twice: a request is waiting behind it."""
    return redis.Redis.from_url(
        url, socket_connect_timeout=ANSWER_SECONDS, socket_timeout=ANSWER_SECONDS, retry=Retry(NoBackoff(), 0)
    )


def hit(key: str, *, limit: int, window_seconds: int) -> bool:
    """Count one use of `key` and say whether it is allowed: at most `limit` in a window that starts at first use."""
    return limiter().hit(key, limit=limit, window_seconds=window_seconds)
