"""The CAs, their signing keys (sealed) and their delegated OCSP signers."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.lookups import Exact

from authority.models.fields import octets
from authority.states import Role
from pki.assembly import SignatureAlgorithm

KEY_ID_OCTETS = 20  # RFC 5280 §4.2.1.2 method (1)


class SigningKey(models.Model):
    """A private key, encrypted by `runtime.sealing` under a context that names it. Only its sealing may be renewed."""

    key_identifier = models.BinaryField(unique=True, max_length=KEY_ID_OCTETS)
    algorithm = models.CharField(max_length=32, choices=[(each.value, each.value) for each in SignatureAlgorithm])
    spki = models.BinaryField()
    sealed = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        """Neither altered nor deleted."""

        constraints = (
            models.CheckConstraint(
                condition=Q(algorithm__in=[each.value for each in SignatureAlgorithm]), name="signing_key_algorithm"
            ),
            models.CheckConstraint(
                condition=Exact(octets("key_identifier"), models.Value(KEY_ID_OCTETS)), name="signing_key_id_size"
            ),
        )
        triggers = (
            pgtrigger.ReadOnly(name="signing_key_fixed", exclude=["sealed"]),
            pgtrigger.Protect(name="signing_key_kept", operation=pgtrigger.Delete),
        )

    def __str__(self) -> str:
        """Name the key by its identifier, never by its content."""
        return f"{self.algorithm} {bytes(self.key_identifier).hex()}"

    @property
    def sealing_context(self) -> str:
        """What the sealed key is bound to: a sealed blob put on another row does not open."""
        return f"authority.signing-key:{bytes(self.key_identifier).hex()}"


class CertificationAuthority(models.Model):
    """One CA. Its addresses are fixed at the ceremony, because every certificate carries them."""

    role = models.CharField(max_length=16, choices=Role.choices, unique=True)
    issuer = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="subordinates")
    key = models.OneToOneField(SigningKey, on_delete=models.PROTECT, related_name="authority")
    key_identifier = models.BinaryField(unique=True, max_length=KEY_ID_OCTETS)
    certificate = models.BinaryField()
    base_url = models.CharField(max_length=200)
    not_before = models.DateTimeField()
    not_after = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        """Fixed once the ceremony is over."""

        verbose_name_plural = "certification authorities"
        constraints = (
            models.CheckConstraint(condition=Q(role__in=Role.values), name="authority_role"),
            models.CheckConstraint(
                condition=Q(role=Role.ROOT, issuer__isnull=True) | (~Q(role=Role.ROOT) & Q(issuer__isnull=False)),
                name="authority_root_has_no_issuer",
            ),
            models.CheckConstraint(
                condition=Q(not_before__lt=models.F("not_after")), name="authority_validity_in_order"
            ),
        )
        triggers = (pgtrigger.Protect(name="authority_fixed", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        """Name the CA by its role."""
        return str(self.role)

    @property
    def ca_url(self) -> str:
        """Address of this CA's certificate (caIssuers)."""
        return f"{self.base_url}/ca/{self.role}.crt"

    @property
    def ocsp_url(self) -> str:
        """Address of the OCSP responder for what this CA issues."""
        return f"{self.base_url}/ocsp/{self.role}"

    def crl_url(self, year: int | None) -> str:
        """Address of the complete CRL, or of the shard of one issuing year."""
        return f"{self.base_url}/crl/{self.role}.crl" if year is None else f"{self.base_url}/crl/{self.role}/{year}.crl"


class OcspSigner(models.Model):
    """A delegated OCSP responder certificate (RFC 6960 §4.2.2.2) of one CA; the newest valid one signs."""

    authority = models.ForeignKey(CertificationAuthority, on_delete=models.PROTECT, related_name="ocsp_signers")
    key = models.OneToOneField(SigningKey, on_delete=models.PROTECT, related_name="ocsp_signer")
    certificate = models.BinaryField()
    not_before = models.DateTimeField()
    not_after = models.DateTimeField()

    class Meta:
        """Fixed; a new one is added beside it."""

        constraints = (
            models.CheckConstraint(condition=Q(not_before__lt=models.F("not_after")), name="ocsp_signer_in_order"),
        )
        triggers = (pgtrigger.Protect(name="ocsp_signer_fixed", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        """Name the signer by its CA."""
        return f"OCSP {self.authority_id}"
