"""Bringing a centre's cards into the register: a table and certificates come in, are vetted, and are registered.

Three steps, each resumable: `receive_import` stores the files; a worker vets every row and changes nothing else (a dry
run); the operator's word starts the registration, in small transactions. Rows keep the card's serial only; the
files, which hold the personal data, are deleted when the job ends.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DataError, IntegrityError, transaction

from cms import actors, events, policy, roster
from cms.bundle import Bundle, read_bundle
from cms.errors import DomainError, NotFound
from cms.import_errors import FileRefused, FileTooLarge, ImportClosed, RegisterChanged, TooManyImports
from cms.models import Agreement, Job, JobFile, JobRow, User
from cms.policy import rome_date
from cms.roster import Roster
from cms.services import holders, jobs, registration
from cms.services.vetting import Examiner, Vetted
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
SLICE = 1024 * 1024
TABLE, CERTIFICATES = "table", "certificates"
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
    _store(job, TABLE, [table])
    if _store(job, CERTIFICATES, certificates) > settings.CMS.import_most_bytes:
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


class Registrar:
    """Registers batches of one job; reads the files once, however many batches a worker does."""

    def __init__(self) -> None:
        """Start without files."""
        self._roster: dict[int, roster.RawRow] = {}
        self._bundle: Bundle | None = None

    def settle(self, job: Job, rows: Sequence[JobRow], now: datetime) -> None:
        """Register the rows in the caller's transaction and write on each what became of it."""
        agreement = _agreement_of(job)
        if self._bundle is None:
            self._bundle = _bundle_of(job)
            self._roster = {row.number: row for row in _roster_of(job).rows}
        for row in rows:
            row.settled_at = now
        try:
            policy.require_member(job.started_by, job.centre_id, policy.DECIDING_ROLES)
        except DomainError as refusal:
            for row in rows:
                _refuse(row, refusal)
            return
        self._together(agreement, job, rows, now)

    def _together(self, agreement: Agreement, job: Job, rows: Sequence[JobRow], now: datetime) -> None:
        """All at once; if the database objects, in halves, so that one row's clash is that row's alone."""
        try:
            with transaction.atomic():
                return self._register(agreement, job, rows, now)
        except (IntegrityError, DataError):
            pass  # somebody has stored one of these at this very moment: vetted again, most rows say so themselves
        if len(rows) == 1:
            return _refuse(rows[0], RegisterChanged())
        middle = len(rows) // 2
        self._together(agreement, job, rows[:middle], now)
        return self._together(agreement, job, rows[middle:], now)

    def _register(self, agreement: Agreement, job: Job, rows: Sequence[JobRow], now: datetime) -> None:
        if self._bundle is None:
            raise TypeError
        raw = [self._roster[row.position] for row in rows]
        accepted: list[tuple[JobRow, Vetted]] = []
        for row, outcome in zip(rows, vetted(agreement, self._bundle, raw, now=now), strict=True):
            if isinstance(outcome, DomainError):
                _refuse(row, outcome)
            else:
                accepted.append((row, outcome))
        people = holders.register_holders([news.holder for _, news in accepted], centre=agreement.centre, at=now)
        cards = [news.ready(people[news.holder.tax_code]) for _, news in accepted]
        actor = actors.importing(job.started_by)
        pairs = registration.register_cards(cards, agreement=agreement, actor=actor, at=now)
        for (row, news), pair in zip(accepted, pairs, strict=True):
            row.state, row.code, row.subject_id = JobRowState.DONE, "", pair.pk
            row.text = f"Carta registrata con {_halves(news)}."


def vetted(
    agreement: Agreement, bundle: Bundle, rows: Sequence[roster.RawRow], *, now: datetime, chunk: int = 1000
) -> Iterator[Vetted | DomainError]:
    """Vet rows in their order, as the register stands now: each may be registered, or something speaks against it."""
    examiner, today = Examiner(agreement, bundle, now=now), rome_date(now)
    for start in range(0, len(rows), chunk):
        entries = [_entry(row, today) for row in rows[start : start + chunk]]
        examiner.learn([entry for entry in entries if isinstance(entry, roster.Entry)])
        for entry in entries:
            yield _vetted_one(examiner, entry) if isinstance(entry, roster.Entry) else entry


def _entry(row: roster.RawRow, today: Any) -> roster.Entry | DomainError:
    try:
        return roster.entry_of(row, today=today)
    except DomainError as refusal:
        return refusal


def _vetted_one(examiner: Examiner, entry: roster.Entry) -> Vetted | DomainError:
    try:
        found = examiner.vet(entry)
    except DomainError as refusal:
        return refusal
    examiner.admit(found)
    return found


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
    table, bundle = _roster_of(job), _bundle_of(job)
    rows, used = [], 0
    for raw, outcome in zip(table.rows, vetted(_agreement_of(job), bundle, table.rows, now=now), strict=True):
        row = JobRow(job=job, position=raw.number, payload={"card": raw.card})
        if isinstance(outcome, DomainError):
            _refuse(row, outcome)
            row.settled_at = now
        else:
            used += len(outcome.certificates)
            who = "titolare già nel registro, che resta com'è" if outcome.is_known_holder else "nuovo titolare"
            row.text = f"Da registrare: {who}, carta con {_halves(outcome)}.{_warning(outcome)}"
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


def _agreement_of(job: Job) -> Agreement:
    agreements = Agreement.objects.select_related("service", "centre")
    return agreements.get(centre_id=job.centre_id, service_id=job.service_id)


def _roster_of(job: Job) -> Roster:
    return roster.read_roster(_stored(job, TABLE), most=settings.CMS.import_most_rows)


def _bundle_of(job: Job) -> Bundle:
    most = 3 * settings.CMS.import_most_rows
    return read_bundle(_stored(job, CERTIFICATES), most=most, most_bytes=2 * settings.CMS.import_most_bytes)


def _store(job: Job, name: str, pieces: Iterable[bytes]) -> int:
    """Store a file in slices, so that no statement carries all of it; returns its length."""
    length = 0
    for number, piece in enumerate(pieces):
        length += len(piece)
        if length > settings.CMS.import_most_bytes:
            break
        JobFile.objects.create(job=job, name=f"{name}/{number:05d}", content=piece)
    return length


def _stored(job: Job, name: str) -> bytes:
    slices = job.files.filter(name__startswith=f"{name}/").order_by("name")
    return b"".join(bytes(content) for content in slices.values_list("content", flat=True).iterator(chunk_size=4))


def _refuse(row: JobRow, refusal: DomainError) -> None:
    row.state, row.code, row.text = JobRowState.REFUSED, refusal.reason_code, refusal.text[:400]


def _warning(news: Vetted) -> str:
    if news.card.activated_on is not None:
        return ""
    return " Manca la data di attivazione: senza, la carta non potrà essere rinnovata."


def _halves(news: Vetted) -> str:
    return "2 certificati" if len(news.certificates) == 2 else "1 certificato"


def _record(verb: str, job: Job, operator: User, now: datetime) -> None:
    events.record(
        verb,
        actor=actors.operator(operator),
        at=now,
        centre_id=job.centre_id,
        service_id=job.service_id,
        facts={"job": str(job.uid), "rows": job.total, "refused": job.refused},
    )
