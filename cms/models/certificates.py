"""Cards, pairs, certificates and their holds."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q
from django_fsm import transition

from cms.fsm import StateField, StatefulModel, transition_trigger
from cms.models.holders import Holder
from cms.models.organisations import Agreement, Centre, Service
from cms.states import (
    HALVES,
    CertificateStatus,
    HoldCause,
    Medium,
    RevocationCause,
)


class CardFamily(models.Model):
    """A card family (*sigla*): which codes it asks, until when its chip is certified, how small its old keys may be.

    `replaces`: a renewal deletes the old keys (True), keeps them (False), or as the flow has it (None).
    """

    code = models.CharField("sigla", max_length=16, unique=True)
    name = models.CharField("nome", max_length=80)
    atrs = models.JSONField("ATR", default=list)
    asks_puk = models.BooleanField("chiede il PUK", default=False)
    reinsert_after = models.BooleanField("reinserire dopo il rinnovo", default=False)
    smallest_old_rsa = models.PositiveIntegerField("RSA minimo delle vecchie chiavi", default=2048)
    certified_until = models.DateField("chip certificato fino al", null=True, blank=True)
    renewable = models.BooleanField("rinnovabile", default=True)
    # A family that is known and not renewed says why, to the holder.
    refusal = models.CharField("perché no", max_length=200, blank=True)
    replaces = models.BooleanField("sostituisce le chiavi", null=True, blank=True)
    renewable_until = models.DateField("rinnovabile fino al", null=True, blank=True)
    max_renewals = models.PositiveSmallIntegerField("rinnovi al massimo", null=True, blank=True)
    driver = models.CharField("driver", max_length=80, blank=True)
    driver_address = models.URLField("dove si scarica il driver", max_length=200, blank=True)
    management_tool = models.CharField("programma di gestione", max_length=80, blank=True)

    class Meta:
        verbose_name = "famiglia di carte"
        verbose_name_plural = "famiglie di carte"
        ordering = ("code",)

    def __str__(self) -> str:
        return self.code


class Card(models.Model):
    """A smart card in a holder's hands."""

    serial = models.CharField("seriale", max_length=32, unique=True)
    family = models.ForeignKey(CardFamily, models.PROTECT, verbose_name="famiglia")
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="cards", verbose_name="titolare")
    first_issued_on = models.DateField("prima emissione")
    activated_on = models.DateField("attivata il", null=True, blank=True)
    expires_on = models.DateField("scadenza carta", null=True, blank=True)

    class Meta:
        verbose_name = "carta"
        verbose_name_plural = "carte"

    def __str__(self) -> str:
        return self.serial


class Issuer(models.Model):
    """An issuing CA that the register accepts, pinned by its certificate; a look-alike name is no issuer."""

    key_id = models.CharField(max_length=64, unique=True)
    certificate = models.BinaryField()
    active = models.BooleanField(default=True)

    class Meta:
        verbose_name = "CA emittente"
        verbose_name_plural = "CA emittenti"

    def __str__(self) -> str:
        return self.key_id


class Pair(models.Model):
    """One or two certificates made together on one card under one agreement: the unit of renewal cases."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    medium = models.CharField(max_length=8, choices=Medium.choices, default=Medium.CARD)
    card = models.ForeignKey(Card, models.PROTECT, null=True, blank=True, related_name="pairs", verbose_name="carta")
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="pairs", verbose_name="titolare")
    agreement = models.ForeignKey(Agreement, models.PROTECT, related_name="pairs", verbose_name="accordo")
    # No index of their own: those below begin with them, and a weak one would be taken instead.
    centre = models.ForeignKey(Centre, models.PROTECT, related_name="pairs", verbose_name="CDRL", db_index=False)
    service = models.ForeignKey(Service, models.PROTECT, related_name="pairs", verbose_name="servizio", db_index=False)
    predecessor = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="successor", verbose_name="coppia precedente"
    )
    window_opens_at = models.DateTimeField("apertura rinnovo", null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = "coppia"
        verbose_name_plural = "Certificati"
        indexes: ClassVar = [
            models.Index(fields=["window_opens_at"], condition=Q(window_opens_at__isnull=False), name="pair_by_window"),
            models.Index(
                fields=["service", "centre", "window_opens_at"],
                condition=Q(window_opens_at__isnull=False),
                name="pair_by_scope_and_window",
            ),
            models.Index(fields=["centre", "service", "-id"], name="pair_by_scope"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(medium=Medium.CARD, card__isnull=False) | Q(medium=Medium.REMOTE, card__isnull=True),
                name="card_pair_has_card",
            )
        ]

    def __str__(self) -> str:
        return f"{self.card or self.medium} · {self.service}"


STATUS_MOVES = {
    (CertificateStatus.ISSUED, CertificateStatus.ACTIVE),
    (CertificateStatus.ISSUED, CertificateStatus.REVOKED),
    (CertificateStatus.ACTIVE, CertificateStatus.HELD),
    (CertificateStatus.ACTIVE, CertificateStatus.REVOKED),
    (CertificateStatus.HELD, CertificateStatus.ACTIVE),
    (CertificateStatus.HELD, CertificateStatus.REVOKED),
}


class Certificate(StatefulModel):
    """One half of a pair, as the register knows it. Bytes live in `CertificateBody`."""

    pair = models.ForeignKey(Pair, models.PROTECT, related_name="certificates", verbose_name="coppia")
    type = models.CharField("tipo", max_length=16, choices=[(type_.value, type_.label) for type_ in HALVES])
    serial = models.CharField("numero di serie", max_length=40)
    issuer_key_id = models.CharField(max_length=64)
    fingerprint = models.CharField("impronta SHA-256", max_length=64, unique=True)
    spki_sha256 = models.CharField(max_length=64)
    key_kind = models.CharField(max_length=4)
    key_bits = models.PositiveIntegerField()
    not_before = models.DateTimeField("valido dal")
    not_after = models.DateTimeField("valido fino al")
    status = StateField("stato", max_length=16, choices=CertificateStatus.choices, default=CertificateStatus.ISSUED)
    proven_at = models.DateTimeField("installazione provata", null=True, blank=True)
    held_at = models.DateTimeField("sospeso dal", null=True, blank=True)
    revoked_at = models.DateTimeField("revocato il", null=True, blank=True)
    revocation_cause = models.CharField(max_length=24, choices=RevocationCause.choices, blank=True)

    class Meta:
        verbose_name = "certificato"
        verbose_name_plural = "certificati"
        triggers: ClassVar = [
            transition_trigger("certificate_status_moves", "status", STATUS_MOVES),
            pgtrigger.Protect(name="certificate_kept", operation=pgtrigger.Delete),
        ]
        indexes: ClassVar = [
            models.Index(fields=["serial"], name="certificate_by_serial"),
            models.Index(fields=["not_after"], name="certificate_by_expiry"),
            models.Index(
                fields=["status", "pair"],
                condition=~Q(status=CertificateStatus.ACTIVE),
                name="certificate_not_active",
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["pair", "type"], name="one_certificate_per_pair_and_type"),
            models.UniqueConstraint(fields=["issuer_key_id", "serial"], name="one_certificate_per_issuer_and_serial"),
            models.CheckConstraint(condition=Q(status__in=CertificateStatus.values), name="certificate_status_known"),
            models.CheckConstraint(
                condition=Q(type__in=[type_.value for type_ in HALVES]), name="certificate_type_known"
            ),
            models.CheckConstraint(
                condition=(Q(status=CertificateStatus.REVOKED, revoked_at__isnull=False) & ~Q(revocation_cause=""))
                | (~Q(status=CertificateStatus.REVOKED) & Q(revoked_at__isnull=True)),
                name="revoked_certificate_has_date_and_cause",
            ),
            models.CheckConstraint(
                condition=~Q(status=CertificateStatus.HELD) | Q(held_at__isnull=False), name="held_certificate_has_date"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_type_display()} {self.serial}"

    @transition(status, source=CertificateStatus.ISSUED, target=CertificateStatus.ACTIVE)
    def activate(self, *, at: datetime) -> None:
        """The card has proven that it holds the key."""
        self.proven_at = at

    @transition(status, source=CertificateStatus.ACTIVE, target=CertificateStatus.HELD)
    def hold(self, *, at: datetime) -> None:
        """The CA has suspended it."""
        self.held_at = at

    @transition(status, source=CertificateStatus.HELD, target=CertificateStatus.ACTIVE)
    def release(self) -> None:
        """The CA has lifted the suspension."""
        self.held_at = None

    @transition(
        status,
        source=[CertificateStatus.ISSUED, CertificateStatus.ACTIVE, CertificateStatus.HELD],
        target=CertificateStatus.REVOKED,
    )
    def revoke(self, *, at: datetime, cause: RevocationCause) -> None:
        """The CA has revoked it, for good."""
        self.revoked_at, self.revocation_cause = at, cause


class CertificateBody(models.Model):
    """The DER bytes of a certificate, apart from the row that sweeps touch."""

    certificate = models.OneToOneField(Certificate, models.PROTECT, primary_key=True, related_name="body")
    der = models.BinaryField()

    def __str__(self) -> str:
        return str(self.pk)


class KnownKey(models.Model):
    """Every public key ever seen, across all time and cards: a new key must not be here."""

    spki_sha256 = models.CharField(max_length=64, primary_key=True)
    origin = models.CharField(max_length=64)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.spki_sha256[:16]


class Hold(models.Model):
    """One cause of suspension. Lifting ends its count; putting it again starts a new one (rules.md R9).

    `notice_at`: when the holder is next warned of the revocation; a missing approval leaves that to its case.
    """

    certificate = models.ForeignKey(Certificate, models.PROTECT, related_name="holds")
    cause = models.CharField("causa", max_length=24, choices=HoldCause.choices)
    placed_at = models.DateTimeField("dal")
    placed_by = models.BigIntegerField(null=True, blank=True)
    lapses_at = models.DateTimeField("revoca dal")
    lifted_at = models.DateTimeField("rimossa il", null=True, blank=True)
    lifted_by = models.BigIntegerField(null=True, blank=True)
    ended_at = models.DateTimeField("conclusa il", null=True, blank=True)
    notice_at = models.DateTimeField("prossimo avviso", null=True, blank=True)
    noticed_at = models.DateTimeField("ultimo avviso", null=True, blank=True)

    class Meta:
        verbose_name = "sospensione"
        verbose_name_plural = "sospensioni"
        indexes: ClassVar = [
            models.Index(
                fields=["lapses_at"],
                condition=Q(lifted_at__isnull=True, ended_at__isnull=True),
                name="hold_by_lapse",
            ),
            models.Index(
                fields=["notice_at"],
                condition=Q(lifted_at__isnull=True, ended_at__isnull=True, notice_at__isnull=False),
                name="hold_by_notice",
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["certificate", "cause"],
                condition=Q(lifted_at__isnull=True, ended_at__isnull=True),
                name="one_standing_hold_per_cause",
            ),
            models.CheckConstraint(condition=Q(cause__in=HoldCause.values), name="hold_cause_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_cause_display()} {self.placed_at:%Y-%m-%d}"


def facts_of(certificate: Certificate) -> dict[str, Any]:
    """What an event may say about a certificate: ids and dates, nothing of the person."""
    return {"type": certificate.type, "serial": certificate.serial, "not_after": certificate.not_after.isoformat()}
