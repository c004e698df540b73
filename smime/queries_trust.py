"""Reads of the watchmen: lists that trust rests on, and signatures that wait for them."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Max, QuerySet

from smime.models import SignatureReport, TrustedList
from smime.states import Verdict

WATCHED = ("EU", "IT")
"""Without the list of lists nobody is trusted; without Italy's hardly anybody who signs here."""


def outdated_lists(now: datetime) -> list[datetime]:
    """Since when watched lists are beyond their next update; none for those that were never loaded."""
    newest = TrustedList.objects.filter(territory__in=WATCHED).values("territory").annotate(until=Max("next_update_at"))
    return sorted(newest.filter(until__lte=now).values_list("until", flat=True))


def signatures_waiting(since: datetime) -> QuerySet[SignatureReport]:
    """Signed forms that came before `since` and that nobody could judge yet."""
    waiting = SignatureReport.objects.filter(verdict=Verdict.PENDING, next_attempt_at__isnull=False)
    return waiting.filter(file__uploaded_at__lte=since)
