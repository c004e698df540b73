"""Long work that an operator starts: its rows are stored first, then worked off by whoever holds the claim.

What a row does and what became of it are one transaction: a worker that is killed leaves both or neither, and the next
goes on at the first row without an outcome. Nothing is lost and nothing is done twice.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import OperationalError, connection, transaction
from django.db.models import F

from cms import events, policy
from cms.actors import operator as operator_actor
from cms.errors import DomainError, JobEnded, NotFound
from cms.models import Job, JobRow, User
from cms.states import JobKind, JobRowState, JobState
from runtime import claims, nudge
from runtime.clock import Watch
from runtime.transactions import use_case

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
TURN = timedelta(seconds=45)
"""How long one task works on a job; well below the tasks' time limit, then another goes on."""
PAUSE = timedelta(seconds=5)
_LONGEST_TEXT = 400
_OUTCOMES = f"""
UPDATE {JobRow._meta.db_table} AS row SET state = new.state, code = new.code, text = new.text,
    settled_at = new.settled_at, payload = new.payload::jsonb, subject_id = new.subject_id
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::text[], %s::bigint[])
    AS new(id, state, code, text, settled_at, payload, subject_id)
WHERE row.id = new.id
"""  # noqa: S608 - the name is our model's


@dataclass(frozen=True, slots=True)
class Planned:
    """A row to be done: what it is about."""

    subject_id: int | None = None
    payload: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trade:
    """How jobs of some kinds are done.

    `settle` does up to `batch` rows at an instant, in one transaction, and writes on each what became of it
    (`one_by_one` makes it of a function for one row). `task` is the name of the Celery task that takes the job's id.
    """

    kinds: Sequence[JobKind]
    task: str
    settle: Callable[[Job, Sequence[JobRow], datetime], None]
    batch: int = 1
    ends_as: Callable[[Job], JobState] = lambda _job: JobState.DONE


def one_by_one(settle: Callable[[Job, JobRow, datetime], str]) -> Callable[[Job, Sequence[JobRow], datetime], None]:
    """Do rows singly, each in a savepoint of its own.

    `settle` returns what to say of the row (empty for nothing) and raises `DomainError` for one that is refused; it may
    change `row.payload` and `row.subject_id`.
    """

    def settle_rows(job: Job, rows: Sequence[JobRow], now: datetime) -> None:
        for row in rows:
            _settle(job, row, settle, now)

    return settle_rows


def start(  # noqa: PLR0913 - one argument per fact of a job
    trade: Trade,
    kind: JobKind,
    rows: Iterable[Planned],
    *,
    centre_id: int,
    service_id: int,
    operator: User,
    at: datetime,
    parameters: dict[str, Any] | None = None,
    state: JobState = JobState.RUNNING,
    uid: uuid.UUID | None = None,
) -> Job:
    """Store a job with its rows in the caller's transaction, and poke a worker after the commit.

    Raises IntegrityError for a `uid` that was used before: who asks twice starts one job.
    """
    job = Job.objects.create(
        uid=uid or uuid.uuid4(),
        kind=kind,
        state=state,
        centre_id=centre_id,
        service_id=service_id,
        started_by=operator,
        created_at=at,
        next_attempt_at=at,
        parameters=parameters or {},
    )
    job.total = _plan(job, rows)
    job.save(update_fields=["total"])
    _record("job.started", job, operator, at)
    nudge.after_commit(trade.task, job.pk)
    return job


def _plan(job: Job, rows: Iterable[Planned]) -> int:
    planned = (
        JobRow(job=job, position=position, subject_id=row.subject_id, payload=row.payload)
        for position, row in enumerate(rows, start=1)
    )
    return len(JobRow.objects.bulk_create(planned, batch_size=1000))


def _record(verb: str, job: Job, operator: User, at: datetime, **more: int) -> None:
    events.record(
        verb,
        actor=operator_actor(operator),
        at=at,
        centre_id=job.centre_id,
        service_id=job.service_id,
        facts={"kind": job.kind, "job": str(job.uid), "rows": job.total, **more},
    )


def carry_out(job_id: int, trade: Trade, *, at: datetime) -> None:
    """Work on a job until it ends or this turn is over; claimed by another or ended, nothing happens.

    Raises RuntimeError inside a transaction: each batch must be committed by itself.
    """
    fence = claims.claim(Job, job_id, at=at, lease=LEASE)
    if fence is None:
        return
    watch = Watch(at)
    try:
        while _carry_out_batch(job_id, fence, trade, now=watch.now()):
            if watch.elapsed() > TURN:
                claims.release(Job, job_id, fence, next_attempt_at=watch.now())
                nudge.send(trade.task, job_id)
                return
    except OperationalError as busy:
        log.warning("job.database-busy", job=job_id, error=type(busy).__name__)
        claims.release(Job, job_id, fence, next_attempt_at=watch.now() + PAUSE)


def carry_out_due(trade: Trade, *, at: datetime) -> int:
    """Go on with jobs whose nudge was lost or whose worker died: the rescan behind every nudge. Returns how many."""
    due = Job.objects.filter(kind__in=trade.kinds, next_attempt_at__lte=at).order_by("next_attempt_at")
    ids = [pk for pk, until in due.values_list("pk", "claimed_until") if until is None or until <= at]
    for pk in ids:
        carry_out(pk, trade, at=at)
    return len(ids)


@use_case
def stop_job(uid: uuid.UUID, *, operator: User, now: datetime) -> Job:
    """Stop work under way: what is done stays done, the other rows stay as they are. Twice is once.

    Imports have files to forget and stop by `intake.discard_import`.
    """
    job = Job.objects.select_for_update(no_key=True).filter(uid=uid).exclude(kind=JobKind.IMPORT).first()
    if job is None:
        raise NotFound
    policy.require_member(operator, job.centre_id, policy.DECIDING_ROLES)
    policy.require_starter_or_manager(job, operator)
    if job.state == JobState.STOPPED:
        return job
    if job.state != JobState.RUNNING:
        raise JobEnded
    job.state, job.finished_at, job.fence = JobState.STOPPED, now, job.fence + 1
    job.next_attempt_at = job.claimed_until = None
    job.save(update_fields=["state", "finished_at", "fence", "next_attempt_at", "claimed_until"])
    _record("job.stopped", job, operator, now, done=job.done, refused=job.refused)
    return job


@use_case
def _carry_out_batch(job_id: int, fence: int, trade: Trade, *, now: datetime) -> bool:
    """Do the next rows; False when the job has ended or the claim was lost."""
    if not claims.still_mine(Job, job_id, fence):
        return False
    job = Job.objects.select_related("started_by", "centre", "service").get(pk=job_id)
    rows = list(job.rows.filter(state=JobRowState.PLANNED).order_by("position")[: trade.batch])
    if not rows:
        _end(job, trade, now)
        return False
    trade.settle(job, rows, now)
    _write(rows)
    done = sum(row.state == JobRowState.DONE for row in rows)
    Job.objects.filter(pk=job_id).update(
        done=F("done") + done, refused=F("refused") + len(rows) - done, claimed_until=now + LEASE
    )
    return True


def _write(rows: Sequence[JobRow]) -> None:
    """Store what became of the rows, in one plain statement: the ORM's own way costs more than the work itself."""
    columns: list[Any] = [
        [row.pk for row in rows],
        [row.state for row in rows],
        [row.code for row in rows],
        [row.text for row in rows],
        [row.settled_at for row in rows],
        [json.dumps(row.payload) for row in rows],
        [row.subject_id for row in rows],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_OUTCOMES, columns)


def _settle(job: Job, row: JobRow, settle: Callable[[Job, JobRow, datetime], str], now: datetime) -> None:
    """Do one row. A fault of ours ends this row and not the job; a database that gave up undoes the whole batch."""
    subject_id, payload = row.subject_id, dict(row.payload)
    row.settled_at = now
    try:
        with transaction.atomic():
            row.text = settle(job, row, now)[:_LONGEST_TEXT]
            row.state = JobRowState.DONE
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the other rows are not to blame
        refusal = error if isinstance(error, DomainError) else DomainError()
        if refusal is not error:
            log.error("job.row-failed", job=job.pk, row=row.position, error=type(error).__name__)  # noqa: TRY400 - a traceback may hold personal data
        row.subject_id, row.payload = subject_id, payload
        row.state, row.code, row.text = JobRowState.REFUSED, refusal.reason_code, refusal.text[:_LONGEST_TEXT]


def _end(job: Job, trade: Trade, now: datetime) -> None:
    """Close the job's claim for good; a job that is done keeps no file."""
    job.state, job.finished_at = trade.ends_as(job), now
    job.next_attempt_at = job.claimed_until = None
    job.save(update_fields=["state", "finished_at", "next_attempt_at", "claimed_until"])
    if job.state == JobState.DONE:
        job.files.all().delete()
