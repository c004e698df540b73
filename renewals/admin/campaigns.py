"""Campagne: which cards are extended until when, how many were, who is on the list, and what is left in stock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from cms.admin.agreements import administrators_only, changing
from cms.admin.desk import Desk
from cms.admin.office import Question, ask_or_do, in_office, office_of, told
from cms.admin.paging import page_of
from cms.admin.site import ADMINISTRATION, PanelPage
from cms.admin.words import Badge, bounded, day
from cms.errors import DomainError
from cms.models import Campaign, CampaignEntry, Stock
from cms.policy import rome_date
from cms.services import campaigns
from cms.services.eligibility_lists import Report, extend_list
from cms.states import CertificateType
from renewals import queries
from renewals.admin.campaign_forms import CampaignForm, ListForm, NewCampaignForm

MOST_LEFT = 10_000


@dataclass(frozen=True, slots=True)
class Row:
    """A campaign as the list shows it; `free` units left under its issuing service, over all centres."""

    campaign: Campaign
    badge: Badge
    extended: int
    running: int
    free: int


class CampaignsPage(PanelPage):
    """Campagne."""

    slug = "campagne"
    title = gettext_lazy("Campagne")
    icon = "extend"
    group = ADMINISTRATION
    url_name = "campaigns"

    def pages(self) -> Sequence[URLPattern]:
        """The list, one campaign, and what administrators do."""
        return [
            path("", in_office(self, administrators_only(require_safe(self.show_list))), name="campaigns"),
            path("nuova/", changing(self, self.open), name="open_campaign"),
            path("<slug:code>/", in_office(self, administrators_only(require_safe(self.show))), name="campaign"),
            path("<slug:code>/modifica/", changing(self, self.change), name="change_campaign"),
            path("<slug:code>/elenco/", changing(self, self.take_list), name="campaign_list"),
        ]

    def is_open_to(self, desk: Desk) -> bool:
        """Administrators of the provider."""
        return desk.is_administrator

    def show_list(self, request: HttpRequest) -> HttpResponse:
        """Show all campaigns, the one that reaches furthest first."""
        page = page_of(
            Campaign.objects.select_related("service", "issuing_service").order_by("-target_on", "-pk"), request.GET
        )
        return self._answer(
            request, "campaigns", page=page, rows=rows_of(page.rows, office_of(request).now), title=self.title
        )

    def show(self, request: HttpRequest, code: str) -> HttpResponse:
        """Show one campaign: days, families, list, cases, stock by centre."""
        now, campaign = office_of(request).now, _campaign(code)
        (row,) = rows_of([campaign], now)
        listed = CampaignEntry.objects.filter(campaign=campaign)
        people, cards = listed.exclude(tax_code="").count(), listed.exclude(card_serial="").count()
        return self._answer(
            request,
            "campaign",
            row=row,
            campaign=campaign,
            facts=_facts(campaign),
            figures=_figures(row, now),
            listed=people + cards,
            people=people,
            cards=cards,
            stocks=_stocks().filter(service=campaign.issuing_service).select_related("centre").order_by("centre__name"),
            title=campaign.name,
        )

    def open(self, request: HttpRequest) -> HttpResponse:
        """GET asks for the campaign's data, POST opens it."""
        office, form = office_of(request), NewCampaignForm(request.POST or None)
        question = Question(
            title=_("Apri una campagna"),
            action=_("Apri la campagna"),
            back=reverse("admin:campaigns"),
            consequence=[
                _("Serve anche, per ogni CDRL, un accordo sul servizio di emissione con la sua giacenza."),
                _("Una volta iniziata, servizi, apertura e giorno dell'estensione non cambiano più."),
            ],
            form=form,
        )

        def deed() -> None:
            code = form.cleaned_data["code"]
            campaigns.open_campaign(code, form.draft(), operator=office.operator, now=office.now)

        return ask_or_do(request, self, question, deed, _("Campagna aperta."))

    def change(self, request: HttpRequest, code: str) -> HttpResponse:
        """GET shows the data in a form, POST changes them; what cases stand on is locked."""
        office, campaign = office_of(request), _campaign(code)
        is_begun = campaigns.has_begun(campaign, rome_date(office.now))
        form = CampaignForm(request.POST or None, campaign=campaign, is_begun=is_begun)
        kept = _("Le pratiche già aperte proseguono nella campagna come l'hanno trovata.")
        fixed = _("La campagna è iniziata: servizi, apertura e giorno dell'estensione non cambiano più.")
        question = Question(
            title=_("Modifica %(name)s") % {"name": campaign.name},
            action=_("Salva le modifiche"),
            back=reverse("admin:campaign", args=[code]),
            consequence=[fixed, kept] if is_begun else [kept],
            form=form,
        )

        def deed() -> None:
            campaigns.change_campaign(campaign.pk, form.draft(), operator=office.operator, now=office.now)

        return ask_or_do(request, self, question, deed, _("Campagna modificata."))

    def take_list(self, request: HttpRequest, code: str) -> HttpResponse:
        """GET asks for the file, POST adds what it names and says what became of its lines."""
        office, campaign = office_of(request), _campaign(code)
        if request.method != "POST":
            return self._ask_list(request, campaign, ListForm())
        form = ListForm(request.POST, request.FILES)
        if getattr(request, "sent_too_much", False):
            form.add_error(None, _("Il file supera la dimensione ammessa."))
        if not form.is_valid():
            return self._ask_list(request, campaign, form, status=422)
        content = form.cleaned_data["file"].read()
        try:
            report = extend_list(campaign.pk, content, operator=office.operator, now=office.now)
        except DomainError as refusal:
            form.add_error(None, told(refusal))
            return self._ask_list(request, campaign, form, status=422)
        for level, words in _reported(report):
            messages.add_message(request, level, words)
        return redirect("admin:campaign", code)

    def _ask_list(self, request: HttpRequest, campaign: Campaign, form: ListForm, *, status: int = 200) -> HttpResponse:
        listed = CampaignEntry.objects.filter(campaign=campaign).count()
        named = {"campaign": campaign, "form": form, "listed": listed, "title": _("Carica l'elenco")}
        return self._answer(request, "campaign_list", status=status, **named)

    def _answer(self, request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
        frame = self.admin_site.each_context(request)
        return render(request, f"admin/renewals/{template}.html", {**frame, **context}, status=status)


def rows_of(found: Iterable[Campaign], now: datetime) -> list[Row]:
    """Campaigns with how they go, in two statements."""
    listed = list(found)
    cases = queries.cases_of_campaigns([campaign.pk for campaign in listed])
    stocks = _stocks().filter(service_id__in={campaign.issuing_service_id for campaign in listed})
    free = dict(stocks.order_by().values_list("service_id").annotate(Sum("free")))
    return [
        Row(
            campaign,
            badge_of(campaign, rome_date(now)),
            *cases.get(campaign.pk, (0, 0)),
            free.get(campaign.issuing_service_id, 0),
        )
        for campaign in listed
    ]


def _stocks() -> QuerySet[Stock]:
    return Stock.objects.filter(type=CertificateType.AUTHENTICATION)


def badge_of(campaign: Campaign, today: date) -> Badge:
    """How a campaign stands on a day in Italy."""
    if today < campaign.opens_on:
        return Badge("neutral", "clock", _("Da aprire"))
    if today > min(campaign.closes_on or campaign.target_on, campaign.target_on):
        return Badge("neutral", "check", _("Chiusa"))
    return Badge("ok", "check-circle", _("Aperta"))


def _campaign(code: str) -> Campaign:
    campaign = Campaign.objects.select_related("service", "issuing_service").filter(code=code).first()
    if campaign is None:
        raise Http404
    return campaign


def _facts(campaign: Campaign) -> list[tuple[str, str]]:
    last = campaign.closes_on or campaign.target_on
    families = ", ".join(family.code for family in campaign.families.all())
    return [
        (_("Codice"), campaign.code),
        (_("Servizio da estendere"), str(campaign.service)),
        (_("Servizio di emissione"), str(campaign.issuing_service)),
        (_("Aperta"), _("da %(first)s a %(last)s") % {"first": day(campaign.opens_on), "last": day(last)}),
        (_("Carte in scadenza"), _("entro %(day)s compreso") % {"day": day(campaign.cutoff_on)}),
        (_("Estensione fino a"), day(campaign.target_on)),
        (_("Famiglie di carte"), families or _("tutte")),
        (
            _("Chi può estendere"),
            _("solo chi è in elenco") if campaign.is_listed else _("chiunque abbia una carta adatta"),
        ),
    ]


def _figures(row: Row, now: datetime) -> list[tuple[str, str]]:
    left = queries.campaign_left(row.campaign.pk, now, MOST_LEFT)
    return [
        (_("Carte estese"), str(row.extended)),
        (_("In corso"), str(row.running)),
        (_("Ancora da estendere"), bounded(left, MOST_LEFT)),
        (_("Certificati disponibili"), str(row.free)),
    ]


def _reported(report: Report) -> Iterable[tuple[int, str]]:
    """What became of a file's lines, as messages."""
    added = ngettext("%(count)s voce aggiunta", "%(count)s voci aggiunte", report.added) % {"count": report.added}
    known = ngettext("%(count)s già presente", "%(count)s già presenti", report.known) % {"count": report.known}
    yield messages.SUCCESS, _("Elenco caricato: %(added)s, %(known)s.") % {"added": added, "known": known}
    if report.wrong:
        shown = ", ".join(str(number) for number in report.wrong_lines)
        more = "…" if report.wrong > len(report.wrong_lines) else ""
        words = ngettext(
            "%(count)s riga scartata, né codice fiscale né seriale: %(lines)s",
            "%(count)s righe scartate, né codice fiscale né seriale: %(lines)s",
            report.wrong,
        )
        yield messages.WARNING, words % {"count": report.wrong, "lines": shown + more}
