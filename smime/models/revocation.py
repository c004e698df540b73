"""Revocation lists of the CAs on trusted lists, as they were published: public documents, kept as evidence."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from cms.fsm import append_only
from runtime.claims import Claimable


class RevocationSource(Claimable):
    """Where a CA of a trusted list publishes one. Due while somebody's signature waits for a fresh one.

    Addresses come only from certificates that chain to a listed service, or from the folder of trusted lists.
    """

    address = models.CharField(max_length=500, unique=True)
    wanted_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)  # when it was last had; its newest list may be an old one
    last_error = models.CharField(max_length=40, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(next_attempt_at__isnull=False),
                name="smime_crl_source_due",
            ),
        ]

    def __str__(self) -> str:
        return self.address


class RevocationList(models.Model):
    """One published list. Its signature is verified by every validation that uses it, never taken for granted."""

    source = models.ForeignKey(RevocationSource, models.PROTECT, related_name="lists")
    issuer_sha256 = models.CharField(max_length=64)  # of the CA's name, DER
    sha256 = models.CharField(max_length=64)
    der = models.BinaryField()
    this_update_at = models.DateTimeField()
    next_update_at = models.DateTimeField()
    fetched_at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = append_only("smime_revocation_list")
        indexes: ClassVar = [
            models.Index(fields=["issuer_sha256", "-this_update_at"], name="smime_crl_by_issuer"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "sha256"], name="one_revocation_list_per_content"),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} {self.this_update_at:%Y-%m-%d %H:%M}"
