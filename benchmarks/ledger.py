"""Fill the CA's ledger for the benchmarks of CRLs and OCSP: certificates by the million, by the database itself.

    fill(address, database, listed={2024: 100_000}, good=500_000)     (in this database the CA is founded)

Written past triggers and foreign keys, but not past check and unique constraints, with the entry bytes that the product
stores at a revocation. Listed and good certificates lie mixed on the table's pages, as years of orders leave them. The
certificates themselves are not written: neither a CRL nor an OCSP answer reads them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from django.db import connection
from psycopg import Connection

from authority.models import CertificationAuthority, Crl
from authority.services.publication import ensure_shard
from authority.states import Role
from runtime.embedded.postgres import PostgresAddress

ISSUED_AT = "make_timestamptz(%(year)s, 6, 1, 12, 0, 0, 'UTC')"
# A serial number of 20 octets: the first four fixed, then the MD5 of a running number, which anybody can compute again.
SERIAL_PREFIX = 0x40000000
_FILL = f"""
INSERT INTO authority_ledgerentry (request_id, request_sha256, issuer_id, shard_id, serial, profile, spki_sha256,
                                   not_before, not_after, issued_at, state, reason, since, invalid_since, crl_entry)
SELECT digest::uuid, sha256(octets), %(issuer)s, %(shard)s,
       {SERIAL_PREFIX}::numeric * 2::numeric ^ 128 + upper * 2::numeric ^ 64 + lower,
       'cns-authentication', sha256(octets), {ISSUED_AT}, {ISSUED_AT} + interval '3 years', {ISSUED_AT},
       CASE WHEN is_listed THEN 'revoked' ELSE 'good' END,
       CASE WHEN is_listed THEN 'cessationOfOperation' ELSE '' END,
       CASE WHEN is_listed THEN {ISSUED_AT} END, CASE WHEN is_listed THEN {ISSUED_AT} END,
       CASE WHEN is_listed THEN '\\x3033021440000000'::bytea || octets || '\\x170d'::bytea
            || convert_to(to_char({ISSUED_AT} AT TIME ZONE 'UTC', 'YYMMDDHH24MISS') || 'Z', 'UTF8')
            || '\\x300c300a0603551d1504030a0105'::bytea END
  FROM (SELECT digest, decode(digest, 'hex') AS octets,
               number %% %(each)s = 0 AND number < %(each)s::bigint * %(listed)s AS is_listed,
               ('x' || '0' || substr(digest, 1, 15))::bit(64)::bigint::numeric * 16
                   + ('x' || substr(digest, 16, 1))::bit(4)::int AS upper,
               ('x' || '0' || substr(digest, 17, 15))::bit(64)::bigint::numeric * 16
                   + ('x' || substr(digest, 32, 1))::bit(4)::int AS lower
          FROM (SELECT number, md5((%(first)s::bigint + number)::text) AS digest
                  FROM generate_series(0::bigint, %(rows)s - 1) AS number) AS numbers) AS digests
"""


def fill(address: PostgresAddress, database: str, *, listed: Mapping[int, int], good: int) -> None:
    """Give each issuing year its listed certificates, and share the good ones out among the years."""
    issuer = CertificationAuthority.objects.get(role=Role.CNS)
    first = 0
    with address.connect(database=database) as superuser:
        superuser.execute("SET session_replication_role = replica")
        with _without_indexes(superuser):
            for year, count in listed.items():
                shard = ensure_shard(issuer, datetime(year, 6, 1, tzinfo=UTC))
                first += _fill_year(superuser, issuer, shard, count, good // len(listed), first)
        superuser.execute("VACUUM (ANALYZE) authority_ledgerentry")
        superuser.execute("CHECKPOINT")


@contextmanager
def working_on(database: str) -> Iterator[None]:
    """Let the product work on another database of the same server within the block."""
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = database
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def serial(number: int) -> int:
    """Compute the serial number of the n-th certificate."""
    return SERIAL_PREFIX << 128 | int.from_bytes(hashlib.md5(str(number).encode(), usedforsecurity=False).digest())


def _fill_year(
    superuser: Connection, issuer: CertificationAuthority, shard: Crl, listed: int, good: int, first: int
) -> int:
    rows = listed + good
    values = {"issuer": issuer.pk, "shard": shard.pk, "year": shard.year, "first": first, "rows": rows}
    superuser.execute(_FILL, {**values, "listed": listed, "each": max(1, rows // max(1, listed))})
    return rows


@contextmanager
def _without_indexes(superuser: Connection) -> Iterator[None]:
    """Take unique constraints and indexes away within the block: making them at once is faster than row by row."""
    constraints = superuser.execute(
        "SELECT format('ALTER TABLE authority_ledgerentry DROP CONSTRAINT %I', conname),"
        " format('ALTER TABLE authority_ledgerentry ADD CONSTRAINT %I %s', conname, pg_get_constraintdef(oid))"
        " FROM pg_constraint WHERE conrelid = 'authority_ledgerentry'::regclass AND contype = 'u'"
    ).fetchall()
    indexes = superuser.execute(
        "SELECT format('DROP INDEX %I', indexname), indexdef FROM pg_indexes"
        " WHERE tablename = 'authority_ledgerentry' AND indexname LIKE 'ledger%'"
        " AND indexname NOT IN (SELECT conname FROM pg_constraint)"
    ).fetchall()
    for drop, _make in (*constraints, *indexes):
        superuser.execute(drop)
    yield
    superuser.execute("SET maintenance_work_mem = '512MB'")
    for _drop, make in (*constraints, *indexes):
        superuser.execute(make)
