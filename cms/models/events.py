"""The event trail: audit log and *Ricerca Eventi* in one append-only table."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from cms.fsm import append_only
from cms.models.organisations import Centre, Service
from cms.states import Channel, Outcome


class Event(models.Model):
    """Something that happened, for ever. Holds ids, never names or tax codes, so that erasure leaves it intact."""

    verb = models.CharField("evento", max_length=48)
    at = models.DateTimeField("data e ora")
    recorded_at = models.DateTimeField("registrato", auto_now_add=True)
    actor_kind = models.CharField("attore", max_length=16)
    actor_id = models.BigIntegerField(null=True, blank=True)
    channel = models.CharField("canale evento", max_length=16, choices=Channel.choices)
    outcome = models.CharField("esito", max_length=16, choices=Outcome.choices, default=Outcome.DONE)
    # No index of their own: those below begin with both, and a weak one would be taken instead.
    centre = models.ForeignKey(Centre, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    service = models.ForeignKey(Service, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    case_code = models.CharField("id pratica", max_length=16, blank=True)
    holder_id = models.BigIntegerField(null=True, blank=True)
    card_id = models.BigIntegerField(null=True, blank=True)
    certificate_id = models.BigIntegerField(null=True, blank=True)
    reason = models.CharField("motivo", max_length=300, blank=True)
    new_not_after = models.DateTimeField("nuova scadenza", null=True, blank=True)
    facts = models.JSONField("dati", default=dict)

    class Meta:
        verbose_name = "evento"
        verbose_name_plural = "Ricerca eventi"
        triggers: ClassVar = append_only("event")
        indexes: ClassVar = [
            models.Index(fields=["case_code", "id"], condition=~Q(case_code=""), name="event_by_case"),
            models.Index(fields=["card_id", "id"], name="event_by_card"),
            # Lists run by the instant: a span of days is one range of each index, also where a filter is rare.
            models.Index(fields=["centre", "service", "-at", "-id"], name="event_by_scope_and_time"),
            models.Index(fields=["centre", "service", "verb", "-at", "-id"], name="event_by_verb"),
            models.Index(fields=["centre", "service", "channel", "-at", "-id"], name="event_by_channel"),
            models.Index(
                fields=["centre", "service", "outcome", "-at", "-id"],
                condition=~Q(outcome=Outcome.DONE),
                name="event_not_done",
            ),
            models.Index(fields=["holder_id", "id"], name="event_by_holder"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(channel__in=Channel.values), name="event_channel_known"),
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="event_outcome_known"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.case_code}".strip()


class EventSeal(models.Model):
    """One link of the audit chain: event `seq` of the chain, and the digest over it and the link before.

    A table of its own, because events are append-only and are sealed after they were committed. Digest:
    `cms.services.seals`. One sealer at a time writes here.
    """

    seq = models.BigIntegerField(primary_key=True)
    event = models.OneToOneField(Event, models.PROTECT, related_name="seal")
    digest = models.CharField("sigillo", max_length=64)
    sealed_at = models.DateTimeField("sigillato il")

    class Meta:
        verbose_name = "sigillo"
        verbose_name_plural = "sigilli"
        triggers: ClassVar = append_only("event_seal")

    def __str__(self) -> str:
        return f"{self.seq} {self.digest[:16]}"


class SealCheck(models.Model):
    """The whole chain was read and compared: up to which seal, and how much did not hold (`verify_events`)."""

    at = models.DateTimeField("verificato il")
    seq = models.BigIntegerField("ultimo sigillo")
    digest = models.CharField("sigillo", max_length=64)
    findings = models.PositiveIntegerField("anomalie", default=0)

    class Meta:
        verbose_name = "verifica dei sigilli"
        verbose_name_plural = "verifiche dei sigilli"
        triggers: ClassVar = append_only("seal_check")

    def __str__(self) -> str:
        return f"{self.seq} {self.findings}"
