"""Certificati: the certificates of the chosen service and how they stand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from cms.admin import subjects
from cms.admin.desk import at
from cms.admin.paging import page_of
from cms.admin.site import SERVICES, PanelAdmin
from cms.admin.words import Badge
from cms.models import Certificate
from cms.policy import is_expired
from cms.states import CertificateStatus

_LOOKS = {
    CertificateStatus.ISSUED: ("wait", "clock"),
    CertificateStatus.ACTIVE: ("ok", "check-circle"),
    CertificateStatus.HELD: ("danger", "lock"),
    CertificateStatus.REVOKED: ("danger", "ban"),
}


def status_badge(certificate: Certificate, *, replaced: bool, now: datetime) -> Badge:
    """Status as people see it: *expired* and *replaced* are computed, a revocation outlives both."""
    status = CertificateStatus(certificate.status)
    if status == CertificateStatus.ACTIVE and replaced:
        return Badge("neutral", "exchange-circle", _("Sostituito"))
    if status != CertificateStatus.REVOKED and is_expired(certificate.not_after, now):
        return Badge("danger", "clock", _("Scaduto"))
    role, icon = _LOOKS[status]
    return Badge(role, icon, str(status.label))


class CertificateAdmin(PanelAdmin):
    """Gestione Servizi › Certificati."""

    slug = "certificati"
    title = gettext_lazy("Certificati")
    icon = "key"
    group = SERVICES
    url_name = "certificates"

    def pages(self) -> Sequence[URLPattern]:
        """List and search."""
        return [
            path("", self.at_desk(require_safe(self.show_list)), name="certificates"),
            path("cerca/", self.at_desk(require_POST(self.search)), name="find_certificates"),
        ]

    def show_list(self, request: HttpRequest) -> HttpResponse:
        """Show certificates of the scope."""
        return self._list(request)

    def search(self, request: HttpRequest) -> HttpResponse:
        """Narrow to the cards that were typed."""
        return subjects.led_to(request, "admin:certificates") or self._list(request, missed=request.POST.get("q", ""))

    def _list(self, request: HttpRequest, missed: str = "") -> HttpResponse:
        desk = at(request)
        cards = subjects.cards_of(desk, request.GET) if "carta" in request.GET else []
        found = Certificate.objects.filter(
            pair__centre_id__in=desk.scope.centre_ids, pair__service_id__in=desk.scope.service_ids
        )
        if "carta" in request.GET:
            found = found.filter(pair__card__in=cards)
        proven = Certificate.objects.filter(pair__predecessor=OuterRef("pair_id"), proven_at__isnull=False)
        related = found.select_related("pair__card", "pair__holder", "pair__service").annotate(replaced=Exists(proven))
        page = page_of(related, request.GET)
        rows = [
            {"certificate": row, "badge": status_badge(row, replaced=bool(row.replaced), now=desk.now)}  # type: ignore[attr-defined] # annotated above
            for row in page.rows
        ]
        context = {
            **self.admin_site.each_context(request),
            "page": page,
            "rows": rows,
            "subject": subjects.said(cards),
            "missed": missed,
            "title": self.title,
        }
        return render(request, "admin/cms/certificates.html", context)
