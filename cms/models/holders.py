"""Holders (titolari): one person by codice fiscale; who may see the person follows from a registration."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from cms.models.organisations import Centre


class Holder(models.Model):
    """A natural person. E-mail and mobile belong to one person in the whole register (rules.md R19).

    `email_key` and `mobile` are normalised (`cms.contacts`); uniqueness is theirs. The *codice utente* is kept as hash.
    """

    tax_code = models.CharField("codice fiscale", max_length=16, unique=True)
    given_name = models.CharField("nome", max_length=64)
    surname = models.CharField("cognome", max_length=64)
    email = models.EmailField("e-mail", null=True, blank=True)  # noqa: DJ001 - unknown is not empty: uniqueness
    email_key = models.CharField(max_length=254, null=True, blank=True, unique=True, editable=False)
    mobile = models.CharField("cellulare", max_length=16, null=True, blank=True, unique=True)
    street = models.CharField("indirizzo", max_length=120, blank=True)
    postcode = models.CharField("CAP", max_length=10, blank=True)
    town = models.CharField("comune", max_length=80, blank=True)
    province = models.CharField("provincia", max_length=40, blank=True)
    language = models.CharField("lingua", max_length=5, default="it")
    user_code_hash = models.CharField(max_length=256, blank=True, editable=False)
    user_code_set_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "titolare"
        verbose_name_plural = "titolari"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(
                    tax_code__regex=r"^[A-Z]{6}[0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]$"
                ),
                name="holder_tax_code_shape",
            ),
            models.CheckConstraint(
                condition=Q(mobile__isnull=True) | Q(mobile__regex=r"^\+[0-9]{6,15}$"), name="holder_mobile_e164"
            ),
            models.CheckConstraint(
                condition=Q(email__isnull=True, email_key__isnull=True)
                | Q(email__isnull=False, email_key__isnull=False),
                name="holder_email_has_key",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.surname} {self.given_name}"

    @property
    def full_name(self) -> str:
        """Given name and surname, as letters address a person."""
        return f"{self.given_name} {self.surname}"


class Registration(models.Model):
    """A centre knows a holder; without this row the centre sees nothing of the person."""

    holder = models.ForeignKey(Holder, models.PROTECT, related_name="registrations")
    centre = models.ForeignKey(Centre, models.PROTECT, related_name="registrations")
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = "registrazione"
        verbose_name_plural = "registrazioni"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["holder", "centre"], name="one_registration_per_holder_and_centre")
        ]

    def __str__(self) -> str:
        return f"{self.holder} · {self.centre}"


class HolderWord(models.Model):
    """A word by which a centre finds a holder it has registered: surname, given name, codice fiscale, folded.

    Kept by triggers (migration 0003): rows follow `Registration` and the holder's names. Prefix search reads one index
    range and stops at its bound, however large the register is.
    """

    centre = models.ForeignKey(Centre, models.PROTECT, related_name="+")
    word = models.CharField(max_length=64)
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "parola"
        verbose_name_plural = "parole"
        indexes: ClassVar = [
            models.Index(
                fields=["centre", "word", "holder"],
                opclasses=["int8_ops", "text_pattern_ops", "int8_ops"],
                name="holder_by_word",
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)
