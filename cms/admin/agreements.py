"""CDRL e accordi, Servizi: what the provider has agreed with whom; administrators change it, others read their part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from cms.admin.agreement_forms import AgreementForm, CentreForm, NewAgreementForm, NewCentreForm
from cms.admin.desk import Desk
from cms.admin.entrance import confirmed_recently
from cms.admin.office import Office, Question, ask_or_do, in_office, is_office_open_to, office_of
from cms.admin.paging import page_of
from cms.admin.site import ADMINISTRATION, PanelPage, View
from cms.errors import AdministratorsOnly
from cms.models import Agreement, Centre
from cms.policy import require_administrator
from cms.services import organisations


class CentresPage(PanelPage):
    """CDRL e accordi."""

    slug = "cdrl"
    title = gettext_lazy("CDRL e accordi")
    icon = "files"
    group = ADMINISTRATION
    url_name = "centres"

    def pages(self) -> Sequence[URLPattern]:
        """The list, a centre with its agreements, and what administrators change."""
        return [
            path("", in_office(self, require_safe(self.show_list)), name="centres"),
            path("nuovo/", changing(self, self.register), name="register_centre"),
            path("<slug:code>/", in_office(self, require_safe(self.show_centre)), name="centre"),
            path("<slug:code>/modifica/", changing(self, self.change), name="change_centre"),
            path("<slug:code>/accordi/nuovo/", changing(self, self.agree), name="make_agreement"),
            path("<slug:code>/accordi/<slug:service>/", changing(self, self.change_agreement), name="change_agreement"),
        ]

    def is_open_to(self, desk: Desk) -> bool:
        """Administrators, managers, auditors."""
        return is_office_open_to(desk)

    def show_list(self, request: HttpRequest) -> HttpResponse:
        """Show the centres that he may look at, newest first."""
        office = office_of(request)
        page = page_of(office.centres.prefetch_related("agreements__service"), request.GET)
        context = {
            **self.admin_site.each_context(request),
            "office": office,
            "page": page,
            "rows": page.rows,
            "title": self.title,
        }
        return render(request, "admin/cms/centres.html", context)

    def show_centre(self, request: HttpRequest, code: str) -> HttpResponse:
        """Show one centre: contacts, session limits, agreements."""
        office = office_of(request)
        centre = _centre(office, code)
        context = {
            **self.admin_site.each_context(request),
            "office": office,
            "centre": centre,
            "agreements": centre.agreements.select_related("service").order_by("service__name"),
            "title": centre.name,
        }
        return render(request, "admin/cms/centre.html", context)

    def register(self, request: HttpRequest) -> HttpResponse:
        """GET asks for a centre's data, POST registers it."""
        office, form = office_of(request), NewCentreForm(request.POST or None)
        question = Question(
            title=_("Aggiungi un CDRL"),
            action=_("Aggiungi il CDRL"),
            back=reverse("admin:centres"),
            consequence=[
                _("Il CDRL nasce senza accordi e senza operatori: poi aggiunga un accordo e inviti il responsabile.")
            ],
            form=form,
        )

        def deed() -> None:
            organisations.register_centre(
                form.cleaned_data["code"], form.values(), operator=office.operator, now=office.now
            )

        return ask_or_do(request, self, question, deed, _("CDRL aggiunto."))

    def change(self, request: HttpRequest, code: str) -> HttpResponse:
        """GET shows the centre's data in a form, POST changes them."""
        office = office_of(request)
        centre = _centre(office, code)
        form = CentreForm(request.POST or None, instance=centre)
        question = Question(
            title=_("Modifica %(name)s") % {"name": centre.name},
            action=_("Salva le modifiche"),
            back=reverse("admin:centre", args=[code]),
            consequence=[
                _("I nuovi limiti di sessione raggiungono le sessioni aperte entro un minuto."),
                _("Un CDRL non attivo non è più visibile ai suoi operatori; pratiche e scadenze proseguono."),
            ],
            form=form,
        )

        def deed() -> None:
            organisations.change_centre(centre.pk, form.values(), operator=office.operator, now=office.now)

        return ask_or_do(request, self, question, deed, _("CDRL modificato."))

    def agree(self, request: HttpRequest, code: str) -> HttpResponse:
        """GET asks for service and terms, POST makes the agreement."""
        office = office_of(request)
        centre = _centre(office, code)
        form = NewAgreementForm(centre, request.POST or None)
        question = Question(
            title=_("Nuovo accordo con %(name)s") % {"name": centre.name},
            action=_("Stipula l'accordo"),
            back=reverse("admin:centre", args=[code]),
            consequence=[_("Gli operatori del CDRL possono scegliere il servizio da subito.")],
            form=form,
        )

        def deed() -> None:
            service_id = form.cleaned_data["service"].pk
            organisations.make_agreement(centre.pk, service_id, form.values(), operator=office.operator, now=office.now)

        return ask_or_do(request, self, question, deed, _("Accordo stipulato."))

    def change_agreement(self, request: HttpRequest, code: str, service: str) -> HttpResponse:
        """GET shows the terms in a form, POST changes them."""
        office = office_of(request)
        centre = _centre(office, code)
        agreement = Agreement.objects.filter(centre=centre, service__code=service).select_related("service").first()
        if agreement is None:
            raise Http404
        pk = agreement.pk
        form = AgreementForm(request.POST or None, instance=agreement)
        question = Question(
            title=_("Modifica l'accordo"),
            action=_("Salva le modifiche"),
            back=reverse("admin:centre", args=[code]),
            facts=[(_("CDRL"), centre.name), (_("Servizio"), agreement.service.name)],
            consequence=[_("Le pratiche già firmate mantengono l'autorizzazione concordata alla loro firma.")],
            form=form,
        )

        def deed() -> None:
            organisations.change_agreement(pk, form.values(), operator=office.operator, now=office.now)

        return ask_or_do(request, self, question, deed, _("Accordo modificato."))


def changing(page: PanelPage, view: View) -> View:
    """Wrap a view that only administrators reach, freshly confirmed; the use cases ask again."""

    def inner(request: HttpRequest, **named: Any) -> HttpResponseBase:
        return view(request, **named)

    return in_office(page, administrators_only(confirmed_recently(inner)))


def administrators_only(view: View) -> View:
    """Answer 404 to who is no administrator, within a view that `in_office` wraps."""

    def inner(request: HttpRequest, **named: Any) -> HttpResponseBase:
        try:
            require_administrator(office_of(request).operator)
        except AdministratorsOnly as refusal:
            raise Http404 from refusal
        return view(request, **named)

    return inner


def _centre(office: Office, code: str) -> Centre:
    centre = office.centres.filter(code=code).first()
    if centre is None:
        raise Http404
    return centre
