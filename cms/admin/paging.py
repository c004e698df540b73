"""Paging by key, newest first: a page costs its own length, wherever it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import QueryDict

Row = TypeVar("Row", bound=Model)
PAGE = 25
LONGEST_NUMBER = 18


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows, and the addresses of the pages beside them; an empty address is no link."""

    rows: list[Row]
    previous: str
    next: str


def page_of(found: QuerySet[Row], query: QueryDict) -> Page[Row]:
    """Read the page that the address names (`prima=<id>` newer, `dopo=<id>` older), in one statement."""
    newer, older = number(query.get("prima")), number(query.get("dopo"))
    if newer is not None:
        rows = list(found.filter(pk__gt=newer).order_by("pk")[: PAGE + 1])
        page = rows[:PAGE][::-1]
        return Page(page, _beside(query, "prima", page[:1], there=len(rows) > PAGE), _beside(query, "dopo", page[-1:]))
    if older is not None:
        found = found.filter(pk__lt=older)
    rows = list(found.order_by("-pk")[: PAGE + 1])
    page = rows[:PAGE]
    return Page(
        page,
        _beside(query, "prima", page[:1], there=older is not None),
        _beside(query, "dopo", page[-1:], there=len(rows) > PAGE),
    )


def number(text: str | None) -> int | None:
    """Read an id from an address; None for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER else None


def _beside(query: QueryDict, name: str, edge: list[Any], *, there: bool = True) -> str:
    if not there or not edge:
        return ""
    address = query.copy()
    address.pop("prima", None)
    address.pop("dopo", None)
    address[name] = str(edge[0].pk)
    return f"?{address.urlencode()}"
