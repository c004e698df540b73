"""Every address of the panel, filled with ids from wherever a test says, and what an answer gave away or changed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client

from runtime import fence
from tests.panel import addresses

KINDS = {"": "str", "str": "str", "slug": "str", "int": "int", "uuid": "uuid"}
# Rows that any visit may write: the session itself.
PASSING = {"django_session"}


def routes() -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Route, name and parameters (kind, name) of every page below the panel."""
    found = [(route, name) for route, name in addresses.patterns() if route.startswith("pannello/")]
    return [(route, name, addresses.PARAMETER.findall(route)) for route, name in found]


def plain() -> list[str]:
    """Addresses without parameters: lists, searches, forms, exports."""
    return [f"/{route}" for route, _name, parameters in routes() if not parameters]


def filled(ids: Mapping[str, Iterable[Any]], own: Mapping[str, Any] | None = None) -> Iterator[str]:
    """Addresses with parameters, each filled with every id of its kind; of two parameters also one with an own value."""
    for route, _name, parameters in routes():
        if not parameters:
            continue
        most = None if len(parameters) == 1 else 3
        columns = [list(itertools.islice(ids[KINDS[kind]], most)) for kind, _ in parameters]
        rows = set(itertools.product(*columns))
        if len(parameters) > 1 and own:
            for place, (_kind, name) in enumerate(parameters):
                rows |= {(*row[:place], own[name], *row[place + 1 :]) for row in rows if name in own}
            rows.discard(tuple(own.get(name) for _kind, name in parameters))
        for row in sorted(rows, key=str):
            values = iter(row)
            yield "/" + addresses.PARAMETER.sub(lambda _match, values=values: str(next(values)), route)


@contextmanager
def undone() -> Iterator[None]:
    """Take back whatever a request changes, the connection's place included."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    fence.stand_in_the_open()


def body_of(answer: HttpResponse) -> str:
    """All that left: body, streamed or not, and the headers."""
    parts = answer.streaming_content if answer.streaming else [answer.content]
    text = b"".join(parts).decode("utf-8", "replace")
    return text + "\n".join(f"{name}: {value}" for name, value in answer.headers.items())


def asked(client: Client, method: str, address: str, data: Any = None) -> tuple[HttpResponse, str]:
    """Ask and read to the end."""
    answer = getattr(client, method)(address, data or {})
    return answer, body_of(answer)


def outcome(answer: HttpResponse) -> str:
    """Status, and what broke."""
    broken = getattr(answer, "exc_info", None)
    return f"{answer.status_code} {broken[1]!r}" if broken else str(answer.status_code)


def given_away(text: str, marks: Iterable[str]) -> set[str]:
    """Marks that stand in the text."""
    return {mark for mark in marks if mark in text}


def written_to() -> dict[str, int]:
    """How many rows of each table this transaction has written; the session's own are passed over."""
    fence.stand_in_the_open()
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables")
        return {name: count for name, count in cursor.fetchall() if name not in PASSING}


def changed_since(before: dict[str, int]) -> set[str]:
    """Tables that were written to since."""
    return {table for table, count in written_to().items() if count != before.get(table, 0)}
