"""The test run's own PostgreSQL and Redis, and the fixtures that stand on them.

Loaded with `-p tests.plugin`, so its addresses are in the environment before Django reads its settings. The servers start
with the session and not with `--help` or `--collect-only`.
"""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.plugin.services import Services

if TYPE_CHECKING:
    from runtime.clock import FakeClock
    from runtime.embedded.mailsink import MailSink
    from tests.plugin.tables import Tables

services = Services.plan()
services.export()
atexit.register(services.stop)


def pytest_report_header() -> str:
    """Say which servers the run uses."""
    return f"services: {services.origins}"


def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the servers before anything is collected: a module may ask the database at import of a factory."""
    if not session.config.option.collectonly:
        services.start()


def pytest_unconfigure() -> None:
    """Stop the servers."""
    services.stop()


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """Prepare the database as an installation would: roles, migrations as owner, grants. Tests then are the application.

    Replaces pytest-django's: the whole cluster is the test's, so no second database is made.
    """
    from config import database
    from django.db import connections

    from tests.plugin.tables import Tables

    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        connection = connections["default"]
        before = connection.settings_dict
        connection.settings_dict = {**before, "USER": services.superuser.user}
        try:
            database.prepare(verbosity=0)
        finally:
            connection.settings_dict = before
        Tables(services.superuser).remember_seeds()
    yield
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        connections.close_all()


@pytest.fixture(scope="session")
def tables(django_db_setup: None) -> Tables:
    """The superuser's hand on all tables."""
    from tests.plugin.tables import Tables

    return Tables(services.superuser)


@pytest.fixture
def committed(tables: Tables, django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """Real commits, seen by other connections, threads and processes; on_commit hooks run. Everything is emptied afterwards."""
    from django.db import connections

    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        try:
            yield
        finally:
            connections.close_all()
            tables.empty()


@pytest.fixture(autouse=True)
def _fresh_process() -> Iterator[None]:
    """Leave no counter, breaker or cached value of one test to the next."""
    import redis
    from redis.exceptions import RedisError

    from runtime import limits, nudge

    yield
    limits.limiter.cache_clear()
    nudge.breaker.reset()
    with redis.Redis.from_url(services.redis.url) as client:
        try:
            client.flushall()
        except RedisError:  # a test may have stopped it
            return


@pytest.fixture
def clock() -> Iterator[FakeClock]:
    """A clock that every door of this process reads; tests set `clock.instant`."""
    from runtime.clock import FakeClock, installed

    fake = FakeClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    with installed(fake):
        yield fake


@pytest.fixture
def mailbox(tmp_path_factory: pytest.TempPathFactory, settings: object) -> Iterator[MailSink]:
    """A mail server on a free port that Django's settings point to; `mailbox.messages()` are what it accepted."""
    from runtime.embedded.mailsink import MailSink

    with ExitStack() as stack:
        sink = stack.enter_context(MailSink(tmp_path_factory.mktemp("mail")))
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port  # type: ignore[attr-defined]
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"  # type: ignore[attr-defined]
        yield sink
