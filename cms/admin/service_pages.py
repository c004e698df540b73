"""Servizi: which products there are, how they renew and what follows them."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from cms.admin.agreement_forms import NewServiceForm, ServiceForm
from cms.admin.agreements import changing
from cms.admin.desk import Desk
from cms.admin.office import Question, ask_or_do, in_office, is_office_open_to, office_of
from cms.admin.site import ADMINISTRATION, PanelPage
from cms.models import Service
from cms.services import organisations
from cms.states import CertificateType

MOST_SERVICES = 200


class ServicesPage(PanelPage):
    """Servizi."""

    slug = "servizi"
    title = gettext_lazy("Servizi")
    icon = "settings"
    group = ADMINISTRATION
    url_name = "services"

    def pages(self) -> Sequence[URLPattern]:
        """The list, and what administrators change."""
        return [
            path("", in_office(self, require_safe(self.show_list)), name="services"),
            path("nuovo/", changing(self, self.offer), name="offer_service"),
            path("<slug:code>/", changing(self, self.change), name="change_service"),
        ]

    def is_open_to(self, desk: Desk) -> bool:
        """Administrators, managers, auditors."""
        return is_office_open_to(desk)

    def show_list(self, request: HttpRequest) -> HttpResponse:
        """Show the services: all to administrators, to others those agreed with their centres."""
        office = office_of(request)
        services = Service.objects.select_related("successor")
        if not office.is_administrator:
            services = services.filter(agreements__centre__in=office.centres).distinct()
        counted = services.annotate(agreed=Count("agreements", distinct=True)).order_by("name")[:MOST_SERVICES]
        context = {
            **self.admin_site.each_context(request),
            "office": office,
            "rows": [(each, [_(CertificateType(kind).label) for kind in each.types]) for each in counted],
            "title": self.title,
        }
        return render(request, "admin/cms/services_offered.html", context)

    def offer(self, request: HttpRequest) -> HttpResponse:
        """GET asks for the service's data, POST adds it."""
        office, form = office_of(request), NewServiceForm(request.POST or None)
        question = Question(
            title=_("Aggiungi un servizio"),
            action=_("Aggiungi il servizio"),
            back=reverse("admin:services"),
            consequence=[_("Nessuno lo può ancora scegliere: serve un accordo con un CDRL.")],
            form=form,
        )

        def deed() -> None:
            organisations.offer_service(
                form.cleaned_data["code"], form.values(), operator=office.operator, now=office.now
            )

        return ask_or_do(request, self, question, deed, _("Servizio aggiunto."))

    def change(self, request: HttpRequest, code: str) -> HttpResponse:
        """GET shows the data in a form, POST changes them; what pairs stand on is locked."""
        office = office_of(request)
        service = Service.objects.filter(code=code).first()
        if service is None:
            raise Http404
        is_in_use = organisations.is_in_use(service.pk)
        form = ServiceForm(request.POST or None, instance=service, is_in_use=is_in_use)
        fixed = _("Esistono già coppie di certificati: flusso, certificati e durata non possono più cambiare.")
        kept = _("Le pratiche già aperte tengono la finestra e il successore che avevano all'apertura.")
        question = Question(
            title=_("Modifica %(name)s") % {"name": service.name},
            action=_("Salva le modifiche"),
            back=reverse("admin:services"),
            consequence=[fixed, kept] if is_in_use else [kept],
            form=form,
        )

        def deed() -> None:
            organisations.change_service(service.pk, form.values(), operator=office.operator, now=office.now)

        return ask_or_do(request, self, question, deed, _("Servizio modificato."))
