"""Bringing cards and their certificates into the register (import; moves no stock)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import Min

from cms import events, policy
from cms.actors import IMPORTER, Actor
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


@dataclass(frozen=True, slots=True)
class NewCard:
    """A card to be registered: its holder and its installed certificates (type to DER)."""

    card: CardData
    holder: Holder
    certificates: Mapping[str, bytes]


def register_card(
    card: CardData, *, holder: Holder, agreement: Agreement, certificates: Mapping[str, bytes], at: datetime
) -> Pair:
    """Store a card with its installed certificates (type to DER), each checked against its pinned issuer."""
    (pair,) = register_cards([NewCard(card, holder, certificates)], agreement=agreement, actor=IMPORTER, at=at)
    return pair


@transaction.atomic
def register_cards(
    news: Sequence[NewCard], *, agreement: Agreement, actor: Actor = IMPORTER, at: datetime
) -> list[Pair]:
    """Store many cards in as many statements as one takes; all or none, pairs in the same order."""
    cards = Card.objects.bulk_create(_card_row(new) for new in news)
    pairs = [_pair_row(new.holder, agreement, at, card) for new, card in zip(news, cards, strict=True)]
    _store_pairs(pairs, [new.certificates for new in news], at)
    events.record_many(
        [
            events.built(
                "card.registered",
                actor=actor,
                at=at,
                centre_id=agreement.centre_id,
                service_id=agreement.service_id,
                holder_id=pair.holder_id,
                card_id=pair.card_id,
            )
            for pair in pairs
        ]
    )
    return pairs


@transaction.atomic
def register_remote_pair(
    *, holder: Holder, agreement: Agreement, certificates: Mapping[str, bytes], at: datetime
) -> Pair:
    """Store remote-signature certificates: known to the register, never renewed by the card client (renewal guide)."""
    pair = _pair_row(holder, agreement, at, None)
    _store_pairs([pair], [certificates], at)
    return pair


def _card_row(new: NewCard) -> Card:
    data = new.card
    return Card(
        serial=data.serial,
        family=data.family,
        holder=new.holder,
        first_issued_on=data.first_issued_on,
        activated_on=data.activated_on,
        expires_on=data.expires_on,
    )


def _pair_row(holder: Holder, agreement: Agreement, at: datetime, card: Card | None) -> Pair:
    return Pair(
        medium=Medium.REMOTE if card is None else Medium.CARD,
        card=card,
        holder=holder,
        agreement=agreement,
        centre_id=agreement.centre_id,
        service=agreement.service,
        created_at=at,
    )


def _store_pairs(pairs: list[Pair], certificates: Sequence[Mapping[str, bytes]], at: datetime) -> None:
    """Store pairs with their halves. A pair on a card can be renewed: its window opens before its earliest end."""
    issuers = pinned_issuers()
    read = [{type_: _facts(der, issuers) for type_, der in sorted(halves.items())} for halves in certificates]
    for pair, halves in zip(pairs, read, strict=True):
        if pair.card is not None:
            earliest = min(facts.not_after for facts in halves.values())
            pair.window_opens_at = policy.window_opens_at(pair.service, earliest)
    Pair.objects.bulk_create(pairs)
    # A renewed card may return an old key in an import; then the key is simply known already.
    keys = {facts.spki_sha256.hex() for halves in read for facts in halves.values()}
    seen = [KnownKey(spki_sha256=key, origin="import", seen_at=at) for key in sorted(keys)]
    KnownKey.objects.bulk_create(seen, ignore_conflicts=True)
    rows = [
        (certificate_row(pair, type_, facts, status=CertificateStatus.ACTIVE, proven_at=at), facts)
        for pair, halves in zip(pairs, read, strict=True)
        for type_, facts in halves.items()
    ]
    Certificate.objects.bulk_create(row for row, _ in rows)
    CertificateBody.objects.bulk_create(CertificateBody(certificate=row, der=facts.der) for row, facts in rows)


def expect_windows(pair_ids: Collection[int]) -> None:
    """Have the sweep of windows look at reactivated pairs: it passes over one that is held, and does not come back.

    A pair that has its case already, or can have none, is looked at once more for nothing.
    """
    pairs = Pair.objects.filter(pk__in=pair_ids, card__isnull=False, window_opens_at__isnull=True)
    for pair in pairs.annotate(earliest=Min("certificates__not_after")).select_related("service").order_by("pk"):
        opens_at = policy.window_opens_at(pair.service, pair.earliest)
        Pair.objects.filter(pk=pair.pk).update(window_opens_at=opens_at)


def _facts(der: bytes, issuers: list[bytes]) -> x509.CertificateFacts:
    try:
        return x509.read_issued_certificate(der, issuers)
    except PkiError as error:
        raise CertificateNotOurs from error


def store_certificate(
    pair: Pair, type_: str, facts: x509.CertificateFacts, *, status: CertificateStatus, proven_at: datetime | None
) -> Certificate:
    """Store one half of a pair and its bytes."""
    certificate = certificate_row(pair, type_, facts, status=status, proven_at=proven_at)
    certificate.save()
    CertificateBody.objects.create(certificate=certificate, der=facts.der)
    return certificate


def certificate_row(
    pair: Pair, type_: str, facts: x509.CertificateFacts, *, status: CertificateStatus, proven_at: datetime | None
) -> Certificate:
    """Build one half of a pair as the register knows it, not yet stored."""
    return Certificate(
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


def pinned_issuer_of(certificate: Certificate) -> tuple[bytes, ...]:
    """The chain of a certificate up to, without, the root: its pinned issuer."""
    issuer = Issuer.objects.filter(key_id=certificate.issuer_key_id).values_list("certificate", flat=True).first()
    return (bytes(issuer),) if issuer else ()
