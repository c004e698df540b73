"""S/MIME certificates, what is asked of the CA for them, and the short life of keys that we make."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar, Self

import pgtrigger
from django.db import models
from django.db.models import Q
from django_fsm import transition

from cms.fsm import StateField, StatefulModel, append_only, transition_trigger
from runtime.claims import Claimable
from smime.models.orders import Order
from smime.states import (
    BundleFormat,
    CaOrderKind,
    CaOrderState,
    CertificateStatus,
    RevocationGround,
)

STATUS_MOVES = {
    (CertificateStatus.ACTIVE, CertificateStatus.HELD),
    (CertificateStatus.HELD, CertificateStatus.ACTIVE),
    (CertificateStatus.ACTIVE, CertificateStatus.REVOKED),
    (CertificateStatus.HELD, CertificateStatus.REVOKED),
}


class CertificateQuerySet(models.QuerySet["SmimeCertificate"]):
    """Certificates, and those among them that count."""

    def handed_over(self) -> Self:
        """Leave out those that the CA made otherwise than asked or whose key is gone: nobody was given them."""
        in_vain = CaOrder.objects.filter(kind=CaOrderKind.ISSUE, state=CaOrderState.REFUSED, certificate__isnull=False)
        return self.exclude(pk__in=in_vain.values("certificate"))


class SmimeCertificate(StatefulModel):
    """A certificate of an order; a reissue adds the next `edition`. Strict ones are never held (SBR 4.9.13)."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="certificates")
    edition = models.PositiveSmallIntegerField()
    serial = models.CharField("numero di serie", max_length=40)
    issuer_key_id = models.CharField(max_length=64)
    fingerprint = models.CharField("impronta SHA-256", max_length=64, unique=True)
    spki_sha256 = models.CharField(max_length=64, unique=True)
    der = models.BinaryField()
    chain = models.JSONField(default=list)  # base64 of the chain's certificates, without the root
    lint = models.JSONField(default=dict)  # linter, version, findings, SHA-256 of the to-be-signed bytes
    not_before = models.DateTimeField("valido dal")
    not_after = models.DateTimeField("valido fino al")
    status = StateField("stato", max_length=12, choices=CertificateStatus.choices, default=CertificateStatus.ACTIVE)
    issued_at = models.DateTimeField("emesso il")
    held_at = models.DateTimeField("sospeso dal", null=True, blank=True)
    revoked_at = models.DateTimeField("revocato il", null=True, blank=True)
    ground = models.CharField("motivo", max_length=24, choices=RevocationGround.choices, blank=True)

    objects = CertificateQuerySet.as_manager()

    class Meta:
        verbose_name = "certificato S/MIME"
        verbose_name_plural = "certificati S/MIME"
        triggers: ClassVar = [
            transition_trigger("smime_certificate_moves", "status", STATUS_MOVES),
            pgtrigger.Protect(name="smime_certificate_kept", operation=pgtrigger.Delete),
        ]
        indexes: ClassVar = [models.Index(fields=["not_after"], name="smime_certificate_by_expiry")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "edition"], name="one_smime_certificate_per_edition"),
            models.UniqueConstraint(fields=["issuer_key_id", "serial"], name="one_smime_certificate_per_serial"),
            models.CheckConstraint(
                condition=Q(status__in=CertificateStatus.values), name="smime_certificate_status_known"
            ),
            models.CheckConstraint(
                condition=(Q(status=CertificateStatus.REVOKED, revoked_at__isnull=False) & ~Q(ground=""))
                | (~Q(status=CertificateStatus.REVOKED) & Q(revoked_at__isnull=True)),
                name="revoked_smime_certificate_says_why",
            ),
        ]

    def __str__(self) -> str:
        return self.serial

    @transition(status, source=CertificateStatus.ACTIVE, target=CertificateStatus.HELD)
    def hold(self, *, at: datetime) -> None:
        """The CA has suspended it."""
        self.held_at = at

    @transition(status, source=CertificateStatus.HELD, target=CertificateStatus.ACTIVE)
    def release(self) -> None:
        """The CA has lifted the suspension."""
        self.held_at = None

    @transition(status, source=[CertificateStatus.ACTIVE, CertificateStatus.HELD], target=CertificateStatus.REVOKED)
    def revoke(self, *, at: datetime, ground: str) -> None:
        """The CA has revoked it, for good."""
        self.revoked_at, self.ground = at, ground


class CaOrder(Claimable):
    """What is asked of the CA, stored before it is asked; `uid` is the request id that the CA sees (ADR 3)."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    natural_key = models.CharField(max_length=80, unique=True)  # issue:<order>:<edition>, revoke:<certificate>
    kind = models.CharField(max_length=8, choices=CaOrderKind.choices)
    state = models.CharField(max_length=12, choices=CaOrderState.choices, default=CaOrderState.PLANNED)
    order = models.ForeignKey(Order, models.PROTECT, related_name="ca_orders")
    edition = models.PositiveSmallIntegerField()
    certificate = models.ForeignKey(SmimeCertificate, models.PROTECT, null=True, blank=True, related_name="ca_orders")
    csr = models.BinaryField(null=True, blank=True)
    subject = models.JSONField(default=dict)
    not_before = models.DateTimeField(null=True, blank=True)
    not_after = models.DateTimeField(null=True, blank=True)
    ground = models.CharField(max_length=24, choices=RevocationGround.choices, blank=True)
    asked_at = models.DateTimeField()
    due_by = models.DateTimeField(null=True, blank=True)  # 24 hours or 5 days after the request (SBR 4.9.1.1)
    settled_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = "richiesta alla CA (S/MIME)"
        verbose_name_plural = "richieste alla CA (S/MIME)"
        indexes: ClassVar = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(state__in=[CaOrderState.PLANNED, CaOrderState.SENT]),
                name="smime_ca_order_due",
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=CaOrderKind.values), name="smime_ca_order_kind_known"),
            models.CheckConstraint(condition=Q(state__in=CaOrderState.values), name="smime_ca_order_state_known"),
            models.CheckConstraint(
                condition=Q(kind=CaOrderKind.ISSUE) | Q(certificate__isnull=False),
                name="smime_ca_order_names_its_object",
            ),
        ]

    def __str__(self) -> str:
        return self.natural_key


class KeyVault(models.Model):
    """A private key between its making and its .p12, sealed the moment it exists; a repeat after a crash uses the same.

    Deleted in the transaction that stores the bundle, and where the order dies.
    """

    order = models.ForeignKey(Order, models.CASCADE, related_name="vault")
    edition = models.PositiveSmallIntegerField()
    spki_sha256 = models.CharField(max_length=64)
    sealed = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["order", "edition"], name="one_key_per_edition")]

    def __str__(self) -> str:
        return f"{self.order_id}.{self.edition}"

    @property
    def sealing_context(self) -> str:
        """What the sealed key is bound to."""
        return f"smime.key:{self.order_id}.{self.edition}"


class KeyBundle(models.Model):
    """A .p12 to be downloaded, sealed once more at rest. Its password was mailed and is nowhere here.

    Destroyed (`sealed` emptied) after its days or downloads, or by `Elimina ora`; the row stays as the record.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    certificate = models.OneToOneField(SmimeCertificate, models.PROTECT, related_name="bundle")
    format = models.CharField(max_length=12, choices=BundleFormat.choices)
    sealed = models.BinaryField(null=True, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    most_downloads = models.PositiveSmallIntegerField()
    downloads = models.PositiveSmallIntegerField(default=0)
    saved_at = models.DateTimeField(null=True, blank=True)  # the customer ticked that he keeps a copy
    destroyed_at = models.DateTimeField(null=True, blank=True)
    destroyed_because = models.CharField(max_length=24, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["expires_at"], condition=Q(destroyed_at__isnull=True), name="smime_bundle_by_end"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(destroyed_at__isnull=True, sealed__isnull=False)
                | Q(destroyed_at__isnull=False, sealed__isnull=True),
                name="destroyed_bundle_is_empty",
            ),
            models.CheckConstraint(
                condition=Q(downloads__lte=models.F("most_downloads")), name="bundle_downloads_are_counted"
            ),
        ]

    def __str__(self) -> str:
        return str(self.uid)

    @property
    def sealing_context(self) -> str:
        """What the sealed file is bound to."""
        return f"smime.bundle:{self.uid}"


class BundleDownload(models.Model):
    """One download of a .p12: who, how he had proven himself, from where."""

    bundle = models.ForeignKey(KeyBundle, models.PROTECT, related_name="deliveries")
    at = models.DateTimeField()
    actor_id = models.BigIntegerField(null=True, blank=True)
    proof = models.CharField(max_length=16)  # passkey | totp | code | link
    address = models.GenericIPAddressField(null=True, blank=True)

    class Meta:
        triggers: ClassVar = append_only("smime_bundle_download")

    def __str__(self) -> str:
        return f"{self.bundle_id} {self.at:%Y-%m-%d}"


class DownloadCode(models.Model):
    """A six-digit code to the buyer's own mailbox: the second element of who has neither passkey nor app. Hash only."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="download_codes")
    user_id = models.BigIntegerField()
    code_sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["order", "user_id", "-id"], name="smime_code_by_order")]
        triggers: ClassVar = [pgtrigger.Protect(name="smime_code_kept", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return str(self.pk)
