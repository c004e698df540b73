"""What a holder does with his case at his own pages: *Sollecita*, and stopping a renewal that he does not want."""

from __future__ import annotations

from datetime import datetime

from cms.actors import holder_at_page
from renewals import errors, policy
from renewals.models import RenewalCase
from renewals.services.cases import cancel_case, locked, record
from renewals.states import CaseState
from runtime.transactions import use_case

DECLINED = "holder-declines"


@use_case
def urge_decision(case_id: int, *, holder_id: int, now: datetime) -> RenewalCase:
    """Ask the centre to decide: the case stands on top of its list. Refused a second time within 24 hours."""
    case = _own(case_id, holder_id)
    policy.require_urgeable(case, now)
    case.urged_at = now
    case.save(update_fields=["urged_at"])
    record("case.urged", case, actor=holder_at_page(holder_id), at=now)
    return case


@use_case
def decline_renewal(case_id: int, *, holder_id: int, now: datetime) -> RenewalCase:
    """Stop a renewal before installation because its holder does not want it; only an operator opens it again."""
    case = _own(case_id, holder_id)
    if not case.is_open and case.state != CaseState.CANCELLED:
        raise errors.NotDeclinable
    return cancel_case(case_id, reason=DECLINED, actor=holder_at_page(holder_id), at=now)


def _own(case_id: int, holder_id: int) -> RenewalCase:
    """Lock the case; another person's does not exist for this one."""
    case = locked(case_id)
    if case.holder_id != holder_id:
        raise RenewalCase.DoesNotExist
    return case
