"""Reads of the CA's tables."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from django.db import InterfaceError, OperationalError, connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from authority.errors import NoCeremony
from authority.models import PART_BITS, CertificationAuthority, Crl, LedgerEntry, OcspSigner, UnpublishedChange
from authority.models.fields import SERIAL_BITS
from authority.policy import CRL_LIFE
from authority.states import Role

CHUNK = 1000
_PARTS = f"""
    SELECT number FROM authority_crlpart WHERE crl_id = %(crl)s
     UNION
    SELECT id >> {PART_BITS} FROM authority_ledgerentry WHERE state <> 'good' AND {{scope}}
"""  # noqa: S608 (our own constants)
_ENTRIES = "SELECT count, entries FROM authority_crlpart WHERE crl_id = %s ORDER BY number"
_ALL = """
  FROM authority_crl crl JOIN authority_certificationauthority ca ON ca.id = crl.issuer_id WHERE crl.number > 0
"""
_FROM = f"{_ALL} AND ca.role = %s AND crl.year IS NOT DISTINCT FROM %s::int"
_FACTS = """crl.id, crl.number, crl.this_update, crl.next_update, crl.sha256,
       (octet_length(crl.head) + octet_length(crl.tail) + coalesce(
           (SELECT sum(octet_length(entries)) FROM authority_crlpart WHERE crl_id = crl.id), 0))::bigint AS size
"""
_VERSION = f"SELECT {_FACTS} {_FROM}"
_VERSIONS = f"SELECT ca.role, crl.year, {_FACTS} {_ALL} ORDER BY crl.id"
_WHOLE = f"""
SELECT version.*, crl.head, crl.tail, part.entries
  FROM ({_VERSION}) AS version JOIN authority_crl crl USING (id)
  LEFT JOIN authority_crlpart part ON part.crl_id = crl.id ORDER BY part.number
"""  # noqa: S608 (the same)
_OCSP_FACTS = """
    SELECT signer.id, entry.state, entry.reason, entry.invalid_since, entry.xmin::text
      FROM authority_certificationauthority ca
      JOIN authority_ocspsigner signer ON signer.authority_id = ca.id
      LEFT JOIN authority_ledgerentry entry ON entry.issuer_id = ca.id AND entry.serial = %(serial)s::numeric
     WHERE ca.role = %(role)s AND signer.not_before <= %(at)s AND signer.not_after >= %(at)s
     ORDER BY signer.not_before DESC, signer.id DESC
     LIMIT 1
"""


def authority_by_role(role: str) -> CertificationAuthority:
    """Find a CA with its key; raises `NoCeremony`."""
    try:
        return CertificationAuthority.objects.select_related("key").get(role=role)
    except CertificationAuthority.DoesNotExist:
        raise NoCeremony(f"there is no {role} CA yet") from None


def authorities() -> list[CertificationAuthority]:
    """All CAs with their keys, in a fixed order."""
    return list(CertificationAuthority.objects.select_related("key").order_by("id"))


def issuing_authorities() -> list[CertificationAuthority]:
    """CAs that issue to holders, in a fixed order."""
    return list(CertificationAuthority.objects.exclude(role=Role.ROOT).order_by("id"))


def issuer_ids() -> dict[bytes, int]:
    """Issuing CAs by their key identifier."""
    found = CertificationAuthority.objects.exclude(role=Role.ROOT)
    return {bytes(key_id): pk for key_id, pk in found.values_list("key_identifier", "pk")}


def is_possible_serial(serial: int) -> bool:
    """Whether a certificate of ours can have this number at all."""
    return 0 < serial < 1 << SERIAL_BITS


def roots() -> list[CertificationAuthority]:
    """Trust anchors."""
    return list(CertificationAuthority.objects.filter(role=Role.ROOT).order_by("id"))


@dataclass(frozen=True, slots=True)
class OcspFacts:
    """What an OCSP answer is made of. `state` is None for a number that this CA never issued.

    `version` is PostgreSQL's own mark of the ledger row's present version: another one after each change.
    """

    signer_id: int
    state: str | None
    reason: str | None
    invalid_since: datetime | None
    version: str | None


def ocsp_facts(role: str, serial: int, at: datetime) -> OcspFacts | None:
    """Read the newest OCSP signer of this CA that is valid now, and the ledger's word, in one indexed statement.

    None when no signer is valid. It goes past the framework, whose cursors cost more than the answer, and past its
    check of an idle connection, which is a statement too: one that has died is found out here and opened once more.
    """
    possible = serial if is_possible_serial(serial) else 0
    values = {"role": role, "serial": possible, "at": at}
    try:
        return _ocsp_facts(values)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        connection.close()
        return _ocsp_facts(values)


def _ocsp_facts(values: dict[str, object]) -> OcspFacts | None:
    with _binary() as cursor:
        row = cursor.execute(_OCSP_FACTS, values, prepare=True, binary=True).fetchone()
    return None if row is None else OcspFacts(*row)


@functools.lru_cache(maxsize=16)
def ocsp_signer(signer_id: int) -> OcspSigner:
    """Give a signer with its key and its CA: rows that never change, so a process reads each once."""
    return OcspSigner.objects.select_related("key", "authority").get(pk=signer_id)


@dataclass(frozen=True, slots=True)
class CrlVersion:
    """A published CRL without its bytes: its row's id, number, dates, SHA-256 and size in octets."""

    id: int
    number: int
    this_update: datetime
    next_update: datetime
    sha256: bytes
    size: int


def _version(
    pk: int, number: int, this_update: datetime, next_update: datetime, sha256: bytes, size: int
) -> CrlVersion:
    return CrlVersion(pk, number, this_update, next_update, bytes(sha256), size)


def crl_version(role: str, year: int | None) -> CrlVersion | None:
    """Say which version of a CRL is published; its bytes are not read."""
    with connection.cursor() as cursor:
        cursor.execute(_VERSION, [role, year])
        row = cursor.fetchone()
    return None if row is None else _version(*row)


def crl_with_bytes(role: str, year: int | None) -> tuple[CrlVersion, bytes] | None:
    """Read the published CRL, bytes and facts of one instant."""
    with _binary() as cursor:
        rows = cursor.execute(_WHOLE, [role, year], binary=True).fetchall()
    if not rows:
        return None
    *facts, head, tail, _entries = rows[0]
    return CrlVersion(*facts), b"".join([head, *(entries or b"" for *_, entries in rows), tail])


def crl_versions() -> list[tuple[str, int | None, CrlVersion]]:
    """Say which version of every CRL is published, with its issuer's role and its year."""
    with connection.cursor() as cursor:
        cursor.execute(_VERSIONS)
        return [(role, year, _version(*row)) for role, year, *row in cursor.fetchall()]


def misses_a_change(crl_id: int) -> bool:
    """Say whether a change is committed that this CRL does not show."""
    return UnpublishedChange.objects.filter(crl_id=crl_id).exists()


@contextmanager
def _binary() -> Iterator[psycopg.Cursor[Any]]:
    """Give a cursor of the driver's: the framework's bind on the client's side and get bytea as hexadecimal text."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        yield cursor


def due_crls(at: datetime) -> list[int]:
    """Ids of the CRLs that miss a change, were never published, or have used up half their life.

    Shards come first, as certificates name them; the complete lists are long and nobody waits for them.
    """
    changed = Exists(UnpublishedChange.objects.filter(crl=OuterRef("pk")))
    aged = Q(this_update__isnull=True) | Q(this_update__lte=at - CRL_LIFE / 2)
    newest_first = F("year").desc(nulls_last=True)
    return list(Crl.objects.filter(Q(changed) | aged).order_by(newest_first, "pk").values_list("pk", flat=True))


def oldest_unpublished() -> datetime | None:
    """Instant of the oldest change that some CRL does not show yet: the publication lag starts there."""
    return UnpublishedChange.objects.order_by("at").values_list("at", flat=True).first()


def part_numbers(crl: Crl) -> list[int]:
    """Numbers of all parts of this CRL: those that it has, and those that the ledger has listed certificates of."""
    scope, key = scope_of(crl)
    with connection.cursor() as cursor:
        cursor.execute(_PARTS.format(scope=scope), {"crl": crl.pk, "key": key})
        return [number for (number,) in cursor.fetchall()]


def scope_of(crl: Crl) -> tuple[str, int]:
    """Condition (SQL with one parameter, `key`) that picks this CRL's certificates from the ledger, and its value."""
    return ("issuer_id = %(key)s", crl.issuer_id) if crl.year is None else ("shard_id = %(key)s", crl.pk)


def listed_entries(crl: Crl) -> tuple[int, list[bytes]]:
    """Read number and concatenated DER of the entries in this CRL's parts, one after the other."""
    with _binary() as cursor:
        found = cursor.execute(_ENTRIES, [crl.pk], binary=True).fetchall()
    return sum(count for count, _entries in found), [entries for _count, entries in found]


def ledger_entries() -> QuerySet[LedgerEntry]:
    """Ledger with issuer and bytes, for answers."""
    return LedgerEntry.objects.select_related("issuer", "issued")


def named(entries: QuerySet[LedgerEntry], issuer_key_id: bytes, serial: int) -> QuerySet[LedgerEntry]:
    """Narrow to what an issuer has issued under this number; a number that none can have finds nothing."""
    if not is_possible_serial(serial):
        return entries.none()
    return entries.filter(issuer__key_identifier=issuer_key_id, serial=serial)


def entry_by_serial(issuer_key_id: bytes, serial: int) -> LedgerEntry | None:
    """Find what an issuer has issued under this number; None when it never did."""
    return named(LedgerEntry.objects.all(), issuer_key_id, serial).first()


def in_order_of_issuance() -> Iterator[LedgerEntry]:
    """Walk the whole ledger with its issuers."""
    return walked(LedgerEntry.objects.select_related("issuer"))


def walked(entries: QuerySet[LedgerEntry]) -> Iterator[LedgerEntry]:
    """Walk ledger entries by id, in chunks, with no transaction kept open."""
    last = 0
    while chunk := list(entries.filter(pk__gt=last).order_by("pk")[:CHUNK]):
        yield from chunk
        last = chunk[-1].pk


@dataclass(frozen=True, slots=True)
class ListAge:
    """One distribution point's list: how it is named, its number, and the two dates that it states."""

    role: str
    year: int | None
    number: int
    this_update: datetime | None
    next_update: datetime | None

    def used_up(self, at: datetime) -> float:
        """How much of its life is over: 0 when published, 1 at nextUpdate; 1 for one that was never published."""
        if self.this_update is None or self.next_update is None:
            return 1.0
        return (at - self.this_update) / (self.next_update - self.this_update)


def list_ages() -> list[ListAge]:
    """Every list without its bytes; there are as many as CAs and years."""
    rows = Crl.objects.order_by("pk").values_list("issuer__role", "year", "number", "this_update", "next_update")
    return [ListAge(*row) for row in rows]
