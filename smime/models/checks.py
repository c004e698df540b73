"""The checks of an order, what they rest on, and who has decided."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q
from django_fsm import transition

from cms.fsm import StateField, StatefulModel, append_only, transition_trigger
from smime.models.orders import Order
from smime.states import CheckKind, CheckState, ConsentDecision, IdentityPath, LinkPurpose

_LIVE = [CheckState.TODO, CheckState.WAITING_CUSTOMER, CheckState.WAITING_THIRD_PARTY, CheckState.IN_REVIEW]
_ALL = list(CheckState)
CHECK_MOVES = {
    (source, target)
    for target, sources in {
        CheckState.TODO: _ALL,
        CheckState.WAITING_CUSTOMER: [*_LIVE, CheckState.FAILED],
        CheckState.WAITING_THIRD_PARTY: [*_LIVE, CheckState.FAILED],
        CheckState.IN_REVIEW: [*_LIVE, CheckState.FAILED],
        CheckState.PASSED: _LIVE,
        CheckState.FAILED: _LIVE,
    }.items()
    for source in sources
    if source != target
}


class Check(StatefulModel):
    """One thing to prove. `round` grows when it must be proven anew (data changed, too old): older links are void.

    `valid_until` ends the evidence's reuse; whether it still counts is asked again at issuance, under lock.
    `waiting_since` and `due_at` are what the status page and the officers' queue show.
    """

    order = models.ForeignKey(Order, models.PROTECT, related_name="checks")
    kind = models.CharField(max_length=16, choices=CheckKind.choices)
    state = StateField(max_length=24, choices=CheckState.choices, default=CheckState.TODO)
    round = models.PositiveSmallIntegerField(default=1)
    path = models.CharField(max_length=12, choices=IdentityPath.choices, blank=True)
    method = models.CharField(max_length=64, blank=True)  # SBR section and version that the proof was made under
    waiting_since = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    passed_at = models.DateTimeField(null=True, blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(
        max_length=300, blank=True
    )  # of a failure or a request for papers, as the customer reads it
    decided_by = models.BigIntegerField(null=True, blank=True)
    held_by = models.BigIntegerField(null=True, blank=True)  # the officer who has it on his desk
    held_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "verifica S/MIME"
        verbose_name_plural = "Verifiche S/MIME"
        triggers: ClassVar = [
            transition_trigger("smime_check_moves", "state", CHECK_MOVES),
            pgtrigger.Protect(name="smime_check_kept", operation=pgtrigger.Delete),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["kind", "waiting_since"],
                condition=Q(state=CheckState.IN_REVIEW),
                name="smime_check_in_review",
            ),
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="smime_check_by_due"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "kind"], name="one_check_per_order_and_kind"),
            models.CheckConstraint(condition=Q(kind__in=CheckKind.values), name="smime_check_kind_known"),
            models.CheckConstraint(condition=Q(state__in=CheckState.values), name="smime_check_state_known"),
            models.CheckConstraint(
                condition=~Q(state=CheckState.PASSED) | Q(passed_at__isnull=False, valid_until__isnull=False),
                name="passed_smime_check_has_its_span",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"

    @transition(state, source=_ALL, target=CheckState.TODO)
    def restart(self) -> None:
        """What it rests on has changed or grown too old; links of the round before are void."""
        self.round += 1
        self.passed_at = self.valid_until = self.due_at = self.waiting_since = self.decided_by = None
        self.reason = self.method = ""

    @transition(state, source=[*_LIVE, CheckState.FAILED], target=CheckState.WAITING_CUSTOMER)
    def ask_customer(self, *, at: datetime, due_at: datetime | None = None, reason: str = "") -> None:
        """Buyer, recipient or contact has to do something, until `due_at` where there is an end."""
        self.waiting_since, self.due_at, self.reason = at, due_at, reason

    @transition(state, source=[*_LIVE, CheckState.FAILED], target=CheckState.WAITING_THIRD_PARTY)
    def ask_third_party(self, *, at: datetime, due_at: datetime | None = None) -> None:
        """A provider, a scanner or a list has to answer."""
        self.waiting_since, self.due_at = at, due_at

    @transition(state, source=[*_LIVE, CheckState.FAILED], target=CheckState.IN_REVIEW)
    def review(self, *, at: datetime, due_at: datetime | None = None) -> None:
        """An officer has to look."""
        self.waiting_since, self.due_at = at, due_at

    @transition(state, source=_LIVE, target=CheckState.PASSED)
    def accept(self, *, at: datetime, valid_until: datetime, under: str, by: int | None = None) -> None:
        """Proven until `valid_until`, under a method of the requirements (`method` is the FSM library's own word)."""
        self.passed_at, self.valid_until, self.method, self.decided_by = at, valid_until, under, by
        self.due_at = None

    @transition(state, source=_LIVE, target=CheckState.FAILED)
    def refuse(self, *, at: datetime, reason: str, by: int | None = None) -> None:
        """Not proven; `reason` is what the customer reads."""
        self.waiting_since, self.due_at, self.reason, self.decided_by = at, None, reason, by


class MailedLink(models.Model):
    """A link in a mail: only the hash of its value is stored, so nobody of the house can show or use it (SBR 3.2.2.2).

    At least 128 random bits, new in every mail. GET shows a page, POST uses it: scanners that open links change
    nothing. `browser_sha256` binds a download to the browser that opened the link first.
    """

    order = models.ForeignKey(Order, models.PROTECT, related_name="links")
    purpose = models.CharField(max_length=16, choices=LinkPurpose.choices)
    round = models.PositiveSmallIntegerField(default=1)
    token_sha256 = models.CharField(max_length=64, unique=True)
    sent_to = models.CharField(max_length=254)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    used_from = models.GenericIPAddressField(null=True, blank=True)
    browser_sha256 = models.CharField(max_length=64, blank=True)
    attempt_id = models.BigIntegerField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["order", "purpose", "-id"], name="smime_link_by_order")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(purpose__in=LinkPurpose.values), name="smime_link_purpose_known"),
            models.CheckConstraint(condition=Q(expires_at__gt=models.F("created_at")), name="smime_link_ends_later"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.pk}"


class Consent(models.Model):
    """What the recipient answered about his biometric data (GDPR art. 9): text version and hash, typed confirmation."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="consents")
    decision = models.CharField(max_length=12, choices=ConsentDecision.choices)
    version = models.CharField(max_length=16)
    sha256 = models.CharField(max_length=64)
    typed = models.CharField(max_length=140, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = append_only("smime_consent")

    def __str__(self) -> str:
        return self.decision


class Finding(models.Model):
    """What an officer found out about a check: source, independent contact, call-back, outcome (SBR 3.2.3, 5.4.1)."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    check_row = models.ForeignKey(Check, models.PROTECT, related_name="findings")
    round = models.PositiveSmallIntegerField()
    officer_id = models.BigIntegerField()
    at = models.DateTimeField()
    outcome = models.CharField(max_length=12)  # accepted | refused | papers | note
    source = models.CharField(max_length=120, blank=True)
    reference = models.CharField(max_length=120, blank=True)
    contact = models.CharField(max_length=120, blank=True)
    contact_source = models.CharField(max_length=120, blank=True)
    called_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.CharField(max_length=120, blank=True)
    facts = models.JSONField(default=dict)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        triggers: ClassVar = append_only("smime_finding")

    def __str__(self) -> str:
        return f"{self.outcome} {self.pk}"


_SECOND_PERSON = """
    IF EXISTS (
        SELECT FROM smime_check proven JOIN smime_order asked ON asked.id = proven.order_id
        WHERE proven.order_id = NEW.order_id AND proven.decided_by = NEW.officer_id
            AND asked.validation IN ('ov', 'sv')
    ) THEN
        RAISE EXCEPTION 'an officer who has decided a check does not approve the order'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'smime_approval_second_person';
    END IF;
    RETURN NEW;
"""


class Approval(models.Model):
    """The last word before issuance. For OV and SV never of an officer who has decided one of the checks."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="approvals")
    officer_id = models.BigIntegerField(null=True, blank=True)  # none: no person is asked for this type
    at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = [
            *append_only("smime_approval"),
            pgtrigger.Trigger(
                name="smime_approval_second_person",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=_SECOND_PERSON,
            ),
        ]

    def __str__(self) -> str:
        return str(self.order_id)


class IssuanceLook(models.Model):
    """One look at CAA right before signing (RFC 9495): which names were asked, what was found, and the decision."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="caa_looks")
    at = models.DateTimeField()
    domain = models.CharField(max_length=253)
    found_at = models.CharField(max_length=253, blank=True)
    records = models.JSONField(default=list)
    secure = models.BooleanField(default=False)
    allowed = models.BooleanField()
    code = models.CharField(max_length=40)
    expires_at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = append_only("smime_caa_look")

    def __str__(self) -> str:
        return f"{self.domain} {self.code}"
