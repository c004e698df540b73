"""Every page of the panel, read from the URL resolver: a page that comes tomorrow is walked without being named here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

ROOTS = ("pannello/", "accesso/")
REGULAR_EXPRESSION = re.compile(r"[\\^$?(]")
PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")


def patterns() -> list[tuple[str, str]]:
    """Route and name of every pattern below the panel and the login pages."""
    found = [(route, name) for route, name in _walk(get_resolver(), "") if route.startswith(ROOTS)]
    return list(dict.fromkeys(found))


def _walk(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, str]]:
    for pattern in resolver.url_patterns:
        route = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLPattern):
            yield route, pattern.name or ""
        else:
            yield from _walk(pattern, route)


def filled(known: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Addresses with their parameters filled from `known`, and the routes that nobody knows how to fill.

    A key is `name:parameter` (for one page) or `parameter`.
    """
    addresses, unknown = [], []
    for route, name in patterns():
        values = {
            parameter: known.get(f"{name}:{parameter}", known.get(parameter))
            for _kind, parameter in PARAMETER.findall(route)
        }
        if REGULAR_EXPRESSION.search(route):
            continue  # a page behind a secret in a mail: stories of its own reach it
        if None in values.values():
            unknown.append(f"{route} ({name})")
            continue
        addresses.append("/" + PARAMETER.sub(lambda match, values=values: str(values[match[2]]), route))
    return addresses, unknown
