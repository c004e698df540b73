"""Fixtures on the run's own services: a prepared database, real commits, a clock, a mailbox."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import redis
from django.core.signals import request_finished
from django.db import connections
from redis.exceptions import RedisError

from config import database
from config.cache import ForgivingRedisCache
from runtime import fence, limits, nudge
from runtime.clock import FakeClock, installed
from runtime.embedded.mailsink import MailSink
from runtime.embedded.postgres import PostgresAddress
from tests.plugin import services
from tests.plugin.tables import Tables


@pytest.fixture(scope="session")
def superuser() -> PostgresAddress:
    """Address of the cluster's superuser, for what the application itself may not do: `with superuser.connect() as c`."""
    return services.superuser


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker, superuser) -> Iterator[None]:
    """Prepare the database as an installation would: roles, migrations as owner, grants. The tests then are the application.

    Replaces pytest-django's: the whole cluster belongs to the run, so no second database is made.
    """
    connection = connections["default"]
    application = connection.settings_dict
    with django_db_blocker.unblock():
        connection.settings_dict = {**application, "USER": superuser.user}
        try:
            database.prepare(verbosity=0)
        finally:
            connection.close()
            connection.settings_dict = application
    Tables(superuser).remember_seeds()
    yield
    with django_db_blocker.unblock():
        connections.close_all()


@pytest.fixture
def committed(django_db_setup, django_db_blocker, superuser) -> Iterator[None]:
    """Real commits, seen by other connections, threads and processes; on_commit hooks run. Everything is emptied afterwards."""
    with django_db_blocker.unblock():
        try:
            yield
        finally:
            connections.close_all()
            Tables(superuser).empty()


@pytest.fixture(autouse=True)
def _nothing_left_in_redis() -> Iterator[None]:
    """Leave no counter, breaker or cached value of one test to the next."""
    yield
    limits.limiter.cache_clear()
    ForgivingRedisCache.away_until = 0.0
    nudge.breaker.reset()
    with redis.Redis.from_url(services.redis.url) as client:
        try:
            client.flushall()
        except RedisError:  # a test may have stopped it
            return


@pytest.fixture(autouse=True)
def _in_the_open_between_requests() -> Iterator[None]:
    """A test and the requests of its client share one connection: take the panel's fence away when an answer is read."""

    def leave(**_: object) -> None:
        fence.stand_in_the_open()

    request_finished.connect(leave)
    yield
    request_finished.disconnect(leave)


@pytest.fixture
def clock() -> Iterator[FakeClock]:
    """A clock that every door of this process reads; tests set `clock.instant`."""
    with installed(FakeClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))) as fake:
        yield fake


@pytest.fixture
def mailbox(tmp_path, settings) -> Iterator[MailSink]:
    """A mail server on a free port that Django's settings point to; `mailbox.messages()` are what it accepted."""
    with MailSink(tmp_path / "mailbox") as sink:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        yield sink
