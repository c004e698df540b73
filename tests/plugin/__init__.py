"""The test run's own PostgreSQL and Redis.

Loaded with `-p tests.plugin`, so that the addresses are in the environment before Django reads its settings. The servers
start with the session and not with `--help` or `--collect-only`. The fixtures stand in `tests/conftest.py`.
"""

from __future__ import annotations

import atexit

import pytest

from tests.plugin.services import Services

services = Services.plan()
services.export()
atexit.register(services.stop)


def pytest_report_header() -> str:
    """Say which servers the run uses."""
    return f"services: {services.origins}"


def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the servers before anything is collected."""
    if not session.config.option.collectonly:
        services.start()


def pytest_unconfigure() -> None:
    """Stop the servers."""
    services.stop()
