"""Stato dei certificati: the last comparison from outside, what did not agree, and the checks before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from cms import registers
from cms.admin.agreements import administrators_only
from cms.admin.desk import Desk
from cms.admin.office import in_office, office_of, told
from cms.admin.paging import page_of
from cms.admin.site import ADMINISTRATION, PanelPage
from cms.admin.words import Badge, instant
from cms.errors import DomainError
from cms.models import StatusCheck, StatusDifference
from cms.services import checks
from cms.states import CertificateStatus, DifferenceKind

_SAID = {
    "": "–",
    "good": gettext_lazy("valido"),
    "held": gettext_lazy("sospeso"),
    "revoked": gettext_lazy("revocato"),
    "unknown": gettext_lazy("sconosciuto"),
    "unreachable": gettext_lazy("non risponde"),
    "malformed": gettext_lazy("risposta illeggibile"),
    "bad-signature": gettext_lazy("firma non valida"),
    "stale": gettext_lazy("scaduto"),
    "number-back": gettext_lazy("numero inferiore al precedente"),
    "other-address": gettext_lazy("lista di un altro indirizzo"),
}
"""What a source says, or what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One difference: what it is about, what each says, and the certificate's page where this person may see it."""

    kind: str
    name: str
    address: str
    page: str
    said: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Past:
    """One check of the history."""

    check: StatusCheck
    badge: Badge
    found: int


class ChecksPage(PanelPage):
    """Stato dei certificati."""

    slug = "stato-certificati"
    title = gettext_lazy("Stato dei certificati")
    icon = "check-circle"
    group = ADMINISTRATION
    url_name = "status_checks"
    waiting_words = gettext_lazy("differenze")

    def pages(self) -> Sequence[URLPattern]:
        """The newest check with the history, one check of it, and the button."""
        return [
            path("", in_office(self, administrators_only(require_safe(self.show))), name="status_checks"),
            path("avvia/", in_office(self, administrators_only(require_POST(self.start))), name="start_status_check"),
            path("<uuid:uid>/", in_office(self, administrators_only(require_safe(self.show))), name="status_check"),
        ]

    def is_open_to(self, desk: Desk) -> bool:
        """Administrators of the provider."""
        return desk.is_administrator

    def waiting(self, desk: Desk) -> QuerySet[StatusDifference] | None:
        """Differences of the last complete check."""
        if not desk.is_administrator:
            return None
        newest = StatusCheck.objects.filter(finished_at__isnull=False).order_by("-pk").values("pk")[:1]
        return StatusDifference.objects.filter(check_run__in=newest)

    def show(self, request: HttpRequest, uid: str | None = None) -> HttpResponse:
        """Show one check, the newest unless another is named; its differences by pages, and the checks before."""
        every = StatusCheck.objects.order_by("-pk")
        check = every.first() if uid is None else every.filter(uid=uid).first()
        if uid is not None and check is None:
            raise Http404
        found = StatusDifference.objects.filter(check_run=check, confirmed_at__isnull=False)
        page = page_of(found, request.GET)
        context = {
            **self.admin_site.each_context(request),
            "check": check,
            "badge": badge_of(check, bool(page.rows)) if check else None,
            "facts": _facts(check) if check else [],
            "lists": _lists(check) if check else [],
            "page": page,
            "lines": _lines(page.rows),
            "past": _past(every),
            "progress": {"is_running": check is not None and check.finished_at is None},
            "title": self.title,
        }
        return render(request, "admin/cms/status_checks.html", context)

    def start(self, request: HttpRequest) -> HttpResponse:
        """Begin a check; one that is under way goes on."""
        office = office_of(request)
        try:
            checks.start_check(operator=office.operator, now=office.now)
        except DomainError as refusal:
            messages.error(request, told(refusal))
        else:
            messages.success(request, _("Controllo avviato: procede da solo, anche se chiude la pagina."))
        return redirect("admin:status_checks")


def badge_of(check: StatusCheck, differs: bool) -> Badge:  # noqa: FBT001 - what is said of it
    """How a check stands."""
    if check.finished_at is None:
        return Badge("wait", "clock", _("In corso"))
    return Badge("danger", "error", _("Differenze")) if differs else Badge("ok", "check", _("Tutto concorda"))


def _facts(check: StatusCheck) -> list[tuple[str, str]]:
    by = _("Un amministratore") if check.started_by else _("Controllo notturno o riga di comando")
    facts = [(_("Iniziato"), instant(check.started_at)), (_("Avviato da"), by)]
    counted = str(check.checked)
    if check.finished_at is not None:
        facts.append((_("Concluso"), instant(check.finished_at)))
    else:  # the total is that of the beginning; certificates issued since then are looked at as well
        counted = _("%(done)d di %(all)d") % {"done": check.checked, "all": max(check.checked, check.total)}
    return [*facts, (_("Certificati controllati"), counted)]


def _lists(check: StatusCheck) -> list[tuple[str, dict[str, object]]]:
    """Lists that were read, with their dates as instants."""
    read = []
    for address, seen in sorted(check.lists.items()):
        dates = {name: datetime.fromisoformat(str(seen[name])) for name in ("this_update", "next_update")}
        read.append((address, {**seen, **dates}))
    return read


def _lines(rows: Sequence[StatusDifference]) -> list[Line]:
    """Differences in words; certificates behind the fence are named by their number alone."""
    names = {(row.issuer_key_id, row.serial) for row in rows if row.serial}
    pages = {name: page for each in registers.every() for name, page in each.pages(names).items()}
    return [
        Line(
            _(DifferenceKind(row.kind).label),
            row.serial,
            row.address,
            pages.get((row.issuer_key_id, row.serial), ""),
            [
                (_("Registro"), _registered(row)),
                (_("CA"), said(row.ca_status)),
                (_("CRL"), said(row.crl_status)),
                (_("OCSP"), said(row.ocsp_status)),
            ],
        )
        for row in rows
    ]


def _registered(row: StatusDifference) -> str:
    """Say what the register says; about a list as a whole it says nothing."""
    if row.kind == DifferenceKind.LIST:
        return "–"
    status = row.register_status
    return _(CertificateStatus(status).label).lower() if status in CertificateStatus.values else _("sconosciuto")


def said(status: str) -> str:
    """Say what a source says."""
    return str(_SAID.get(status, status))


def _past(every: QuerySet[StatusCheck]) -> list[Past]:
    counted = every.annotate(found=Count("differences", filter=Q(differences__confirmed_at__isnull=False)))[:30]
    return [Past(check, badge_of(check, bool(check.found)), check.found) for check in counted]
