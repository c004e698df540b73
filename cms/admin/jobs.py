"""Operazioni: long work that operators have started, how far it is, and what became of each row."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from cms.admin.desk import Desk, at
from cms.admin.paging import number, page_of
from cms.admin.site import SERVICES, PanelAdmin
from cms.admin.words import Badge
from cms.errors import DomainError
from cms.models import Job, JobRow
from cms.services import jobs
from cms.states import JobKind, JobRowState, JobState

ROWS = 50

_STATE_LOOKS = {
    JobState.CHECKING: ("wait", "clock"),
    JobState.CHECKED: ("wait", "pencil"),
    JobState.RUNNING: ("wait", "clock"),
    JobState.DONE: ("ok", "check-circle"),
    JobState.STOPPED: ("neutral", "ban"),
}
_ROW_LOOKS = {
    JobRowState.PLANNED: ("wait", "clock"),
    JobRowState.DONE: ("ok", "check"),
    JobRowState.REFUSED: ("danger", "close-circle"),
}
_ALL, _REFUSED = "tutte", "non-eseguite"
_OUTCOMES = {
    _ALL: (gettext_lazy("Tutte"), list(JobRowState)),
    _REFUSED: (gettext_lazy("Non eseguite"), [JobRowState.REFUSED]),
    "riuscite": (gettext_lazy("Riuscite"), [JobRowState.DONE]),
    "da-fare": (gettext_lazy("Da fare"), [JobRowState.PLANNED]),
}
# A check has done nothing yet: what it found is said as on top of its page.
_OUTCOMES_OF_CHECK = {
    _REFUSED: (gettext_lazy("Non ammesse"), [JobRowState.REFUSED]),
    "da-fare": (gettext_lazy("Da registrare"), [JobRowState.PLANNED]),
    _ALL: _OUTCOMES[_ALL],
}
_WORDS = {
    (JobState.CHECKED, JobRowState.PLANNED): ("wait", "clock", gettext_lazy("Da registrare")),
    (JobState.CHECKED, JobRowState.REFUSED): ("danger", "close-circle", gettext_lazy("Non ammessa")),
    (JobState.STOPPED, JobRowState.PLANNED): ("neutral", "minus-circle", gettext_lazy("Rimasta da fare")),
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is: what `admin/parts/progress.html` shows."""

    job: Job
    badge: Badge
    left: int
    is_running: bool

    @property
    def settled(self) -> int:
        """Rows with an outcome, for the bar."""
        return self.job.done + self.job.refused


@dataclass(frozen=True, slots=True)
class Subject:
    """What a row is about, as its page says it: words, a second line, and where it leads (empty for nowhere)."""

    title: str
    second: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the job."""

    row: JobRow
    subject: Subject
    badge: Badge


@dataclass(frozen=True, slots=True)
class Chip:
    """One choice of outcomes."""

    word: str
    address: str
    is_chosen: bool


def progress_of(job: Job) -> Progress:
    """Read a job's own counters; no row is counted."""
    state = JobState(job.state)
    running = job.next_attempt_at is not None
    left = max(0, job.total - job.done - job.refused)
    return Progress(job, Badge(*_STATE_LOOKS[state], str(state.label)), left, running)


def jobs_of(desk: Desk) -> QuerySet[Job]:
    """Jobs of the operator's centres under the chosen service."""
    jobs = Job.objects.filter(centre_id__in=desk.scope.centre_ids, service_id__in=desk.scope.service_ids)
    return jobs.select_related("started_by", "centre")


def shown_rows(
    job: Job, query: QueryDict, subjects_of: Callable[[Sequence[JobRow]], Mapping[int, Subject]]
) -> dict[str, Any]:
    """What `admin/cms/job.html` shows of a job: its progress, and the rows that the address names."""
    outcomes = _OUTCOMES_OF_CHECK if job.state == JobState.CHECKED else _OUTCOMES
    chosen = query.get("esito", "")
    chosen = chosen if chosen in outcomes else _first_look(job)
    rows, previous, following = _rows(job, chosen, query)
    subjects = subjects_of(rows)
    return {
        "progress": progress_of(job),
        "lines": [_line(job, row, subjects) for row in rows],
        "chips": [Chip(str(word), f"?esito={slug}", slug == chosen) for slug, (word, _states) in outcomes.items()],
        "page": {"previous": previous, "next": following},
    }


class JobAdmin(PanelAdmin):
    """Gestione Servizi › Operazioni."""

    slug = "operazioni"
    title = gettext_lazy("Operazioni")
    icon = "files"
    group = SERVICES
    url_name = "jobs"

    def pages(self) -> Sequence[URLPattern]:
        """The list, one job, and stopping it."""
        return [
            path("", self.at_desk(require_safe(self.show_list)), name="jobs"),
            path("<uuid:uid>/", self.at_desk(require_safe(self.show_job)), name="job"),
            path("<uuid:uid>/interrompi/", self.at_desk(self.stop), name="stop_job"),
        ]

    def show_list(self, request: HttpRequest) -> HttpResponse:
        """Show the jobs of the scope, newest first."""
        page = page_of(jobs_of(at(request)), request.GET)
        context = {
            **self.admin_site.each_context(request),
            "page": page,
            "jobs": [progress_of(job) for job in page.rows],
            "title": self.title,
        }
        return render(request, "admin/cms/jobs.html", context)

    def show_job(self, request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
        """Show one job; the page looks again by itself while it runs."""
        desk = at(request)
        job = _in_scope(desk, uid)
        if job.kind == JobKind.IMPORT:
            return redirect("admin:import", job.uid)
        shown = shown_rows(job, request.GET, lambda rows: self.subjects_of(desk, job, rows))
        context = {
            **self.admin_site.each_context(request),
            **shown,
            "may_stop": job.state == JobState.RUNNING and _may_stop(job, desk),
            "title": _(job.get_kind_display()),
        }
        return render(request, "admin/cms/job.html", context)

    def stop(self, request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
        """GET asks, POST stops a job under way."""
        desk = at(request)
        job = _in_scope(desk, uid)
        if request.method == "POST":
            return _stopped(request, job, desk)
        if job.state != JobState.RUNNING or not _may_stop(job, desk):
            messages.warning(request, _why_not_stopped(job))
            return redirect("admin:job", uid)
        progress = progress_of(job)
        context = {
            **self.admin_site.each_context(request),
            "facts": [
                (_("Operazione"), _(job.get_kind_display())),
                (_("Già eseguite"), progress.settled),
                (_("Da fare"), progress.left),
            ],
            "consequence": [
                _("Le righe già eseguite restano come sono: le decisioni prese non vengono annullate."),
                _("Le altre non vengono eseguite; le pratiche restano da decidere e si possono selezionare di nuovo."),
            ],
            "is_risky": True,
            "action": _("Interrompi l'operazione"),
            "back": reverse("admin:job", args=[uid]),
            "title": _("Interrompere l'operazione?"),
        }
        return render(request, "admin/cms/job_stop.html", context)

    def subjects_of(self, desk: Desk, job: Job, rows: Sequence[JobRow]) -> Mapping[int, Subject]:
        """What rows are about, by their id; whoever knows cases says more (`renewals.admin`)."""
        del desk, job, rows
        return {}


def _in_scope(desk: Desk, uid: uuid.UUID) -> Job:
    job = jobs_of(desk).filter(uid=uid).first()
    if job is None:
        raise Http404
    return job


def _may_stop(job: Job, desk: Desk) -> bool:
    """Whether the button stands; the use case asks again."""
    if job.kind == JobKind.IMPORT or not desk.may_decide(job.centre_id):
        return False
    return job.started_by_id == desk.operator.pk or desk.manages(job.centre_id)


def _stopped(request: HttpRequest, job: Job, desk: Desk) -> HttpResponse:
    try:
        jobs.stop_job(job.uid, operator=desk.operator, now=desk.now)
    except DomainError as refusal:
        said = _("Operazione non interrotta. %(why)s") % {"why": refusal.text}
        messages.error(request, format_html("{} <span class='code'>{}</span>", said, refusal.reason_code))
    else:
        messages.success(request, _("Operazione interrotta: le righe rimaste non vengono eseguite."))
    return redirect("admin:job", job.uid)


def _why_not_stopped(job: Job) -> str:
    if job.state == JobState.RUNNING:
        return _("L'operazione può essere interrotta da chi l'ha avviata o dal responsabile del CDRL.")
    return _("L'operazione non è in corso: non c'è nulla da interrompere.")


def _first_look(job: Job) -> str:
    """What is shown unless something else is asked for: of a check, the rows that somebody must mend."""
    return _REFUSED if job.state == JobState.CHECKED and job.refused else _ALL


def badge_of(job: Job, row: JobRow) -> Badge:
    """Look and word of a row's outcome, by how its job stands: checked, worked on, or stopped."""
    state = JobRowState(row.state)
    said = _WORDS.get((JobState(job.state), state))
    role, icon, word = said or (*_ROW_LOOKS[state], _(state.label))
    return Badge(role, icon, str(word))


def _rows(job: Job, chosen: str, query: QueryDict) -> tuple[list[JobRow], str, str]:
    """Rows of a page in the order of the job, with the addresses beside it."""
    found = job.rows.filter(state__in=_OUTCOMES[chosen][1])
    before, after = number(query.get("prima")), number(query.get("dopo"))
    if before is not None:
        rows = list(found.filter(position__lt=before).order_by("-position")[: ROWS + 1])
        has_previous, has_next, rows = len(rows) > ROWS, True, rows[:ROWS][::-1]
    else:
        rows = list(found.filter(position__gt=after or 0).order_by("position")[: ROWS + 1])
        has_previous, has_next, rows = after is not None, len(rows) > ROWS, rows[:ROWS]
    previous = _address(chosen, "prima", rows[0].position) if rows and has_previous else ""
    return rows, previous, _address(chosen, "dopo", rows[-1].position) if rows and has_next else ""


def _address(chosen: str, name: str, position: int) -> str:
    query = QueryDict(mutable=True)
    query.update({"esito": chosen, name: str(position)})
    return f"?{query.urlencode()}"


def _line(job: Job, row: JobRow, subjects: Mapping[int, Subject]) -> Line:
    said = subjects.get(row.pk) or Subject(_("Riga %(number)d") % {"number": row.position})
    return Line(row, said, badge_of(job, row))
