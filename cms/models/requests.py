"""What is asked of the certification authority, and revocations that wait for a second person."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from cms.models.certificates import Certificate, Pair
from cms.models.organisations import Centre, Service
from cms.states import HALVES, ProposalState, RequestKind, RequestState, RevocationCause
from runtime.claims import Claimable


class CaRequest(Claimable):
    """What we want of the CA, stored before it is asked (ADR 3). `uid` is the request id that the CA sees.

    Requests of one certificate are carried out in the order of `id`. `natural_key` makes a repeated wish one wish.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    natural_key = models.CharField(max_length=80, unique=True)
    kind = models.CharField("tipo", max_length=8, choices=RequestKind.choices)
    state = models.CharField("stato", max_length=12, choices=RequestState.choices, default=RequestState.PLANNED)
    centre = models.ForeignKey(Centre, models.PROTECT, related_name="+")
    service = models.ForeignKey(Service, models.PROTECT, related_name="+")
    pair = models.ForeignKey(Pair, models.PROTECT, related_name="ca_requests")
    certificate = models.ForeignKey(Certificate, models.PROTECT, null=True, blank=True, related_name="ca_requests")
    type = models.CharField(max_length=16, choices=[(type_.value, type_.label) for type_ in HALVES], blank=True)
    profile = models.CharField(max_length=32, blank=True)
    subject = models.JSONField(default=dict)
    spki_sha256 = models.CharField(max_length=64, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    not_after = models.DateTimeField(null=True, blank=True)
    cause = models.CharField(max_length=24, blank=True)
    case_code = models.CharField(max_length=16, blank=True)
    announcement = models.JSONField(null=True, blank=True)
    asked_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = "richiesta alla CA"
        verbose_name_plural = "richieste alla CA"
        indexes: ClassVar = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(state__in=[RequestState.PLANNED, RequestState.SENT]),
                name="ca_request_due",
            ),
            models.Index(
                fields=["certificate", "id"],
                condition=Q(state__in=[RequestState.PLANNED, RequestState.SENT]),
                name="ca_request_open_by_cert",
            ),
            models.Index(fields=["case_code"], condition=~Q(case_code=""), name="ca_request_by_case"),
            models.Index(
                fields=["service", "centre", "settled_at"],
                condition=Q(state=RequestState.REFUSED),
                name="ca_request_refused",
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=RequestKind.values), name="ca_request_kind_known"),
            models.CheckConstraint(condition=Q(state__in=RequestState.values), name="ca_request_state_known"),
            models.CheckConstraint(
                condition=Q(kind=RequestKind.ISSUE, not_after__isnull=False)
                | (~Q(kind=RequestKind.ISSUE) & Q(certificate__isnull=False)),
                name="ca_request_names_its_object",
            ),
            models.UniqueConstraint(
                fields=["pair", "type"],
                condition=Q(kind=RequestKind.ISSUE) & ~Q(state__in=[RequestState.CANCELLED, RequestState.REFUSED]),
                name="one_issue_per_pair_and_type",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.natural_key}"

    @property
    def is_open(self) -> bool:
        """Whether the CA still has to be asked or to answer."""
        return self.state in {RequestState.PLANNED, RequestState.SENT}


class CaRequestBody(models.Model):
    """The CSR (DER) of an issue request, apart from the row that workers claim."""

    request = models.OneToOneField(CaRequest, models.CASCADE, primary_key=True, related_name="body")
    csr = models.BinaryField()

    def __str__(self) -> str:
        return str(self.pk)


class RevocationProposal(models.Model):
    """A revocation that one person wants and a second must confirm, where the agreement asks for four eyes.

    `certificate_ids` are the halves of `pair` that were chosen; the cause comes from the closed table (rules.md R12).
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    pair = models.ForeignKey(Pair, models.PROTECT, related_name="revocation_proposals", verbose_name="coppia")
    centre = models.ForeignKey(Centre, models.PROTECT, related_name="+", verbose_name="CDRL")
    service = models.ForeignKey(Service, models.PROTECT, related_name="+", verbose_name="servizio")
    certificate_ids = ArrayField(models.BigIntegerField(), verbose_name="certificati")
    cause = models.CharField("causa", max_length=24, choices=RevocationCause.choices)
    note = models.CharField("nota", max_length=300, blank=True)
    state = models.CharField("stato", max_length=12, choices=ProposalState.choices, default=ProposalState.WAITING)
    proposed_by = models.BigIntegerField("proposta da")
    proposed_at = models.DateTimeField("proposta il")
    decided_by = models.BigIntegerField("decisa da", null=True, blank=True)
    decided_at = models.DateTimeField("decisa il", null=True, blank=True)

    class Meta:
        verbose_name = "proposta di revoca"
        verbose_name_plural = "proposte di revoca"
        indexes: ClassVar = [
            models.Index(
                fields=["service", "centre", "id"],
                condition=Q(state=ProposalState.WAITING),
                name="proposal_waiting",
            )
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=ProposalState.values), name="proposal_state_known"),
            models.UniqueConstraint(
                fields=["pair"], condition=Q(state=ProposalState.WAITING), name="one_waiting_proposal_per_pair"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("proposed_by")) | Q(state="withdrawn"),
                name="proposal_has_two_persons",
            ),
            models.CheckConstraint(
                condition=Q(state=ProposalState.WAITING, decided_by__isnull=True)
                | (~Q(state=ProposalState.WAITING) & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="decided_proposal_names_who",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()} {self.pair_id}"
