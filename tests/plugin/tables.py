"""Empty the tables between tests that commit, as the superuser: the application itself may not, and triggers forbid it."""

from __future__ import annotations

import psycopg
from psycopg import sql

from runtime.embedded.postgres import PostgresAddress

SEEDS = "pristine"


class Tables:
    """All tables of the public schema, and what the migrations have put into them."""

    def __init__(self, superuser: PostgresAddress) -> None:
        """Remember whom to connect as."""
        self._superuser = superuser

    def remember_seeds(self) -> None:
        """Copy the rows that migrations made (content types, permissions, ...), so that emptying can bring them back."""
        with self._connected() as connection:
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {0} CASCADE; CREATE SCHEMA {0}").format(_name(SEEDS)))
            for table in self._filled(connection):
                connection.execute(
                    sql.SQL("CREATE TABLE {} AS TABLE {}").format(_name(SEEDS, table), _name("public", table))
                )

    def empty(self) -> None:
        """Delete every row and bring the seeds back, with triggers and foreign keys silent.

        Raises psycopg's LockNotAvailable when a test has left a transaction open: the test is at fault.
        """
        with self._connected() as connection, connection.transaction():
            connection.execute("SET LOCAL session_replication_role = replica; SET LOCAL lock_timeout = '5s'")
            seeded = self._names(connection, SEEDS)
            for table in self._filled(connection):
                connection.execute(sql.SQL("DELETE FROM {}").format(_name("public", table)))
            for table in seeded:
                connection.execute(
                    sql.SQL("INSERT INTO {} OVERRIDING SYSTEM VALUE TABLE {}").format(
                        _name("public", table), _name(SEEDS, table)
                    )
                )

    def _connected(self) -> psycopg.Connection:
        return self._superuser.connect()

    def _names(self, connection: psycopg.Connection, schema: str) -> list[str]:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", [schema])
        return [name for (name,) in found.fetchall()]

    def _filled(self, connection: psycopg.Connection) -> list[str]:
        names = self._names(connection, "public")
        if not names:
            return []
        probes = sql.SQL(", ").join(sql.SQL("EXISTS (SELECT FROM {})").format(_name("public", name)) for name in names)
        row = connection.execute(sql.SQL("SELECT {}").format(probes)).fetchone() or ()
        return [name for name, is_filled in zip(names, row, strict=True) if is_filled]


def _name(*parts: str) -> sql.Identifier:
    return sql.Identifier(*parts)
