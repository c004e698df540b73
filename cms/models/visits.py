"""Holders at their own pages: how they came in, links to their mailbox, wrong codes. Tokens are kept as digests."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from cms.models.holders import Holder
from cms.states import LinkPurpose, VisitKind


class CodeAttempts(models.Model):
    """Wrong *codici utente* in a row for one codice fiscale, known to the register or not: both are counted alike.

    `subject` is a keyed digest of the codice fiscale. `closed_at`: ten in a row have closed the code path, until a link
    to the registered mailbox or an operator opens it again. In PostgreSQL, so that losing Redis gives no new tries.
    `holder_id`: whose code was tried, where the register knows the person. `told_at`: that person was told of the
    closing, by a worker, so that the page that closes takes the same time for everybody.
    """

    subject = models.CharField(max_length=64, primary_key=True)
    failures = models.PositiveSmallIntegerField(default=0)
    last_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    holder_id = models.BigIntegerField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["last_at"], name="code_attempts_by_age"),
            models.Index(
                fields=["closed_at"],
                condition=Q(closed_at__isnull=False, told_at__isnull=True, holder_id__isnull=False),
                name="code_closing_untold",
            ),
        ]

    def __str__(self) -> str:
        return self.subject[:16]


class LinkRequest(models.Model):
    """Somebody asks for a link to the mailbox of a codice fiscale. A worker sends it, or nothing: the page cannot tell.

    `subject` and `origin` are keyed digests of codice fiscale and network address: both are counted.
    """

    subject = models.CharField(max_length=64)
    origin = models.CharField(max_length=64)
    purpose = models.CharField(max_length=8, choices=LinkPurpose.choices)
    holder_id = models.BigIntegerField(null=True, blank=True)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(purpose__in=LinkPurpose.values), name="link_request_purpose_known")
        ]
        indexes: ClassVar = [
            models.Index(fields=["origin", "asked_at"], name="link_request_by_origin"),
            models.Index(fields=["asked_at"], name="link_request_by_age"),
            models.Index(fields=["id"], condition=Q(answered_at__isnull=True), name="link_request_waiting"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class HolderLink(models.Model):
    """A link sent to a holder's registered mailbox, good once until it expires."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    token_sha256 = models.CharField(max_length=64, unique=True)
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="links", verbose_name="titolare")
    purpose = models.CharField(max_length=8, choices=LinkPurpose.choices)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(purpose__in=LinkPurpose.values), name="holder_link_purpose_known")
        ]
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="holder_link_by_expiry")]

    def __str__(self) -> str:
        return str(self.uid)


class HolderVisit(models.Model):
    """A holder is at his pages: a short session of its own, apart from the panel's, ended by leaving or by time.

    `case_code` of visits by case, `purpose` of visits by link; empty for others.
    """

    token_sha256 = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=10, choices=VisitKind.choices)
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="visits", verbose_name="titolare")
    case_code = models.CharField(max_length=16, blank=True)
    purpose = models.CharField(max_length=8, choices=LinkPurpose.choices, blank=True)
    opened_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=VisitKind.values), name="holder_visit_kind_known"),
            models.CheckConstraint(
                condition=(Q(kind=VisitKind.CASE) & ~Q(case_code="")) | (~Q(kind=VisitKind.CASE) & Q(case_code="")),
                name="holder_visit_by_case_names_it",
            ),
            models.CheckConstraint(
                condition=Q(kind=VisitKind.LINK, purpose__in=LinkPurpose.values)
                | (~Q(kind=VisitKind.LINK) & Q(purpose="")),
                name="holder_visit_by_link_has_purpose",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="holder_visit_by_expiry")]

    def __str__(self) -> str:
        return str(self.pk)
