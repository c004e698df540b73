"""Bringing a centre's cards into the register: a table and certificates come in, are vetted, and are registered.

Three steps, each resumable: `receive_import` stores the files; a worker vets every row and changes nothing else (a dry
run); the operator's word starts the registration, in small transactions. Rows keep the card's serial only; the
files, which hold the personal data, are deleted when the job ends.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings

from cms import actors, events, policy, roster
from cms.errors import DomainError, NotFound
from cms.import_errors import FileRefused, FileTooLarge, ImportClosed, TooManyImports
from cms.models import Agreement, Job, JobRow, User
from cms.services import import_files, jobs
from cms.services.registrar import Registrar, agreement_of, halves, refuse, vetted
from cms.services.vetting import Vetted
from cms.states import JobKind, JobRowState, JobState
from runtime import claims, nudge
from runtime.transactions import use_case

TASK = "cms.tasks.carry_out_import"
BATCH = 250
CHECK_LEASE = timedelta(seconds=140)
"""Longer than a task may live: a check writes nothing before its end, so a second one would only be wasted work."""
MOST_CHECKS = 5
"""So often a check is begun; a file that ends every worker is turned down."""
MOST_OPEN = 5
OPEN = frozenset({JobState.CHECKING, JobState.CHECKED, JobState.RUNNING})


@use_case
def receive_import(
    agreement_id: int, *, table: bytes, certificates: Iterable[bytes], operator: User, now: datetime
) -> Job:
    """Store the files and have them checked. Raises `FileRefused` at once for a table that is none."""
    agreement = Agreement.objects.filter(pk=agreement_id).first()
    if agreement is None:
        raise NotFound
    policy.require_member(operator, agreement.centre_id, policy.DECIDING_ROLES)
    if len(table) > settings.CMS.import_most_csv_bytes:
        raise FileTooLarge
    roster.read_roster(table, most=settings.CMS.import_most_rows)
    unfinished = Job.objects.filter(kind=JobKind.IMPORT, centre_id=agreement.centre_id, state__in=OPEN)
    if unfinished[:MOST_OPEN].count() == MOST_OPEN:
        raise TooManyImports
    job = Job.objects.create(
        kind=JobKind.IMPORT,
        state=JobState.CHECKING,
        centre_id=agreement.centre_id,
        service_id=agreement.service_id,
        started_by=operator,
        created_at=now,
        next_attempt_at=now,
        parameters={"agreement": agreement.pk},
    )
    import_files.store(job, import_files.TABLE, [table])
    if import_files.store(job, import_files.CERTIFICATES, certificates) > settings.CMS.import_most_bytes:
        raise FileTooLarge
    nudge.after_commit(TASK, job.pk)
    return job


@use_case
def start_import(uid: uuid.UUID, *, operator: User, now: datetime) -> Job:
    """Let a checked import begin; twice is once."""
    job = _locked(uid, operator)
    if job.state == JobState.RUNNING:
        return job
    if job.state != JobState.CHECKED or job.refused == job.total:
        raise ImportClosed
    job.state, job.next_attempt_at, job.started_by = JobState.RUNNING, now, operator
    job.save(update_fields=["state", "next_attempt_at", "started_by"])
    _record("import.started", job, operator, now)
    nudge.after_commit(TASK, job.pk)
    return job


@use_case
def discard_import(uid: uuid.UUID, *, operator: User, now: datetime) -> Job:
    """Give an import up: its files go at once; what is registered stays. Twice is once."""
    job = _locked(uid, operator)
    if job.state == JobState.STOPPED:
        return job
    if job.state not in OPEN:
        raise ImportClosed
    _stop(job, now)
    _record("import.discarded", job, operator, now)
    return job


def carry_out(job_id: int, *, at: datetime) -> None:
    """Check or register, whichever the job is at; claimed by another or ended, nothing happens."""
    job = Job.objects.filter(pk=job_id, kind=JobKind.IMPORT).first()
    if job is None:
        return
    if job.state == JobState.CHECKING:
        _check(job, at)
    else:
        jobs.carry_out(job_id, _trade(), at=at)


def carry_out_due(*, at: datetime) -> int:
    """Go on with imports whose nudge was lost or whose worker died; returns how many."""
    due = Job.objects.filter(kind=JobKind.IMPORT, next_attempt_at__lte=at).order_by("next_attempt_at")
    ids = [pk for pk, until in due.values_list("pk", "claimed_until") if until is None or until <= at]
    for pk in ids:
        carry_out(pk, at=at)
    return len(ids)


def forget_imports(*, at: datetime) -> int:
    """Give up imports that were checked and never started; returns how many."""
    before = at - timedelta(hours=settings.CMS.import_keep_hours)
    stale = Job.objects.filter(kind=JobKind.IMPORT, state=JobState.CHECKED, created_at__lt=before)
    return sum(_forget(pk, at) for pk in stale.values_list("pk", flat=True))


def _trade() -> jobs.Trade:
    return jobs.Trade(kinds=(JobKind.IMPORT,), task=TASK, settle=Registrar().settle, batch=BATCH)


def _check(job: Job, at: datetime) -> None:
    """Vet every row and store the report, all in one transaction: an interrupted check has left nothing."""
    fence = claims.claim(Job, job.pk, at=at, lease=CHECK_LEASE)
    if fence is None:
        return
    try:
        _require_readable(job)
        _report(job.pk, fence, at)
    except FileRefused as refusal:
        _turn_down(job.pk, fence, refusal, at)


def _require_readable(job: Job) -> None:
    """Whatever it is that ends one worker after the other, it lies in the files."""
    if job.attempts >= MOST_CHECKS:
        raise FileRefused


@use_case
def _report(job_id: int, fence: int, now: datetime) -> None:
    job = Job.objects.select_related("started_by").get(pk=job_id)
    table, bundle = import_files.roster_of(job), import_files.bundle_of(job)
    rows, used = [], 0
    for raw, outcome in zip(table.rows, vetted(agreement_of(job), bundle, table.rows, now=now), strict=True):
        row = JobRow(job=job, position=raw.number, payload={"card": raw.card})
        if isinstance(outcome, DomainError):
            refuse(row, outcome)
            row.settled_at = now
        else:
            used += len(outcome.certificates)
            who = "titolare già nel registro, che resta com'è" if outcome.is_known_holder else "nuovo titolare"
            row.text = f"Da registrare: {who}, carta con {halves(outcome)}.{_warning(outcome)}"
        rows.append(row)
    if not claims.still_mine(Job, job_id, fence):
        return
    JobRow.objects.bulk_create(rows, batch_size=1000)
    job.total, job.refused = len(rows), sum(row.state == JobRowState.REFUSED for row in rows)
    job.state, job.next_attempt_at, job.claimed_until = JobState.CHECKED, None, None
    job.parameters |= {
        "certificates": len(bundle.certificates),
        "unreadable": bundle.unreadable,
        "unused": len(bundle.certificates) - used,
        "ignored": table.ignored,
    }
    job.save(update_fields=["total", "refused", "state", "next_attempt_at", "claimed_until", "parameters"])
    _record("import.checked", job, job.started_by, now)


@use_case
def _turn_down(job_id: int, fence: int, refusal: FileRefused, now: datetime) -> None:
    """End an import whose files are none, and say why on its page."""
    if claims.still_mine(Job, job_id, fence):
        job = Job.objects.get(pk=job_id)
        job.parameters |= {"refusal": {"code": refusal.reason_code, "text": refusal.text}}
        job.save(update_fields=["parameters"])
        _stop(job, now)


@use_case
def _forget(job_id: int, now: datetime) -> int:
    job = Job.objects.select_for_update(no_key=True).get(pk=job_id)
    if job.state != JobState.CHECKED:
        return 0
    _stop(job, now)
    return 1


def _stop(job: Job, now: datetime) -> None:
    """Take the job from whoever works on it; its files go."""
    job.state, job.finished_at, job.fence = JobState.STOPPED, now, job.fence + 1
    job.next_attempt_at = job.claimed_until = None
    job.save(update_fields=["state", "finished_at", "fence", "next_attempt_at", "claimed_until"])
    job.files.all().delete()


def _locked(uid: uuid.UUID, operator: User) -> Job:
    job = Job.objects.select_for_update(no_key=True).filter(uid=uid, kind=JobKind.IMPORT).first()
    if job is None:
        raise NotFound
    policy.require_member(operator, job.centre_id, policy.DECIDING_ROLES)
    return job


def _warning(news: Vetted) -> str:
    if news.card.activated_on is not None:
        return ""
    return " Manca la data di attivazione: senza, la carta non potrà essere rinnovata."


def _record(verb: str, job: Job, operator: User, now: datetime) -> None:
    events.record(
        verb,
        actor=actors.operator(operator),
        at=now,
        centre_id=job.centre_id,
        service_id=job.service_id,
        facts={"job": str(job.uid), "rows": job.total, "refused": job.refused},
    )
