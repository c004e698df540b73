"""Importazione: a centre's cards come in by file. First the report of what would happen, then the operator's word."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cms import roster
from cms.admin.desk import Desk, at
from cms.admin.exports import CHUNK, csv_answer
from cms.admin.jobs import Subject, badge_of, jobs_of, progress_of, shown_rows
from cms.admin.paging import page_of
from cms.admin.site import OFFICE, PanelPage
from cms.errors import DomainError
from cms.models import Agreement, Job, JobRow, Pair
from cms.services import import_files, intake
from cms.states import JobKind, JobState

SAMPLE = (
    ("RSSMRA85T10A562S", "Rossi", "Mario", "mario.rossi@example.org", "+39 347 1234567", "Via delle Prove 1", "50100",
     "Firenze", "FI", "7430010000000041", "ACe 2021", "31/03/2024", "02/04/2024", "31/03/2030", "", ""),
)  # fmt: skip


class UploadForm(forms.Form):
    """The two files of an import, and the centre where the operator works in several."""

    agreement = forms.ModelChoiceField(
        Agreement.objects.none(), label=gettext_lazy("CDRL"), empty_label=None, widget=forms.Select
    )
    table = forms.FileField(
        label=gettext_lazy("Titolari e carte (CSV)"),
        help_text=gettext_lazy("Una riga per carta; UTF-8 o Windows-1252, virgola o punto e virgola."),
        error_messages={"required": gettext_lazy("Scelga il file CSV dei titolari e delle carte.")},
    )
    certificates = forms.FileField(
        label=gettext_lazy("Certificati (ZIP, PEM, DER o PKCS #7)"),
        help_text=gettext_lazy("I certificati installati sulle carte; i nomi dei file non contano."),
        error_messages={"required": gettext_lazy("Scelga il file dei certificati.")},
    )

    def __init__(self, desk: Desk, *args: Any, **kwargs: Any) -> None:
        """Offer the centres in which this operator decides, under the chosen service."""
        super().__init__(*args, **kwargs)
        chosen = agreements_of(desk)
        field = self.fields["agreement"]
        field.queryset = chosen  # type: ignore[attr-defined] # a ModelChoiceField
        field.label_from_instance = lambda agreement: agreement.centre.name  # type: ignore[attr-defined] # the same
        only = list(chosen[:2])
        if len(only) == 1:
            self.initial["agreement"] = only[0].pk
            field.widget = forms.HiddenInput()


class ImportPage(PanelPage):
    """Importazione."""

    slug = "importazione"
    title = gettext_lazy("Importazione")
    icon = "inbox"
    group = OFFICE
    url_name = "imports"

    def pages(self) -> Sequence[URLPattern]:
        """Upload and list, sample, one import with its report, its two decisions."""
        return [
            path("", self.at_desk(require_http_methods(["GET", "HEAD", "POST"])(self.receive)), name="imports"),
            path("modello.csv", self.at_desk(require_safe(self.download_sample)), name="import_sample"),
            path("<uuid:uid>/", self.at_desk(require_safe(self.show_import)), name="import"),
            path("<uuid:uid>/avvia/", self.at_desk(require_POST(self.start)), name="start_import"),
            path("<uuid:uid>/annulla/", self.at_desk(self.discard), name="discard_import"),
            path("<uuid:uid>/esito.csv", self.at_desk(require_safe(self.download_report)), name="import_report"),
        ]

    def receive(self, request: HttpRequest) -> HttpResponse:
        """GET shows the form and the imports of the scope, POST takes the files in."""
        desk = at(request)
        if request.method != "POST":
            return self._list(request, UploadForm(desk))
        form = UploadForm(desk, request.POST, request.FILES)
        if getattr(request, "sent_too_much", False):
            form.add_error(None, _("I file superano la dimensione ammessa: li divida in più importazioni."))
        if not form.is_valid():
            return self._list(request, form, status=422)
        try:
            job = intake.receive_import(
                form.cleaned_data["agreement"].pk,
                table=form.cleaned_data["table"].read(),
                certificates=form.cleaned_data["certificates"].chunks(import_files.SLICE),
                operator=desk.operator,
                now=desk.now,
            )
        except DomainError as refusal:
            form.add_error(None, _said(refusal))
            return self._list(request, form, status=422)
        return redirect("admin:import", job.uid)

    def show_import(self, request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
        """Show an import: its check, its progress, what became of each row."""
        desk = at(request)
        job = _in_scope(desk, uid)
        context = {
            **self.admin_site.each_context(request),
            **shown_rows(job, request.GET, lambda rows: _subjects(desk, rows)),
            "job": job,
            "plan": job.total - job.refused,
            "may_act": desk.may_decide(job.centre_id),
            "is_open": job.state in intake.OPEN,
            "title": _(job.get_kind_display()),
        }
        return render(request, "admin/cms/import.html", context)

    def start(self, request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
        """Start a checked import."""
        desk = at(request)
        job = _in_scope(desk, uid)
        try:
            intake.start_import(job.uid, operator=desk.operator, now=desk.now)
        except DomainError as refusal:
            messages.error(request, _not_done(refusal))
        else:
            messages.success(request, _("Importazione avviata."))
        return redirect("admin:import", uid)

    def discard(self, request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
        """GET asks, POST gives the import up."""
        desk = at(request)
        job = _in_scope(desk, uid)
        if request.method == "POST":
            try:
                intake.discard_import(job.uid, operator=desk.operator, now=desk.now)
            except DomainError as refusal:
                messages.error(request, _not_done(refusal))
            else:
                messages.success(request, _("Importazione chiusa: i file caricati sono stati eliminati."))
            return redirect("admin:import", uid)
        running = job.state == JobState.RUNNING
        context = {
            **self.admin_site.each_context(request),
            "facts": [(_("CDRL"), job.centre), (_("Righe"), job.total), (_("Già registrate"), job.done)],
            "consequence": _losses(job),
            "is_risky": True,
            "action": _("Interrompi l'importazione") if running else _("Abbandona l'importazione"),
            "back": reverse("admin:import", args=[uid]),
            "title": _("Interrompere l'importazione?") if running else _("Abbandonare l'importazione?"),
        }
        return render(request, "admin/cms/import_discard.html", context)

    def download_sample(self, request: HttpRequest) -> HttpResponseBase:
        """Hand out a table to fill in."""
        del request
        return csv_answer("modello-importazione", [column.name for column in roster.COLUMNS.values()], SAMPLE)

    def download_report(self, request: HttpRequest, uid: uuid.UUID) -> HttpResponseBase:
        """Hand out what became of each row."""
        job = _in_scope(at(request), uid)
        head = [_("riga"), _("seriale_carta"), _("esito"), _("codice"), _("spiegazione")]
        return csv_answer(f"importazione-{job.created_at:%Y%m%d}", head, _reported(job))

    def _list(self, request: HttpRequest, form: UploadForm, *, status: int = 200) -> HttpResponse:
        desk = at(request)
        page = page_of(_imports(desk), request.GET)
        context = {
            **self.admin_site.each_context(request),
            "form": form,
            "may_import": agreements_of(desk).exists(),
            "page": page,
            "jobs": [progress_of(job) for job in page.rows],
            "columns": _columns(),
            "title": self.title,
        }
        return render(request, "admin/cms/imports.html", context, status=status)


def agreements_of(desk: Desk) -> QuerySet[Agreement]:
    """Agreements of the chosen service in the centres where this operator decides."""
    centres = [centre for centre in desk.scope.centre_ids if desk.may_decide(centre)]
    chosen = Agreement.objects.filter(centre_id__in=centres, service=desk.service)
    return chosen.select_related("centre").order_by("centre__name")


def _imports(desk: Desk) -> QuerySet[Job]:
    return jobs_of(desk).filter(kind=JobKind.IMPORT)


def _in_scope(desk: Desk, uid: uuid.UUID) -> Job:
    job = _imports(desk).filter(uid=uid).first()
    if job is None:
        raise Http404
    return job


def _subjects(desk: Desk, rows: Sequence[JobRow]) -> Mapping[int, Subject]:
    """The card of each row; registered ones lead to their holder."""
    ids = [row.subject_id for row in rows if row.subject_id]
    mine = Pair.objects.filter(
        pk__in=ids, centre_id__in=desk.scope.centre_ids, service_id__in=desk.scope.service_ids
    ).select_related("holder")
    pairs = mine.in_bulk()
    return {row.pk: _subject(row, pairs.get(row.subject_id or 0)) for row in rows}


def _subject(row: JobRow, pair: Pair | None) -> Subject:
    card = row.payload.get("card") or "–"
    if pair is None:
        return Subject(_("Carta %(serial)s") % {"serial": card})
    return Subject(str(pair.holder), card)


def _reported(job: Job) -> Iterator[Sequence[str | int]]:
    """Rows in their order, read by key in chunks."""
    last = -1
    while rows := list(job.rows.filter(position__gt=last).order_by("position")[:CHUNK]):
        for row in rows:
            yield row.position, row.payload.get("card", ""), badge_of(job, row).word, row.code, _(row.text)
        last = rows[-1].position


def _losses(job: Job) -> list[str]:
    lines = [_("I file caricati vengono eliminati subito.")]
    if job.state == JobState.RUNNING:
        lines.append(_("Le carte già registrate restano nel registro; le altre righe non vengono più eseguite."))
    else:
        lines.append(_("Nessuna carta viene registrata."))
    return lines


def _columns() -> list[tuple[str, str, bool]]:
    return [(column.name, column.said, column.is_needed) for column in roster.COLUMNS.values()]


def _said(refusal: DomainError) -> str:
    return format_html("{} <span class='code'>{}</span>", _(refusal.text), refusal.reason_code)


def _not_done(refusal: DomainError) -> str:
    text = _("Operazione non eseguita. %(why)s") % {"why": _(refusal.text)}
    return format_html("{} <span class='code'>{}</span>", text, refusal.reason_code)
