"""Reads of the CA's tables."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import psycopg
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from authority.errors import NoCeremony
from authority.models import CertificationAuthority, Crl, LedgerEntry, OcspSigner, UnpublishedChange
from authority.models.fields import SERIAL_BITS
from authority.policy import CRL_LIFE
from authority.states import Role

CHUNK = 1000
# In any order: a relying party looks numbers up, and sorting a million entries costs more than reading them.
_LISTED = (
    "SELECT count(*), coalesce(string_agg(crl_entry, ''::bytea), ''::bytea)"
    " FROM authority_ledgerentry WHERE state <> 'good'"
)
_OF_ISSUER = f"{_LISTED} AND issuer_id = %s"
_OF_SHARD = f"{_LISTED} AND shard_id = %s"
_OCSP_FACTS = """
    SELECT signer.id, entry.state, entry.reason, entry.invalid_since
      FROM authority_certificationauthority ca
      JOIN authority_ocspsigner signer ON signer.authority_id = ca.id
      LEFT JOIN authority_ledgerentry entry ON entry.issuer_id = ca.id AND entry.serial = %(serial)s
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
    """What an OCSP answer is made of. `state` is None for a number that this CA never issued."""

    signer_id: int
    state: str | None
    reason: str | None
    invalid_since: datetime | None


def ocsp_facts(role: str, serial: int, at: datetime) -> OcspFacts | None:
    """Read the newest OCSP signer of this CA that is valid now, and the ledger's word, in one indexed statement.

    None when no signer is valid. It is written in SQL because composing it costs the framework more than running it.
    """
    possible = serial if is_possible_serial(serial) else 0
    with connection.cursor() as cursor:
        cursor.execute(_OCSP_FACTS, {"role": role, "serial": possible, "at": at})
        row = cursor.fetchone()
    return None if row is None else OcspFacts(*row)


@functools.lru_cache(maxsize=16)
def ocsp_signer(signer_id: int) -> OcspSigner:
    """Give a signer with its key and its CA: rows that never change, so a process reads each once."""
    return OcspSigner.objects.select_related("key", "authority").get(pk=signer_id)


def crl(role: str, year: int | None) -> Crl | None:
    """Find a published CRL, without its bytes until they are asked for."""
    return Crl.objects.filter(issuer__role=role, year=year, number__gt=0).defer("der").first()


def crl_with_bytes(role: str, year: int | None) -> Crl:
    """Find the same with its bytes; one that was published is never taken away."""
    return Crl.objects.get(issuer__role=role, year=year)


def due_crls(at: datetime) -> list[int]:
    """Ids of the CRLs that miss a change, were never published, or have used up half their life."""
    changed = Exists(UnpublishedChange.objects.filter(crl=OuterRef("pk")))
    aged = Q(this_update__isnull=True) | Q(this_update__lte=at - CRL_LIFE / 2)
    return list(Crl.objects.filter(Q(changed) | aged).order_by("pk").values_list("pk", flat=True))


def oldest_unpublished() -> datetime | None:
    """Instant of the oldest change that some CRL does not show yet: the publication lag starts there."""
    return UnpublishedChange.objects.order_by("at").values_list("at", flat=True).first()


def listed_entries(crl: Crl) -> tuple[int, bytes]:
    """Read number and concatenated DER of the entries that this CRL must show, expired certificates included.

    The database joins the stored bytes and sends them in binary form: a million entries are one value, not rows.
    """
    query, key = (_OF_ISSUER, crl.issuer_id) if crl.year is None else (_OF_SHARD, crl.pk)
    connection.ensure_connection()
    # The framework's own cursors bind on the client's side and get bytea as hexadecimal text.
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(query, (key,), binary=True)
        (found,) = cursor.fetchall()
    return int(found[0]), bytes(found[1])


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
