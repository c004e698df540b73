"""Thousands of cases whose new certificates stand in the embedded CA's own ledger, copied from a few real ones."""

from __future__ import annotations

from runtime.embedded.postgres import PostgresAddress
from tests.renewals.crowd import BIG, STRIDE, _copy

# A copy's number and key are made of its id: the same in the register and in the ledger.
_NUMBERED = """
UPDATE cms_certificate SET serial = to_hex(id + (1::bigint << 62)), spki_sha256 = encode(sha256(id::text::bytea), 'hex')
 WHERE id > %(stride)s
"""
_LEDGER = """
INSERT INTO authority_ledgerentry (request_id, request_sha256, issuer_id, shard_id, serial, profile, spki_sha256,
                                   not_before, not_after, issued_at, state, reason)
SELECT gen_random_uuid(), entry.request_sha256, entry.issuer_id, entry.shard_id,
       copy.id + (1::bigint << 62), entry.profile, sha256(copy.id::text::bytea), entry.not_before, entry.not_after,
       entry.issued_at, 'good', ''
  FROM cms_certificate AS copy
  JOIN cms_certificate AS original ON original.id = copy.id %% %(stride)s
  JOIN cms_carequest AS wish ON wish.certificate_id = original.id AND wish.kind = 'issue'
  JOIN authority_ledgerentry AS entry ON entry.request_id = wish.uid
 WHERE copy.id > %(stride)s
"""


def multiply(superuser: PostgresAddress, times: int) -> None:
    """Copy every case of the register so many times, and its new certificates in the ledger."""
    with superuser.connect() as boss:
        boss.execute("SET session_replication_role = replica")
        for table in BIG:
            _copy(boss, table, times=times)
        boss.execute(_NUMBERED, {"stride": STRIDE})
        boss.execute(_LEDGER, {"stride": STRIDE})
        boss.execute("ANALYZE")
