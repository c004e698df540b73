"""Requests for help that a card client opens, and what operators answer."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q
from django_fsm import transition

from cms.fsm import StateField, StatefulModel, append_only, transition_trigger
from cms.models import Centre, Holder, Service
from renewals.models.cases import RenewalCase
from renewals.states import SupportState

SUPPORT_MOVES = {
    (SupportState.OPEN, SupportState.ASSIGNED),
    (SupportState.OPEN, SupportState.CLOSED),
    (SupportState.ASSIGNED, SupportState.CLOSED),
    (SupportState.CLOSED, SupportState.ASSIGNED),
}


class SupportRequest(StatefulModel):
    """A holder could not go on and asks for help: which case, which card, which code, and his own words.

    `request_id` comes from the client: sent twice, it is one request. Where a session names the case (`is_proven`),
    holder, centre and service come from it; without one they come from the card's serial, where the register knows it,
    and `email` is the address that was given. Without a centre the request belongs to the provider.
    """

    number = models.CharField("numero", max_length=16, unique=True)
    request_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    content_sha256 = models.CharField(max_length=64, default="", editable=False)
    case = models.ForeignKey(
        RenewalCase, models.PROTECT, null=True, blank=True, related_name="support_requests", verbose_name="pratica"
    )
    centre = models.ForeignKey(Centre, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="CDRL")
    service = models.ForeignKey(
        Service, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="servizio"
    )
    holder = models.ForeignKey(Holder, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="titolare")
    is_proven = models.BooleanField("aperta con la carta", default=False)
    card_serial = models.CharField("carta", max_length=32, blank=True)
    family = models.CharField("famiglia", max_length=16, blank=True)
    code = models.CharField("codice", max_length=64)  # of the client or the office: docs/error-codes.md
    step = models.CharField("passo", max_length=32, blank=True)
    message = models.TextField("messaggio", blank=True)
    email = models.EmailField("email", max_length=254, blank=True)
    language = models.CharField("lingua", max_length=2, default="it")
    client = models.CharField("programma", max_length=40, blank=True)
    system = models.CharField("sistema", max_length=80, blank=True)
    reader = models.CharField("lettore", max_length=120, blank=True)
    driver = models.CharField("driver", max_length=120, blank=True)
    opened_at = models.DateTimeField("aperta il")
    state = StateField("stato", max_length=12, choices=SupportState.choices, default=SupportState.OPEN)
    assigned_to = models.BigIntegerField("assegnata a", null=True, blank=True)
    assigned_at = models.DateTimeField("assegnata il", null=True, blank=True)
    answered_at = models.DateTimeField("ultima risposta", null=True, blank=True)
    closed_by = models.BigIntegerField("chiusa da", null=True, blank=True)
    closed_at = models.DateTimeField("chiusa il", null=True, blank=True)

    class Meta:
        verbose_name = "richiesta di supporto"
        verbose_name_plural = "Richieste di supporto"
        triggers: ClassVar = [
            transition_trigger("support_state_moves", "state", SUPPORT_MOVES),
            pgtrigger.Protect(name="support_request_kept", operation=pgtrigger.Delete),
        ]
        indexes: ClassVar = [
            models.Index(fields=["service", "centre", "state", "-id"], name="support_by_scope_and_state"),
            models.Index(fields=["closed_at"], condition=Q(closed_at__isnull=False), name="support_by_closing"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=SupportState.values), name="support_state_known"),
            models.CheckConstraint(
                condition=~Q(state=SupportState.ASSIGNED) | Q(assigned_to__isnull=False, assigned_at__isnull=False),
                name="assigned_support_names_who",
            ),
            models.CheckConstraint(
                condition=~Q(state=SupportState.CLOSED) | Q(closed_at__isnull=False), name="closed_support_says_when"
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something."""
        return SupportState(self.state) != SupportState.CLOSED

    @transition(state, source=[SupportState.OPEN], target=SupportState.ASSIGNED)
    def assign(self, *, to: int, at: datetime) -> None:
        """Somebody has it from now on."""
        self.assigned_to, self.assigned_at = to, at

    @transition(state, source=[SupportState.OPEN, SupportState.ASSIGNED], target=SupportState.CLOSED)
    def close(self, *, by: int, at: datetime) -> None:
        """Nothing is left to do; the log's last days begin."""
        self.closed_by, self.closed_at = by, at

    @transition(state, source=[SupportState.CLOSED], target=SupportState.ASSIGNED)
    def reopen(self, *, by: int, at: datetime) -> None:
        """It was not over; whoever opens it again has it."""
        self.closed_by = self.closed_at = None
        self.assigned_to, self.assigned_at = by, at


class SupportLog(models.Model):
    """The client's log that the holder chose to send along; beside the request, and deleted some time after its end."""

    request = models.OneToOneField(SupportRequest, models.CASCADE, primary_key=True, related_name="log")
    text = models.TextField()

    def __str__(self) -> str:
        return str(self.pk)


class SupportAnswer(models.Model):
    """What an operator wrote to the holder; it went out as a mail, once per answer."""

    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(SupportRequest, models.PROTECT, related_name="answers")
    author_id = models.BigIntegerField()
    text = models.TextField()
    at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = append_only("support_answer")

    def __str__(self) -> str:
        return str(self.uid)
