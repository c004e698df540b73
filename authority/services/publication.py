"""Publishing CRLs: one publisher per list, changes that come together go out together, numbers only grow."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

import psycopg
from cryptography import x509
from django.db import DatabaseError, connection, transaction

from authority import policy, queries
from authority.models import PART_BITS, CertificationAuthority, Crl, JournalEntry
from authority.signer import signer_for
from authority.states import Kind
from pki import crl_entries, lint
from pki.assembly import SignatureAlgorithm, Unsigned, assemble, unsigned_crl
from pki.errors import PkiError

_LOCK_SPACE = 0x43524C  # "CRL": the first half of the advisory lock's two numbers
_MOST_ROUNDS = 5
NO_GAP = timedelta(0)
_STORE = """
    UPDATE authority_crl SET number = %s, this_update = %s, next_update = %s, head = %b, tail = %b, sha256 = %b
     WHERE id = %s
"""
_GATHER = f"""
    INSERT INTO authority_crlpart AS old (crl_id, number, count, entries)
    SELECT %(crl)s, part.number, count(entry.id), coalesce(string_agg(entry.crl_entry, ''::bytea ORDER BY entry.id), '')
      FROM unnest(%(parts)s::bigint[]) AS part (number)
      LEFT JOIN authority_ledgerentry AS entry
             ON entry.state <> 'good' AND {{scope}} AND entry.id >= part.number << {PART_BITS}
            AND entry.id < part.number + 1 << {PART_BITS}
     GROUP BY part.number
        ON CONFLICT (crl_id, number) DO UPDATE SET count = excluded.count, entries = excluded.entries
     WHERE old.entries <> excluded.entries
"""  # noqa: S608 (our own constants)


def _nowhere_else(_crl: Crl) -> int:
    return 0


def publish_due(at: datetime, *, gap: timedelta = NO_GAP, seen: Callable[[Crl], int] = _nowhere_else) -> int:
    """Publish every CRL that misses a change or has used up half its life; return how many were published.

    A list younger than `gap` waits for a later call, so that a burst of changes makes few lists. When a change is
    committed while its list is being signed, another round follows: the poke for that change found us at work and left.
    One list that cannot be published stops no other; its failure is raised when all others are done. `seen` says which
    number of a list relying parties have from elsewhere (files that outlived a restored database): the next is higher.
    """
    ensure_crls(at)
    published, failures = 0, []
    for crl_id in queries.due_crls(at):
        try:
            published += _publish_until_current(crl_id, at, gap, seen)
        except (PkiError, DatabaseError) as failure:
            failures.append(failure)
    if failures:
        raise failures[0]
    return published


def ensure_crls(at: datetime) -> None:
    """Make sure that each issuing CA has a row for the present year's shard, and for the next one in time."""
    years = policy.shards_due(at)
    standing = set(Crl.objects.filter(year__in=years).values_list("issuer", "year"))
    for issuer in queries.issuing_authorities():
        for year in years:
            if (issuer.pk, year) not in standing:
                Crl.objects.get_or_create(issuer=issuer, year=year)


def ensure_shard(issuer: CertificationAuthority, at: datetime) -> Crl:
    """Find or make the shard that lists what is issued at this instant."""
    shard, _made = Crl.objects.defer("head", "tail").get_or_create(issuer=issuer, year=policy.shard_year(at))
    return shard


def _publish_until_current(crl_id: int, at: datetime, gap: timedelta, seen: Callable[[Crl], int]) -> int:
    published = 0
    while published < _MOST_ROUNDS and _publish(crl_id, at, gap, seen):
        published += 1
        if not queries.misses_a_change(crl_id):
            break
    return published


def _publish(crl_id: int, at: datetime, gap: timedelta, seen: Callable[[Crl], int]) -> bool:
    """Publish one list, unless somebody is at it, nothing has changed, or it is too young; say whether."""
    with transaction.atomic(durable=True):
        if not _is_mine(crl_id):
            return False
        crl = Crl.objects.select_related("issuer__key").defer("head", "tail").get(pk=crl_id)
        if crl.this_update is not None and crl.this_update <= at < crl.this_update + gap:
            return False
        # First take the marks, then read the entries: a change that commits in between is read, and its mark stays.
        taken = _take_marks(crl)
        if not taken and not policy.is_aged(crl, at):
            return False
        _gather(crl, taken)
        _write(crl, policy.next_number(crl, at, seen(crl)), at)
    return True


def _take_marks(crl: Crl) -> set[int | None]:
    """Take away the marks that are committed by now; returns the parts that they name, None for all parts."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM authority_unpublishedchange WHERE crl_id = %s RETURNING part", [crl.pk])
        return {part for (part,) in cursor.fetchall()}


def _gather(crl: Crl, changed: set[int | None]) -> None:
    """Bring the changed parts up to date with the ledger; all of them where a mark says so, or the list has aged.

    Only changed bytes are written: one hold in a list of a million costs one part of it.
    """
    named = {part for part in changed if part is not None}
    parts = sorted(named) if named and None not in changed else queries.part_numbers(crl)
    scope, key = queries.scope_of(crl)
    with connection.cursor() as cursor:
        cursor.execute(_GATHER.format(scope=f"entry.{scope}"), {"crl": crl.pk, "key": key, "parts": parts})


def _is_mine(crl_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_LOCK_SPACE, crl_id])
        return bool(cursor.fetchone()[0])


def _write(crl: Crl, number: int, at: datetime) -> None:
    """Sign the list, and let the commit publish it."""
    crl.number = number
    crl.this_update = policy.next_this_update(crl, at)
    crl.next_update = crl.this_update + policy.CRL_LIFE
    count, unsigned = _laid_out(crl, crl.this_update)
    lint.require_clean_crl(unsigned.linted_der)
    der = assemble(unsigned, signer_for(crl.issuer.key).sign(unsigned.tbs))
    crl.sha256 = hashlib.sha256(der).digest()
    crl.head, crl.tail = crl_entries.around(der)
    _store(crl)
    JournalEntry.objects.create(
        at=at,
        kind=Kind.PUBLISH,
        authority=crl.issuer,
        facts={"year": crl.year, "number": crl.number, "entries": count, "sha256": crl.sha256.hex()},
    )


def _store(crl: Crl) -> None:
    """Send the bytes as they are: the framework writes them out as hexadecimal text."""
    values = [crl.number, crl.this_update, crl.next_update, crl.head, crl.tail, crl.sha256, crl.pk]
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(_STORE, values)


def _laid_out(crl: Crl, this_update: datetime) -> tuple[int, Unsigned]:
    """Lay the list out. Entries of expired certificates stay, which the list says (X.509 ExpiredCertsOnCRL)."""
    issuer, (count, entries) = crl.issuer, queries.listed_entries(crl)
    subject = x509.load_der_x509_certificate(bytes(issuer.certificate)).subject
    return count, unsigned_crl(
        subject.public_bytes(),
        bytes(issuer.key_identifier),
        this_update,
        this_update + policy.CRL_LIFE,
        crl.number,
        entries,
        shard_url=None if crl.year is None else issuer.crl_url(crl.year),
        expired_certs_since=issuer.not_before,
        algorithm=SignatureAlgorithm(issuer.key.algorithm),
    )
