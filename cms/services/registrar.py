"""Registering the rows of an import, in batches: vetted once more, all at once, each with its outcome."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from django.db import DataError, IntegrityError, transaction

from cms import actors, policy, roster
from cms.bundle import Bundle
from cms.errors import DomainError
from cms.import_errors import RegisterChanged
from cms.models import Agreement, Job, JobRow
from cms.policy import rome_date
from cms.services import holders, import_files, registration
from cms.services.vetting import Examiner, Vetted
from cms.states import JobRowState


class Registrar:
    """Registers batches of one job; reads the files once, however many batches a worker does."""

    def __init__(self) -> None:
        """Start without files."""
        self._roster: dict[int, roster.RawRow] = {}
        self._bundle: Bundle | None = None

    def settle(self, job: Job, rows: Sequence[JobRow], now: datetime) -> None:
        """Register the rows in the caller's transaction and write on each what became of it."""
        agreement = agreement_of(job)
        if self._bundle is None:
            self._bundle = import_files.bundle_of(job)
            self._roster = {row.number: row for row in import_files.roster_of(job).rows}
        for row in rows:
            row.settled_at = now
        try:
            policy.require_member(job.started_by, job.centre_id, policy.DECIDING_ROLES)
        except DomainError as refusal:
            for row in rows:
                refuse(row, refusal)
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
            return refuse(rows[0], RegisterChanged())
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
                refuse(row, outcome)
            else:
                accepted.append((row, outcome))
        people = holders.register_holders([news.holder for _, news in accepted], centre=agreement.centre, at=now)
        cards = [news.ready(people[news.holder.tax_code]) for _, news in accepted]
        actor = actors.importing(job.started_by)
        pairs = registration.register_cards(cards, agreement=agreement, actor=actor, at=now)
        for (row, news), pair in zip(accepted, pairs, strict=True):
            row.state, row.code, row.subject_id = JobRowState.DONE, "", pair.pk
            row.text = f"Carta registrata con {halves(news)}."


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


def _entry(row: roster.RawRow, today: date) -> roster.Entry | DomainError:
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


def agreement_of(job: Job) -> Agreement:
    """The agreement under which the job registers."""
    agreements = Agreement.objects.select_related("service", "centre")
    return agreements.get(centre_id=job.centre_id, service_id=job.service_id)


def refuse(row: JobRow, refusal: DomainError) -> None:
    """Write on the row that it stays out, and why."""
    row.state, row.code, row.text = JobRowState.REFUSED, refusal.reason_code, refusal.text[:400]


def halves(news: Vetted) -> str:
    """Say how many certificates the card has."""
    return "2 certificati" if len(news.certificates) == 2 else "1 certificato"
