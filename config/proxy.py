"""The client's address behind our own reverse proxy; installed only where SIGILLO_TRUSTS_PROXY says there is one."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class ClientAddress:
    """Takes the last address of X-Forwarded-For, the only one that our proxy wrote; the rest is the client's word."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the next layer."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Put the address where rate limits and events look for it."""
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
        if last := forwarded.rpartition(",")[2].strip():
            request.META["REMOTE_ADDR"] = last
        return self.get_response(request)
