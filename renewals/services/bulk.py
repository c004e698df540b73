"""One decision on many cases: a job whose rows are decided one by one, each by the use case that decides a single one.

The decision is the operator's who started it. Every rule is asked again for each row at the moment it is decided, so
that a case that somebody else has decided meanwhile, or a role that was taken away, is refused like any other.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from cms import policy as register
from cms.models import Job, JobRow, User
from cms.services import jobs
from cms.services.jobs import Planned, Trade
from cms.states import JobKind
from renewals import errors
from renewals.models import RenewalCase
from renewals.services import decisions
from runtime.transactions import use_case


@use_case
def approve_renewals(case_ids: Sequence[int], *, operator: User, token: uuid.UUID, now: datetime) -> list[Job]:
    """Start the approval of these cases; one job a centre and service. The same token starts nothing a second time."""
    return _start(JobKind.APPROVE, case_ids, {}, operator=operator, token=token, now=now)


@use_case
def refuse_renewals(
    case_ids: Sequence[int], *, operator: User, reason: str, token: uuid.UUID, now: datetime
) -> list[Job]:
    """Start the refusal of these cases for one reason; one job a centre and service."""
    reason = decisions.tidy_reason(reason)
    return _start(JobKind.REFUSE, case_ids, {"reason": reason}, operator=operator, token=token, now=now)


def carry_out(job_id: int, *, at: datetime) -> None:
    """Go on with one job of decisions. Raises RuntimeError inside a transaction."""
    jobs.carry_out(job_id, TRADE, at=at)


def carry_out_due(*, at: datetime) -> int:
    """Go on with every job of decisions that no worker holds. Returns how many."""
    return jobs.carry_out_due(TRADE, at=at)


def _start(
    kind: JobKind,
    case_ids: Sequence[int],
    parameters: dict[str, Any],
    *,
    operator: User,
    token: uuid.UUID,
    now: datetime,
) -> list[Job]:
    wanted = set(case_ids)
    if not wanted:
        raise errors.SelectionEmpty
    if len(wanted) > settings.RENEWALS.bulk_most:
        raise errors.SelectionTooLarge
    desks: dict[tuple[int, int], list[Planned]] = {}
    cases = RenewalCase.objects.filter(pk__in=wanted).order_by("old_not_after", "pk")
    for pk, centre_id, service_id in cases.values_list("pk", "centre_id", "service_id"):
        desks.setdefault((centre_id, service_id), []).append(Planned(pk))
    if not desks:
        raise errors.SelectionEmpty
    for centre_id in sorted({centre_id for centre_id, _service_id in desks}):
        register.require_member(operator, centre_id, register.DECIDING_ROLES)
    return [
        _started(
            kind, rows, parameters, centre_id=centre_id, service_id=service_id, operator=operator, token=token, at=now
        )
        for (centre_id, service_id), rows in sorted(desks.items())
    ]


def _started(
    kind: JobKind,
    rows: list[Planned],
    parameters: dict[str, Any],
    *,
    token: uuid.UUID,
    centre_id: int,
    service_id: int,
    **who: Any,
) -> Job:
    """Start one job under an id that the confirmation page fixed: a double click finds the first one."""
    uid = uuid.uuid5(token, f"{centre_id}:{service_id}")
    try:
        with transaction.atomic():
            return jobs.start(
                TRADE, kind, rows, parameters=parameters, centre_id=centre_id, service_id=service_id, uid=uid, **who
            )
    except IntegrityError:
        return Job.objects.get(uid=uid, started_by=who["operator"])


def _decide(job: Job, row: JobRow, now: datetime) -> str:
    """Decide one row; what was decided before in the same sense is done, and says so."""
    case_id = row.subject_id or 0
    if job.kind == JobKind.APPROVE:
        done = decisions.approve_renewal(case_id, operator=job.started_by, now=now)
        return "" if done.decided_at == now else "Il rinnovo era già stato approvato."
    reason = job.parameters["reason"]
    done = decisions.refuse_renewal(case_id, operator=job.started_by, reason=reason, now=now)
    return "" if done.decided_at == now else "Il rinnovo era già stato respinto."


TRADE = Trade(
    kinds=(JobKind.APPROVE, JobKind.REFUSE), task="renewals.tasks.carry_out_bulk", settle=jobs.one_by_one(_decide)
)
