"""What is true of the CA's tables at every instant, checked from scratch; `manage.py invariants` reads it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from authority.models import Crl, JournalEntry, LedgerEntry
from authority.queries import crl_with_bytes, in_order_of_issuance, ledger_entries, walked
from authority.states import CHANGES, Effect, Kind, State
from pki.keys import spki_sha256

_LEADS_TO = {Kind.HOLD: State.HELD, Kind.RELEASE: State.GOOD, Kind.REVOKE: State.REVOKED}


def breaches(*, at: datetime) -> list[str]:
    """List what is broken, by ids only; empty when all is well. It reads the whole ledger."""
    return [*_of_lists(at), *_of_journal(), *_of_certificates()]


def _of_lists(at: datetime) -> Iterator[str]:
    """Each published list is in force and shows exactly what the ledger says, unless a change waits."""
    for crl in Crl.objects.select_related("issuer").filter(number__gt=0).order_by("pk"):
        if crl.next_update is None or at > crl.next_update:
            yield f"CRL {crl} is past its nextUpdate"
        if sorted(_shown(crl)) != sorted(_listed(crl)) and not _is_out_of_date(crl):
            yield f"CRL {crl} differs from the ledger"


def _shown(crl: Crl) -> list[tuple[int, str]]:
    found = crl_with_bytes(crl.issuer.role, crl.year)
    return [
        (entry.serial_number, entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value)
        for entry in (x509.load_der_x509_crl(found[1]) if found else ())
    ]


def _listed(crl: Crl) -> list[tuple[int, str]]:
    scope = {"issuer_id": crl.issuer_id} if crl.year is None else {"shard_id": crl.pk}
    return list(LedgerEntry.objects.filter(**scope).exclude(state=State.GOOD).values_list("serial", "reason"))


def _is_out_of_date(crl: Crl) -> bool:
    """Say whether a change waits for publication, or the list was published again while we looked."""
    return crl.unpublished.exists() or Crl.objects.get(pk=crl.pk).number != crl.number


def _of_journal() -> Iterator[str]:
    """Each certificate was issued by one order, and its last order that did anything led to its state."""
    issued = set(JournalEntry.objects.filter(kind=Kind.ISSUE).values_list("entry_id", "request_id"))
    last = dict(
        JournalEntry.objects.filter(kind__in=CHANGES, effect=Effect.DONE)
        .order_by("entry_id", "-pk")
        .distinct("entry_id")
        .values_list("entry_id", "kind")
    )
    for entry in in_order_of_issuance():
        if (entry.pk, entry.request_id) not in issued:
            yield f"certificate {entry} has no order of issuance in the journal"
        kind = last.get(entry.pk)
        if entry.state != (State.GOOD if kind is None else _LEADS_TO[Kind(kind)]):
            yield f"certificate {entry} is {entry.state}, its journal says otherwise"


def _of_certificates() -> Iterator[str]:
    """Each ledger entry describes its certificate, which its issuer has signed."""
    issuers: dict[int, x509.Certificate] = {}
    for entry in walked(ledger_entries()):
        issuer = issuers.setdefault(entry.issuer_id, x509.load_der_x509_certificate(bytes(entry.issuer.certificate)))
        if not _describes(entry, issuer):
            yield f"ledger entry {entry} does not describe its certificate"


def _describes(entry: LedgerEntry, issuer: x509.Certificate) -> bool:
    try:
        certificate = x509.load_der_x509_certificate(bytes(entry.issued.certificate))
        certificate.verify_directly_issued_by(issuer)
    except Exception:  # noqa: BLE001 (missing bytes, unreadable bytes, wrong signature: all the same here)
        return False
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    described = (entry.serial, bytes(entry.spki_sha256), entry.not_before, entry.not_after)
    found = (
        certificate.serial_number,
        spki_sha256(spki),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )
    return described == found
