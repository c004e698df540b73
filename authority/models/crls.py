"""CRLs: the newest one of each distribution point, and the changes that none of them shows yet."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q

from authority.models.authorities import CertificationAuthority

PART_BITS = 14
"""A list's entries are kept in parts, each of 2^14 neighbouring numbers of the ledger: a change rewrites one part."""


class Crl(models.Model):
    """The newest CRL of one distribution point: an issuer's complete list (`year` empty) or one issuing year's shard.

    A CRL is published by the commit that writes it here: `head`, the entries of all `parts`, `tail`. `number` 0 means
    that none was published yet.
    """

    issuer = models.ForeignKey(CertificationAuthority, on_delete=models.PROTECT, related_name="crls")
    year = models.PositiveSmallIntegerField(null=True)
    number = models.BigIntegerField(default=0)
    this_update = models.DateTimeField(null=True)
    next_update = models.DateTimeField(null=True)
    head = models.BinaryField(default=b"")
    tail = models.BinaryField(default=b"")
    sha256 = models.BinaryField(default=b"")

    class Meta:
        """A number never goes backwards, and new content has a new number (RFC 5280 §5.2.3)."""

        constraints = (
            models.UniqueConstraint(fields=["issuer", "year"], nulls_distinct=False, name="crl_one_per_shard"),
            models.CheckConstraint(
                condition=Q(number=0, this_update__isnull=True, next_update__isnull=True)
                | Q(number__gt=0, this_update__lt=models.F("next_update")),
                name="crl_published_has_its_dates",
            ),
        )
        triggers = (
            pgtrigger.Protect(name="crl_kept", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="crl_identity_fixed", fields=["issuer", "year"]),
            pgtrigger.Protect(
                name="crl_number_only_grows",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    'NEW."number" < OLD."number" OR NEW."this_update" < OLD."this_update"'
                    ' OR (NEW."sha256" IS DISTINCT FROM OLD."sha256" AND NEW."number" = OLD."number")'
                ),
            ),
        )

    def __str__(self) -> str:
        """Name the distribution point."""
        return f"{self.issuer_id}/{self.year or 'complete'} #{self.number}"


class CrlPart(models.Model):
    """Entries of a CRL, as published: those of the certificates whose ledger numbers begin with `number`."""

    crl = models.ForeignKey(Crl, on_delete=models.CASCADE, related_name="parts", db_index=False)
    number = models.BigIntegerField()
    count = models.IntegerField()
    entries = models.BinaryField()

    class Meta:
        """One row for each part of a list."""

        constraints = (models.UniqueConstraint(fields=["crl", "number"], name="crl_part_once"),)

    def __str__(self) -> str:
        """Name the list and the part."""
        return f"{self.crl_id}.{self.number}"


class UnpublishedChange(models.Model):
    """A mark that a CRL misses a change. Only inserted and taken away, never updated: changes do not wait in line.

    A flag on the CRL's row would either make all changes queue for that row, or lose the change that commits while
    the publisher clears the flag. Without `part` the mark concerns all of the list.
    """

    crl = models.ForeignKey(Crl, on_delete=models.CASCADE, related_name="unpublished")
    part = models.BigIntegerField(null=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        """Name the CRL that is out of date."""
        return f"{self.crl_id} since {self.at:%Y-%m-%dT%H:%M:%SZ}"
