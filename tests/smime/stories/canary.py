"""Where the values of a story have come to lie: in the database by table and column, in Redis, logs, files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import redis

from runtime.embedded.postgres import PostgresAddress
from tests.plugin import services

LARGEST_FILE = 20 * 1024 * 1024
_OTHERS = ("playwright", "org.chromium", ".org.chromium", "pytest-of", "sigillo-tests")
"""The browser's folders, those of other tests, and the servers of this run: their content is asked for elsewhere."""


def columns_with(superuser: PostgresAddress, values: Mapping[str, bytes]) -> dict[str, set[str]]:
    """For each value, the columns `table.column` of the whole database in which it stands, as text or as bytes."""
    found: dict[str, set[str]] = {name: set() for name in values}
    with superuser.connect() as connection:
        for table, column, is_bytes in list(_columns(connection)):
            for name, value in values.items():
                if _stands_in(connection, table, column, value, is_bytes=is_bytes):
                    found[name].add(f"{table}.{column}")
    return found


def redis_content() -> bytes:
    """Everything that the broker and cache hold."""
    with redis.Redis.from_url(services.redis.url) as client:
        return b"\n".join(key + b"\0" + (client.dump(key) or b"") for key in client.scan_iter())


def files_since(start: float, *, apart_from: Path) -> Iterator[tuple[Path, bytes]]:
    """Temporary files written after an instant, without the test's own and the browser's."""
    for folder, inner, names in os.walk(tempfile.gettempdir()):  # what vanishes meanwhile is passed over
        inner[:] = [name for name in inner if not name.startswith(_OTHERS)]
        for path in (Path(folder, name) for name in names):
            try:
                is_new = path.is_file() and path.stat().st_mtime >= start and path.stat().st_size < LARGEST_FILE
                if is_new and not path.is_relative_to(apart_from):
                    yield path, path.read_bytes()
            except OSError:
                continue


def _columns(connection) -> Iterator[tuple[str, str, bool]]:
    rows = connection.execute(
        "SELECT c.table_name, c.column_name, c.data_type = 'bytea' FROM information_schema.columns c"
        " JOIN information_schema.tables t USING (table_schema, table_name)"
        " WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'"
        " AND c.data_type IN ('bytea', 'text', 'character varying', 'json', 'jsonb', 'ARRAY')"
    )
    return iter(rows.fetchall())


def _stands_in(connection, table: str, column: str, value: bytes, *, is_bytes: bool) -> bool:
    if is_bytes:
        query = f'SELECT 1 FROM "{table}" WHERE position(%s::bytea IN "{column}") > 0 LIMIT 1'  # noqa: S608 - our names
        return connection.execute(query, [value]).fetchone() is not None
    if not value.isascii():
        return False
    query = f'SELECT 1 FROM "{table}" WHERE position(lower(%s) IN lower("{column}"::text)) > 0 LIMIT 1'  # noqa: S608
    return connection.execute(query, [value.decode()]).fetchone() is not None
