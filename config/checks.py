"""Start-up checks that need more than the environment: run by `manage.py check` and by every command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register()
def require_postgresql(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Refuse any other database: row locks, triggers and grants carry the guarantees."""
    del app_configs
    engine = settings.DATABASES["default"]["ENGINE"]
    if engine == "django.db.backends.postgresql":
        return []
    return [Error(f"Sigillo runs on PostgreSQL only, not on {engine}.", id="sigillo.E001")]


@register()
def require_time_limits_below_visibility(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Refuse a task limit at or above the visibility timeout: the same task would run twice at a time."""
    del app_configs
    if settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"] > settings.CELERY_TASK_TIME_LIMIT:
        return []
    return [Error("CELERY_TASK_TIME_LIMIT must lie below the broker's visibility timeout.", id="sigillo.E002")]


@register()
def refuse_atomic_requests(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Refuse ATOMIC_REQUESTS: an intent must be committed before the CA is asked."""
    del app_configs
    if settings.DATABASES["default"].get("ATOMIC_REQUESTS"):
        return [Error("ATOMIC_REQUESTS would hold a transaction open across calls to the CA.", id="sigillo.E003")]
    return []
