"""Reads of the ledger in slices, for who compares it with something else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from authority.models import LedgerEntry
from authority.models.fields import SERIAL_BITS
from authority.queries import issuing_authorities
from pki.gateway import CertificateRef


def entries_by_serial(refs: Sequence[CertificateRef]) -> Iterator[LedgerEntry]:
    """Find what was issued under these names, by the unique index; the rest is not there."""
    by_issuer: dict[bytes, list[int]] = {}
    for ref in refs:
        if 0 < ref.serial < 1 << SERIAL_BITS:
            by_issuer.setdefault(ref.issuer_key_id, []).append(ref.serial)
    for issuer in issuing_authorities():
        serials = by_issuer.get(bytes(issuer.key_identifier), [])
        for entry in LedgerEntry.objects.filter(issuer=issuer, serial__in=serials).defer("crl_entry"):
            entry.issuer = issuer  # read once
            yield entry


def entries_after(position: int, size: int) -> list[LedgerEntry]:
    """Read the next entries behind a number, with their issuers."""
    rows = LedgerEntry.objects.select_related("issuer").filter(pk__gt=position).defer("crl_entry")
    return list(rows.order_by("pk")[:size])
