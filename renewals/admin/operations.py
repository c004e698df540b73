"""Operazioni, with the cases that a decision on several was about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.urls import reverse

from cms.admin.desk import Desk
from cms.admin.jobs import JobAdmin, Subject
from cms.models import Job, JobRow
from cms.states import JobKind
from renewals import queries


class CaseJobAdmin(JobAdmin):
    """Rows of a decision on several cases name holder and case; those of other jobs stay as they are."""

    def subjects_of(self, desk: Desk, job: Job, rows: Sequence[JobRow]) -> Mapping[int, Subject]:
        """Names of the cases in scope, in one statement."""
        if job.kind not in {JobKind.APPROVE, JobKind.REFUSE}:
            return super().subjects_of(desk, job, rows)
        wanted = [row.subject_id for row in rows if row.subject_id]
        cases = queries.in_scope(desk.scope).filter(pk__in=wanted).select_related("holder").in_bulk()
        return {
            row.pk: Subject(str(case.holder), case.code, reverse("admin:case", args=[case.code]))
            for row in rows
            if (case := cases.get(row.subject_id or 0))
        }
