"""Bringing cards and their certificates into the register (import; moves no stock)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from cms import events, policy
from cms.actors import IMPORTER
from cms.errors import CertificateNotOurs
from cms.models import (
    Agreement,
    Card,
    CardFamily,
    Certificate,
    CertificateBody,
    Holder,
    Issuer,
    KnownKey,
    Pair,
)
from cms.states import CertificateStatus, Medium
from pki import x509
from pki.errors import PkiError


@dataclass(frozen=True, slots=True)
class CardData:
    """What an import tells about a card. Dates are Europe/Rome calendar days."""

    serial: str
    family: CardFamily
    first_issued_on: date
    activated_on: date | None
    expires_on: date | None = None


def pin_issuer(certificate: bytes) -> Issuer:
    """Accept certificates of this issuing CA (DER) from now on; naming it again changes nothing."""
    key_id = x509.subject_key_id(certificate).hex()
    issuer, _ = Issuer.objects.get_or_create(key_id=key_id, defaults={"certificate": certificate})
    return issuer


def pinned_issuers() -> list[bytes]:
    """Certificates (DER) of the issuing CAs that the register accepts."""
    return [bytes(der) for der in Issuer.objects.filter(active=True).values_list("certificate", flat=True)]


@transaction.atomic
def register_card(
    card: CardData, *, holder: Holder, agreement: Agreement, certificates: Mapping[str, bytes], at: datetime
) -> Pair:
    """Store a card with its installed certificates (type to DER), each checked against its pinned issuer."""
    row = Card.objects.create(
        serial=card.serial,
        family=card.family,
        holder=holder,
        first_issued_on=card.first_issued_on,
        activated_on=card.activated_on,
        expires_on=card.expires_on,
    )
    pair = _store_pair(holder, agreement, certificates, at, medium=Medium.CARD, card=row)
    events.record(
        "card.registered",
        actor=IMPORTER,
        at=at,
        centre_id=agreement.centre_id,
        service_id=agreement.service_id,
        holder_id=holder.pk,
        card_id=row.pk,
    )
    return pair


@transaction.atomic
def register_remote_pair(
    *, holder: Holder, agreement: Agreement, certificates: Mapping[str, bytes], at: datetime
) -> Pair:
    """Store remote-signature certificates: known to the register, never renewed by the card client (renewal guide)."""
    return _store_pair(holder, agreement, certificates, at, medium=Medium.REMOTE, card=None)


def _store_pair(
    holder: Holder,
    agreement: Agreement,
    certificates: Mapping[str, bytes],
    at: datetime,
    *,
    medium: Medium,
    card: Card | None,
) -> Pair:
    pair = Pair.objects.create(
        medium=medium,
        card=card,
        holder=holder,
        agreement=agreement,
        centre_id=agreement.centre_id,
        service_id=agreement.service_id,
        created_at=at,
    )
    rows = [_store_certificate(pair, type_, der, at) for type_, der in sorted(certificates.items())]
    if medium == Medium.CARD:
        earliest = min(row.not_after for row in rows)
        pair.window_opens_at = policy.months_before(earliest, agreement.service.window_months)
        pair.save(update_fields=["window_opens_at"])
    return pair


def _store_certificate(pair: Pair, type_: str, der: bytes, at: datetime) -> Certificate:
    try:
        facts = x509.read_certificate(der)
        x509.require_issued_by(der, pinned_issuers())
    except PkiError as error:
        raise CertificateNotOurs from error
    # A renewed card may return an old key in an import; then the key is simply known already.
    KnownKey.objects.get_or_create(spki_sha256=facts.spki_sha256.hex(), defaults={"origin": "import", "seen_at": at})
    return store_certificate(pair, type_, facts, status=CertificateStatus.ACTIVE, proven_at=at)


def store_certificate(
    pair: Pair, type_: str, facts: x509.CertificateFacts, *, status: CertificateStatus, proven_at: datetime | None
) -> Certificate:
    """Store one half of a pair and its bytes."""
    certificate = Certificate.objects.create(
        pair=pair,
        type=type_,
        serial=f"{facts.serial:x}",
        issuer_key_id=facts.issuer_key_id.hex(),
        fingerprint=facts.fingerprint.hex(),
        spki_sha256=facts.spki_sha256.hex(),
        key_kind=facts.key_kind,
        key_bits=facts.key_bits,
        not_before=facts.not_before,
        not_after=facts.not_after,
        status=status,
        proven_at=proven_at,
    )
    CertificateBody.objects.create(certificate=certificate, der=facts.der)
    return certificate


def pinned_issuer_of(certificate: Certificate) -> tuple[bytes, ...]:
    """The chain of a certificate up to, without, the root: its pinned issuer."""
    issuer = Issuer.objects.filter(key_id=certificate.issuer_key_id).values_list("certificate", flat=True).first()
    return (bytes(issuer),) if issuer else ()
