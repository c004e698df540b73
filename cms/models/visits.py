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
    """

    subject = models.CharField(max_length=64, primary_key=True)
    failures = models.PositiveSmallIntegerField(default=0)
    last_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["last_at"], name="code_attempts_by_age")]

    def __str__(self) -> str:
        return self.subject[:16]


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
    """A holder is at his pages: a short session of its own, apart from the panel's, ended by leaving or by time."""

    token_sha256 = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=10, choices=VisitKind.choices)
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="visits", verbose_name="titolare")
    case_code = models.CharField(max_length=16, blank=True)
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
        ]
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="holder_visit_by_expiry")]

    def __str__(self) -> str:
        return str(self.pk)
