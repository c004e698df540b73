"""A Redis cache whose errors are misses: a page never fails because the cache is away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import structlog
from django.core.cache.backends.redis import RedisCache
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 2.0
# The library's own default tries again for seconds, while a page waits.
CONNECTION = {"socket_connect_timeout": 0.3, "socket_timeout": 0.3, "retry": Retry(NoBackoff(), 0)}


class ForgivingRedisCache(RedisCache):
    """Reads find nothing and writes are dropped while Redis is away; it is looked for again now and then."""

    away_until: ClassVar[float] = 0.0

    def _forgive(self, operation: Callable[[], Any], miss: Any) -> Any:
        if time.monotonic() < ForgivingRedisCache.away_until:
            return miss
        try:
            return operation()
        except RedisError as error:
            ForgivingRedisCache.away_until = time.monotonic() + PAUSE_SECONDS
            log.warning("cache.away", error=type(error).__name__)
            return miss

    def add(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> bool:
        """Say "added" when nobody can know: callers use it to count and to lock lightly, never to decide."""
        return bool(self._forgive(lambda: super(ForgivingRedisCache, self).add(key, value, *args, **kwargs), miss=True))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """Miss while Redis is away."""
        return self._forgive(lambda: super(ForgivingRedisCache, self).get(key, default, version), miss=default)

    def set(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> None:
        """Drop the value while Redis is away."""
        self._forgive(lambda: super(ForgivingRedisCache, self).set(key, value, *args, **kwargs), miss=None)

    def touch(self, key: Any, *args: Any, **kwargs: Any) -> bool:
        """Say "not there" while Redis is away."""
        return bool(self._forgive(lambda: super(ForgivingRedisCache, self).touch(key, *args, **kwargs), miss=False))

    def delete(self, key: Any, version: int | None = None) -> bool:
        """Say "was not there" while Redis is away."""
        return bool(self._forgive(lambda: super(ForgivingRedisCache, self).delete(key, version), miss=False))

    def get_many(self, keys: Iterable[Any], version: int | None = None) -> dict[Any, Any]:
        """Miss all while Redis is away."""
        wanted = list(keys)
        return dict(self._forgive(lambda: super(ForgivingRedisCache, self).get_many(wanted, version), miss={}))

    def has_key(self, key: Any, version: int | None = None) -> bool:
        """Say "not there" while Redis is away."""
        return bool(self._forgive(lambda: super(ForgivingRedisCache, self).has_key(key, version), miss=False))

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """Count from one while Redis is away; a missing key stays the ValueError that callers know."""
        return int(self._forgive(lambda: super(ForgivingRedisCache, self).incr(key, delta, version), miss=delta))

    def set_many(self, data: dict[Any, Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Report every key as not stored while Redis is away."""
        keys = list(data)
        return list(self._forgive(lambda: super(ForgivingRedisCache, self).set_many(data, *args, **kwargs), miss=keys))

    def delete_many(self, keys: Iterable[Any], version: int | None = None) -> None:
        """Drop nothing while Redis is away."""
        doomed = list(keys)
        self._forgive(lambda: super(ForgivingRedisCache, self).delete_many(doomed, version), miss=None)

    def clear(self) -> None:
        """Clear nothing while Redis is away."""
        self._forgive(lambda: super(ForgivingRedisCache, self).clear(), miss=None)
