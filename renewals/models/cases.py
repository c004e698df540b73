"""Renewal cases: two machines on one row, and what the clock does to it next."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.functional import cached_property
from django_fsm import transition

from cms.fsm import StateField, StatefulModel, transition_trigger
from cms.models import Agreement, Campaign, Card, Centre, Certificate, Holder, Pair, Service
from cms.states import RENEWING, ApprovalMode, Channel, Flow
from renewals.flows import POLICIES
from renewals.states import (
    OPEN_STATES,
    UNAUTHORISED,
    Authorisation,
    CaseState,
    Due,
    Notice,
)

STATE_MOVES = {
    (CaseState.NOTIFIED, CaseState.AWAITING_INSTALLATION),
    (CaseState.AWAITING_INSTALLATION, CaseState.COMPLETED),
    (CaseState.NOTIFIED, CaseState.EXPIRED),
    (CaseState.AWAITING_INSTALLATION, CaseState.EXPIRED),
    (CaseState.NOTIFIED, CaseState.CANCELLED),
    (CaseState.AWAITING_INSTALLATION, CaseState.CANCELLED),
    (CaseState.COMPLETED, CaseState.EXPIRED),
}
AUTHORISATION_MOVES = {
    (Authorisation.UNDECIDED, Authorisation.NOT_REQUIRED),
    (Authorisation.UNDECIDED, Authorisation.PENDING),
    (Authorisation.PENDING, Authorisation.APPROVED),
    (Authorisation.PENDING, Authorisation.REFUSED),
    (Authorisation.REFUSED, Authorisation.APPROVED),
}
_DECIDED = [Authorisation.APPROVED, Authorisation.REFUSED]


class RenewalCase(StatefulModel):
    """One renewal of one pair. Two machines on one row: `state` (how far) and `authorisation` (is it approved).

    `due_kind`/`due_at` hold the next automatic action, `notice_kind`/`notice_at` the next reminder or warning to the
    holder, `noticed_at` when the last one was posted; every write of the facts they depend on stores them again.
    """

    code = models.CharField("id pratica", max_length=16, unique=True)
    old_pair = models.ForeignKey(Pair, models.PROTECT, related_name="cases", verbose_name="coppia in scadenza")
    new_pair = models.OneToOneField(
        Pair, models.PROTECT, null=True, blank=True, related_name="born_in", verbose_name="nuova coppia"
    )
    # No index of their own: every index of cases below begins with one of them, and a weak one would be taken instead.
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="cases", verbose_name="titolare", db_index=False)
    card = models.ForeignKey(Card, models.PROTECT, related_name="cases", verbose_name="carta")
    centre = models.ForeignKey(Centre, models.PROTECT, related_name="cases", verbose_name="CDRL", db_index=False)
    service = models.ForeignKey(Service, models.PROTECT, related_name="cases", verbose_name="servizio", db_index=False)
    issuing_service = models.ForeignKey(Service, models.PROTECT, related_name="+", verbose_name="servizio di emissione")
    agreement = models.ForeignKey(Agreement, models.PROTECT, related_name="cases", verbose_name="accordo")
    flow = models.CharField("flusso", max_length=16, choices=[(flow.value, flow.label) for flow in RENEWING])
    # Of extensions only: whose dates and stock this case has.
    campaign = models.ForeignKey(
        Campaign, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="campagna"
    )
    state = StateField("stato", max_length=24, choices=CaseState.choices, default=CaseState.NOTIFIED)
    authorisation = StateField(
        "autorizzazione", max_length=16, choices=Authorisation.choices, default=Authorisation.UNDECIDED
    )
    approval_mode = models.CharField("modalità", max_length=16, choices=ApprovalMode.choices, blank=True)
    refusal_suspends_at_once = models.BooleanField(default=False)
    old_not_after = models.DateTimeField("scadenza precedente")
    opened_at = models.DateTimeField("aperta il")
    opened_through = models.CharField("aperta da", max_length=16, choices=Channel.choices, default=Channel.AUTOMATIC)
    diagnosed_at = models.DateTimeField("diagnostica", null=True, blank=True)
    contacts_confirmed_at = models.DateTimeField("recapiti confermati", null=True, blank=True)
    pending_contacts = models.JSONField(null=True, blank=True)
    key_nonce = models.CharField(max_length=64, blank=True)
    signed_at = models.DateTimeField("firmata il", null=True, blank=True)
    completed_at = models.DateTimeField("completata il", null=True, blank=True)
    closed_at = models.DateTimeField("chiusa il", null=True, blank=True)
    close_reason = models.CharField("motivo di chiusura", max_length=200, blank=True)
    # What the holder says is wrong with his data, for the centre alone: no event and no mail repeats it.
    close_note = models.CharField("nota del titolare", max_length=300, blank=True, db_default="")
    decided_by = models.BigIntegerField("deciso da", null=True, blank=True)
    decided_at = models.DateTimeField("deciso il", null=True, blank=True)
    decision_reason = models.CharField("motivo della decisione", max_length=300, blank=True)
    suspended_at = models.DateTimeField("sospesa il", null=True, blank=True)
    urged_at = models.DateTimeField("sollecitata il", null=True, blank=True)
    reopens = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="reopened_as", verbose_name="riapre la pratica"
    )
    withdrawn_at = models.DateTimeField("certificati revocati", null=True, blank=True)
    due_kind = models.CharField("prossima azione automatica", max_length=12, choices=Due.choices, blank=True)
    due_at = models.DateTimeField("il", null=True, blank=True)
    notice_kind = models.CharField("prossimo avviso", max_length=20, choices=Notice.choices, blank=True)
    notice_at = models.DateTimeField("avviso il", null=True, blank=True)
    noticed_at = models.DateTimeField("ultimo avviso", null=True, blank=True)

    class Meta:
        verbose_name = "pratica di rinnovo"
        verbose_name_plural = "Gestione rinnovi"
        triggers: ClassVar = [
            transition_trigger("case_state_moves", "state", STATE_MOVES),
            transition_trigger("case_authorisation_moves", "authorisation", AUTHORISATION_MOVES),
            pgtrigger.Protect(name="case_kept", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="case_starts_notified",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__state__df=CaseState.NOTIFIED.value),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_kind", "due_at"], condition=Q(due_at__isnull=False), name="case_by_due"),
            models.Index(fields=["notice_at"], condition=Q(notice_at__isnull=False), name="case_by_notice"),
            models.Index(fields=["service", "centre", "state", "-id"], name="case_by_scope_and_state"),
            models.Index(fields=["service", "centre", "-id"], name="case_by_scope"),
            models.Index(
                fields=["service", "centre", "authorisation", "state", "-id"], name="case_by_scope_and_answer"
            ),
            models.Index(
                fields=["holder", "service", "centre"], include=["state", "authorisation"], name="case_by_holder"
            ),
            models.Index(
                fields=["service", "centre", "due_kind", "due_at"],
                condition=Q(due_at__isnull=False),
                name="case_by_scope_and_due",
            ),
            models.Index(
                fields=["service", "centre", "old_not_after"],
                condition=Q(authorisation=Authorisation.PENDING),
                name="case_to_authorise",
            ),
            models.Index(fields=["service", "centre", "state", "old_not_after"], name="case_by_scope_and_week"),
            models.Index(
                fields=["service", "centre", "urged_at"],
                condition=Q(authorisation=Authorisation.PENDING, urged_at__isnull=False),
                name="case_urged",
            ),
            models.Index(
                fields=["service", "centre", "opened_through", "-id"],
                condition=~Q(opened_through=Channel.AUTOMATIC),
                name="case_by_scope_and_channel",
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(opened_through__in=Channel.values), name="case_channel_known"),
            models.UniqueConstraint(
                fields=["old_pair"], condition=Q(state__in=OPEN_STATES), name="one_open_case_per_pair"
            ),
            models.CheckConstraint(condition=Q(state__in=CaseState.values), name="case_state_known"),
            models.CheckConstraint(
                condition=Q(authorisation__in=Authorisation.values), name="case_authorisation_known"
            ),
            models.CheckConstraint(
                condition=~Q(authorisation__in=_DECIDED) | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="decision_has_decider",
            ),
            models.CheckConstraint(
                condition=~Q(authorisation=Authorisation.REFUSED) | ~Q(decision_reason=""),
                name="refusal_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(authorisation=Authorisation.UNDECIDED) | Q(signed_at__isnull=False),
                name="authorisation_needs_signature",
            ),
            models.CheckConstraint(
                condition=Q(signed_at__isnull=True) | ~Q(approval_mode=""), name="signed_case_has_mode"
            ),
            models.CheckConstraint(
                condition=~Q(state=CaseState.COMPLETED) | Q(completed_at__isnull=False, new_pair__isnull=False),
                name="completed_case_has_pair",
            ),
            models.CheckConstraint(
                condition=Q(due_kind="", due_at__isnull=True) | (~Q(due_kind="") & Q(due_at__isnull=False)),
                name="due_kind_and_instant_together",
            ),
            models.CheckConstraint(
                condition=Q(notice_kind="", notice_at__isnull=True) | (~Q(notice_kind="") & Q(notice_at__isnull=False)),
                name="notice_kind_and_instant_together",
            ),
            models.CheckConstraint(
                condition=Q(flow=Flow.ENROLL, campaign__isnull=True) | Q(flow=Flow.EXTEND, campaign__isnull=False),
                name="extension_has_campaign",
            ),
            models.CheckConstraint(
                condition=Q(suspended_at__isnull=True) | Q(suspended_at__gte=F("completed_at")),
                name="suspension_follows_completion",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @cached_property
    def old_halves(self) -> list[Certificate]:
        """Certificates in renewal, authentication first; read once per loaded case: who locks anew reads anew.

        An extension leaves the pair's other half as it is.
        """
        return list(self.old_pair.certificates.filter(type__in=POLICIES[self.flow].types).order_by("type"))

    @property
    def types(self) -> list[str]:
        """What the issuing service issues of what the flow renews: slots at the card, units of the stock."""
        return [type_ for type_ in self.issuing_service.types if type_ in POLICIES[self.flow].types]

    @property
    def is_open(self) -> bool:
        """Whether the holder can still go on with it."""
        return self.state in OPEN_STATES

    @property
    def is_concluded(self) -> bool:
        """Completed with nothing left to authorise (rules.md R1)."""
        return self.state == CaseState.COMPLETED and self.authorisation not in UNAUTHORISED

    @property
    def waits_for_approval(self) -> bool:
        """Completed, working, and to be suspended at the old expiry unless approved."""
        return self.state == CaseState.COMPLETED and self.authorisation in UNAUTHORISED

    @transition(state, source=CaseState.NOTIFIED, target=CaseState.AWAITING_INSTALLATION)
    def sign(self, *, at: datetime, mode: ApprovalMode, refusal_suspends_at_once: bool) -> None:
        """The form is signed; the agreement's mode is copied, so that later agreements do not move this case."""
        self.signed_at, self.approval_mode = at, mode
        self.refusal_suspends_at_once = refusal_suspends_at_once

    @transition(state, source=CaseState.AWAITING_INSTALLATION, target=CaseState.COMPLETED)
    def complete(self, *, at: datetime) -> None:
        """Each new key has proven to be on the card."""
        self.completed_at = at

    @transition(state, source=list(OPEN_STATES), target=CaseState.EXPIRED)
    def expire(self, *, at: datetime) -> None:
        """The old certificate has expired before the new ones were installed."""
        self.closed_at, self.close_reason = at, "old-certificate-expired"

    @transition(state, source=list(OPEN_STATES), target=CaseState.CANCELLED)
    def cancel(self, *, at: datetime, reason: str, note: str = "") -> None:
        """Stopped by operator or holder, or refused, before installation."""
        self.closed_at, self.close_reason, self.close_note = at, reason, note

    @transition(state, source=CaseState.COMPLETED, target=CaseState.EXPIRED)
    def lapse(self, *, at: datetime) -> None:
        """Day 121 of a suspension for missing approval: the certificates are revoked for good."""
        self.closed_at, self.close_reason = at, "approval-lapsed"

    @transition(authorisation, source=Authorisation.UNDECIDED, target=Authorisation.NOT_REQUIRED)
    def skip_authorisation(self) -> None:
        """The agreement is automatic."""

    @transition(authorisation, source=Authorisation.UNDECIDED, target=Authorisation.PENDING)
    def ask_authorisation(self) -> None:
        """The agreement wants the centre's authorisation."""

    @transition(authorisation, source=list(UNAUTHORISED), target=Authorisation.APPROVED)
    def approve(self, *, by: int, at: datetime) -> None:
        """The centre authorises."""
        self.decided_by, self.decided_at, self.decision_reason = by, at, ""

    @transition(authorisation, source=Authorisation.PENDING, target=Authorisation.REFUSED)
    def refuse(self, *, by: int, at: datetime, reason: str) -> None:
        """The centre does not authorise."""
        self.decided_by, self.decided_at, self.decision_reason = by, at, reason
