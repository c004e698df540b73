"""Extension campaigns: to which fixed day whose cards are extended, until when, and out of which stock."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from cms.models.certificates import CardFamily
from cms.models.organisations import Service


class Campaign(models.Model):
    """One extension of the authentication certificates of a service to a fixed day (SogeiExtend guide, domain 3.20).

    `cutoff_on` is about the **card's** own expiry, inclusive; `target_on` is the day whose last second in Italy the new
    certificate ends with. `issuing_service` is another service than the one extended where the campaign has a stock of
    its own. Days count in Italy, both ends included; without `closes_on` a campaign ends with its target.
    """

    code = models.SlugField("codice", max_length=64, unique=True)
    name = models.CharField("nome", max_length=120, unique=True)
    service = models.ForeignKey(Service, models.PROTECT, related_name="campaigns", verbose_name="servizio da estendere")
    issuing_service = models.ForeignKey(
        Service, models.PROTECT, related_name="issuing_campaigns", verbose_name="servizio di emissione"
    )
    opens_on = models.DateField("dal")
    closes_on = models.DateField("al", null=True, blank=True)
    cutoff_on = models.DateField("scadenza carta entro")
    target_on = models.DateField("estensione fino al")
    is_listed = models.BooleanField("solo chi è in elenco", default=False)
    families = models.ManyToManyField(CardFamily, blank=True, related_name="campaigns", verbose_name="famiglie")

    class Meta:
        verbose_name = "campagna di estensione"
        verbose_name_plural = "campagne di estensione"
        ordering = ("-target_on", "code")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(closes_on__isnull=True) | Q(closes_on__gte=F("opens_on")),
                name="campaign_closes_after_opening",
            ),
            models.CheckConstraint(condition=Q(target_on__gte=F("opens_on")), name="campaign_reaches_beyond_opening"),
        ]

    def __str__(self) -> str:
        return self.name


class CampaignEntry(models.Model):
    """Who or what a listed campaign is for: a codice fiscale (all the person's cards) or one card's serial."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="entries")
    tax_code = models.CharField("codice fiscale", max_length=16, blank=True)
    card_serial = models.CharField("seriale", max_length=32, blank=True)

    class Meta:
        verbose_name = "voce dell'elenco"
        verbose_name_plural = "elenco"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=(Q(tax_code="") & ~Q(card_serial="")) | (~Q(tax_code="") & Q(card_serial="")),
                name="campaign_entry_names_one",
            ),
            models.UniqueConstraint(
                fields=["campaign", "tax_code"], condition=~Q(tax_code=""), name="one_campaign_entry_per_person"
            ),
            models.UniqueConstraint(
                fields=["campaign", "card_serial"], condition=~Q(card_serial=""), name="one_campaign_entry_per_card"
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
