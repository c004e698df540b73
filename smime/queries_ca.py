"""Reads of the watchmen: what the CA was asked about S/MIME certificates and still owes."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from smime.models import CaOrder
from smime.states import CaOrderKind, CaOrderState, CertificateStatus

_OPEN = [CaOrderState.PLANNED, CaOrderState.SENT]


def unasked(since: datetime) -> QuerySet[CaOrder]:
    """Due since `since` and not asked; one that is put off, as while a domain's CAA records refuse, is not due."""
    return CaOrder.objects.filter(state=CaOrderState.PLANNED, next_attempt_at__lte=since)


def unanswered(since: datetime) -> QuerySet[CaOrder]:
    """Sent, wished for before `since`, and nobody knows what the CA did."""
    return CaOrder.objects.filter(state=CaOrderState.SENT, asked_at__lte=since)


def refused(since: datetime) -> QuerySet[CaOrder]:
    """What the CA has refused for good after `since`."""
    return CaOrder.objects.filter(state=CaOrderState.REFUSED, settled_at__gt=since)


def open_holds(since: datetime) -> QuerySet[CaOrder]:
    """Suspensions asked for before `since` that the CA has not carried out."""
    return CaOrder.objects.filter(state__in=_OPEN, kind=CaOrderKind.HOLD, asked_at__lte=since)


def late_revocations(since: datetime, now: datetime) -> QuerySet[CaOrder]:
    """Revocations open since `since`, and refused ones whose certificate is valid beyond its clock (SBR 4.9.1.1)."""
    in_vain = Q(state=CaOrderState.REFUSED, due_by__lte=now) & ~Q(certificate__status=CertificateStatus.REVOKED)
    wished = CaOrder.objects.filter(kind=CaOrderKind.REVOKE)
    return wished.filter(Q(state__in=_OPEN, asked_at__lte=since) | in_vain)
