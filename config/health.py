"""Health addresses for supervisors and proxies: alive says the process answers, ready says it can do its work."""

from __future__ import annotations

import structlog
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

log = structlog.get_logger(__name__)


@require_safe
@never_cache
def alive(request: HttpRequest) -> JsonResponse:
    """Answer without touching anything."""
    del request
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database does; Redis is disposable and not asked."""
    del request
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        log.warning("health.database_away", error=type(error).__name__)
        return JsonResponse({"status": "unavailable"}, status=503)
    return JsonResponse({"status": "ready"})
