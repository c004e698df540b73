"""Named reads of renewals, for screens, API and sweeps."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from cms.models import CaRequest, Certificate, Pair
from cms.scope import Scope
from cms.states import RequestKind
from renewals.models import RenewalCase
from renewals.states import OPEN_STATES, SIGNED_STATES, UNAUTHORISED, Authorisation, CaseState, Due


def in_scope(scope: Scope) -> QuerySet[RenewalCase]:
    """Cases that an operator may see: his centres, the chosen service by the *old* certificate (rules.md R14)."""
    return RenewalCase.objects.filter(centre_id__in=scope.centre_ids, service_id__in=scope.service_ids)


def waiting_for_decision(scope: Scope) -> QuerySet[RenewalCase]:
    """Cases that a person must decide, first the ones that would be suspended first."""
    waiting = in_scope(scope).filter(authorisation=Authorisation.PENDING, state__in=SIGNED_STATES)
    return waiting.order_by("old_not_after", "id")


def open_case_of(pair: Pair) -> RenewalCase | None:
    """The one open case of a pair."""
    return RenewalCase.objects.filter(old_pair=pair, state__in=OPEN_STATES).first()


def last_case_of(pair: Pair) -> RenewalCase | None:
    """The newest case of a pair."""
    return RenewalCase.objects.filter(old_pair=pair).order_by("-id").first()


def cases_of(pair: Pair) -> list[RenewalCase]:
    """Every case of a pair, newest first."""
    return list(RenewalCase.objects.filter(old_pair=pair).order_by("-id"))


def is_renewed(pair: Pair) -> bool:
    """Whether a renewal of this pair was completed (also one that lapsed on day 121: it cannot be repeated)."""
    return RenewalCase.objects.filter(old_pair=pair, completed_at__isnull=False).exists()


def is_closed(pair: Pair) -> bool:
    """Whether the pair's last case was refused or cancelled: neither sweep nor client reopens it."""
    last = last_case_of(pair)
    return last is not None and last.state == CaseState.CANCELLED


def halves(pair: Pair) -> list[Certificate]:
    """Certificates of a pair, authentication first."""
    return list(pair.certificates.order_by("type"))


def issue_requests(case: RenewalCase) -> list[CaRequest]:
    """What the case asked of the CA, authentication first."""
    if case.new_pair_id is None:
        return []
    return list(CaRequest.objects.filter(pair_id=case.new_pair_id, kind=RequestKind.ISSUE).order_by("type"))


def due_cases(kind: Due, now: datetime) -> QuerySet[RenewalCase]:
    """Cases whose next automatic action is of this kind and due; reads the partial index only."""
    return RenewalCase.objects.filter(due_kind=kind, due_at__lte=now).order_by("due_at")


def unauthorised() -> Q:
    """Completed and neither approved nor automatic."""
    return Q(state=CaseState.COMPLETED, authorisation__in=UNAUTHORISED)
