"""What the card client reports when it fails: kept in the case's events, where operators look."""

from __future__ import annotations

from datetime import datetime

from cms import events
from cms.actors import holder_at_client
from cms.states import Outcome
from renewals.models import RenewalCase
from runtime.transactions import use_case


@use_case
def report(case_id: int, *, step: str, code: str, detail: str, now: datetime) -> str:
    """Append the report and return its reference, for the holder to name at support."""
    case = RenewalCase.objects.get(pk=case_id)
    event = events.record(
        "case.failed-at-client",
        actor=holder_at_client(case.holder_id),
        at=now,
        outcome=Outcome.FAILED,
        reason=code,
        centre_id=case.centre_id,
        service_id=case.issuing_service_id,
        case_code=case.code,
        holder_id=case.holder_id,
        card_id=case.card_id,
        facts={"step": step, "detail": detail},
    )
    return f"{case.code}/{event.pk}"
