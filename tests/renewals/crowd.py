"""Fills the register: copies of the rows that are there, thousands of them, told apart wherever a row must be unique."""

from __future__ import annotations

import psycopg
from psycopg import sql

from runtime.embedded.postgres import PostgresAddress

# What grows with holders, cards and cases. The rest (centres, services, agreements, issuers, stock) is small for ever.
BIG = (
    "cms_holder",
    "cms_registration",
    "cms_card",
    "cms_pair",
    "cms_certificate",
    "cms_certificatebody",
    "cms_knownkey",
    "cms_carequest",
    "cms_carequestbody",
    "cms_event",
    "cms_stockmovement",
    "renewals_renewalcase",
    "renewals_acceptance",
    "renewals_renewalform",
    "renewals_mailboxconfirmation",
    "renewals_challenge",
    "renewals_enrolmentsession",
    "notifications_outboxmessage",
    "notifications_outboxattachment",
)
# Apart enough that a copy's id never meets a real one: id + n * STRIDE.
STRIDE = 1_000_000
# Numbers that name a row of a big table without a foreign key, and texts that tell rows apart.
NUMBERS = {"holder_id", "card_id", "certificate_id"}
TEXTS = {
    "case_code",
    "code",
    "email_key",
    "fingerprint",
    "key",
    "natural_key",
    "nonce",
    "reference",
    "serial",
    "spki_sha256",
    "token_sha256",
}

# The same where the database demands a shape.
SHAPED = {
    "mobile": "'+39' || 4000000000 + id * 10000 + n",
    "tax_code": "translate(left(md5(tax_code || n), 6), '0123456789abcdef', 'ABCDEFGHIJKLMNOP')"
    " || lpad((n % 100)::text, 2, '0') || 'T' || lpad((n / 100 % 100)::text, 2, '0') || 'A001V'",
}

_COLUMNS = """
SELECT a.attname, format_type(a.atttypid, NULL), a.atttypmod - 4,
       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey)),
       (SELECT f.confrelid::regclass::text FROM pg_constraint f
        WHERE f.conrelid = a.attrelid AND f.contype = 'f' AND f.conkey = ARRAY[a.attnum])
FROM pg_attribute a WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
"""


def fill(superuser: PostgresAddress, rows: int) -> None:
    """Copy the rows of the big tables until each has about so many; triggers and foreign keys sleep meanwhile."""
    with superuser.connect() as connection:
        connection.execute("SET session_replication_role = replica")
        for table in BIG:
            (there,) = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
            assert there, f"{table} has nothing to be copied"
            _copy(connection, table, times=-(-rows // there))
            connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))


def _copy(connection: psycopg.Connection, table: str, times: int) -> None:
    columns = connection.execute(_COLUMNS, [table]).fetchall()
    statement = sql.SQL(
        "INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE SELECT {values} FROM {table}, generate_series(1::bigint, {n}) n"
    )
    connection.execute(
        statement.format(
            table=sql.Identifier(table),
            names=sql.SQL(", ").join(sql.Identifier(row[0]) for row in columns),
            values=sql.SQL(", ").join(_value(*row) for row in columns),
            n=times,
        )
    )


def _value(name: str, type_: str, length: int, is_primary: bool, target: str | None) -> sql.Composable:
    column = sql.Identifier(name)
    if type_ == "uuid":
        return sql.SQL("md5({}::text || n)::uuid").format(column)
    if type_ == "bigint" and (target in BIG or is_primary or name in NUMBERS):
        return sql.SQL("{} + n * {}").format(column, STRIDE)
    if name in SHAPED:
        return sql.SQL(SHAPED[name])
    if name in TEXTS:
        return sql.SQL("CASE WHEN {0} = '' THEN '' ELSE left(md5({0} || n), {1}) END").format(column, length)
    return column
