"""Fermo delle revoche: whether the clock may revoke, who has stopped it, and the way to stop it or let it go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from cms.admin.agreements import administrators_only, changing
from cms.admin.counting import BOUND
from cms.admin.desk import Desk
from cms.admin.office import Question, ask_or_do, in_office, office_of
from cms.admin.paging import page_of
from cms.admin.site import ADMINISTRATION, PanelPage
from cms.admin.words import Badge, bounded, distance, instant
from cms.models import User
from cms.policy import hold_lapses_at, rome_date
from renewals import policy, queries
from renewals.models import RevocationStop
from renewals.services import stops


class StopForm(forms.Form):
    """Why, and until when."""

    reason = forms.CharField(
        label=gettext_lazy("Motivo"),
        help_text=gettext_lazy("Chi conferma lo legge, e resta negli eventi. Non scriva dati di persone."),
        max_length=stops.LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Indichi il motivo: senza, il fermo non può essere chiesto.")},
    )
    last_day = forms.DateField(
        label=gettext_lazy("Ultimo giorno di fermo"),
        help_text=gettext_lazy("Compreso. Al massimo 30 giorni da oggi; dopo, le revoche dovute partono da sole."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": gettext_lazy("Indichi l'ultimo giorno: un fermo senza fine non esiste.")},
    )

    def ends_at(self, now: datetime) -> datetime:
        """00:00 in Italy of the day after the last one."""
        days: date = self.cleaned_data["last_day"]
        left = (days - rome_date(now)).days
        return now if left < 0 else hold_lapses_at(now, min(left, policy.LONGEST_STOP_DAYS + 1))


@dataclass(frozen=True, slots=True)
class Row:
    """A stop as the history shows it."""

    stop: RevocationStop
    badge: Badge
    asked_by: str
    confirmed_by: str
    closed_by: str


class StopPage(PanelPage):
    """Fermo delle revoche."""

    slug = "fermo-revoche"
    title = gettext_lazy("Fermo delle revoche")
    icon = "ban"
    group = ADMINISTRATION
    url_name = "revocation_stop"
    waiting_words = gettext_lazy("fermi da confermare")

    def pages(self) -> Sequence[URLPattern]:
        """How it stands, and the four steps."""
        return [
            path("", in_office(self, administrators_only(require_safe(self.show))), name="revocation_stop"),
            path("chiedi/", changing(self, self.ask), name="ask_stop"),
            path("<uuid:uid>/conferma/", changing(self, self.confirm), name="confirm_stop"),
            path("<uuid:uid>/ritira/", changing(self, self.withdraw), name="withdraw_stop"),
            path("<uuid:uid>/togli/", changing(self, self.lift), name="lift_stop"),
        ]

    def is_open_to(self, desk: Desk) -> bool:
        """Administrators of the provider."""
        return desk.is_administrator

    def waiting(self, desk: Desk) -> QuerySet[RevocationStop] | None:
        """Stops that wait for this administrator's word."""
        if not desk.is_administrator:
            return None
        asked = RevocationStop.objects.filter(confirmed_at__isnull=True, closed_at__isnull=True, ends_at__gt=desk.now)
        return asked.exclude(asked_by=desk.operator.pk)

    def show(self, request: HttpRequest) -> HttpResponse:
        """Show what is in force, what waits, how many revocations that concerns, and the former ones."""
        office = office_of(request)
        stop, asked = queries.stop_in_force(office.now), queries.waiting_stop(office.now)
        page = page_of(RevocationStop.objects.all(), request.GET)
        context = {
            **self.admin_site.each_context(request),
            "in_force": stop,
            "asked": asked,
            "is_mine": asked is not None and asked.asked_by == office.operator.pk,
            "badge_in_force": badge_of(stop, office.now) if stop else None,
            "badge_asked": badge_of(asked, office.now) if asked else None,
            "facts": facts_of(stop, office.now) if stop else [],
            "asked_facts": facts_of(asked, office.now) if asked else [],
            "due": _due(office.now),
            "page": page,
            "rows": rows_of(page.rows, office.now),
            "now": office.now,
            "title": self.title,
        }
        return render(request, "admin/renewals/stop.html", context)

    def ask(self, request: HttpRequest) -> HttpResponse:
        """GET asks why and until when, POST asks for the stop."""
        office = office_of(request)
        first = rome_date(office.now) + timedelta(days=1)
        form = StopForm(request.POST or None, initial={"last_day": first})
        question = Question(
            title=_("Chiedi un fermo delle revoche"),
            action=_("Chiedi il fermo"),
            back=_home(),
            facts=[(_("Revoche automatiche dovute ora"), _due(office.now))],
            consequence=[
                _("Il fermo vale solo quando un altro amministratore lo conferma."),
                _("Fino alla fine, al giorno 121 nulla viene revocato da solo."),
                _("Sospensioni, approvazioni e revoche a mano continuano."),
                _("Alla fine, o se il fermo viene tolto, le revoche dovute partono subito."),
            ],
            is_risky=True,
            form=form,
        )

        def deed() -> RevocationStop:
            ends_at = form.ends_at(office.now)
            return stops.ask_stop(form.cleaned_data["reason"], ends_at, operator=office.operator, now=office.now)

        return ask_or_do(request, self, question, deed, _("Fermo chiesto: ora un altro amministratore lo conferma."))

    def confirm(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        """GET shows what is confirmed, POST puts it in force."""
        question = Question(
            title=_("Conferma il fermo delle revoche"),
            action=_("Conferma il fermo"),
            back=_home(),
            facts=self._facts(request, uid),
            consequence=[
                _("Da subito, al giorno 121 nulla viene revocato da solo, in nessun CDRL."),
                _("I certificati con la revoca dovuta restano sospesi; chi li ha può ancora essere autorizzato."),
            ],
            is_risky=True,
        )
        return self._act(request, question, stops.confirm_stop, uid, _("Fermo delle revoche in vigore."))

    def withdraw(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        """GET asks, POST closes the request."""
        question = Question(
            title=_("Ritira la richiesta di fermo"),
            action=_("Ritira la richiesta"),
            back=_home(),
            facts=self._facts(request, uid),
            consequence=[_("Le revoche automatiche continuano come sempre.")],
        )
        return self._act(request, question, stops.withdraw_stop, uid, _("Richiesta di fermo ritirata."))

    def lift(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        """GET says what follows, POST ends the stop."""
        office = office_of(request)
        question = Question(
            title=_("Togli il fermo delle revoche"),
            action=_("Togli il fermo"),
            back=_home(),
            facts=[*self._facts(request, uid), (_("Revoche dovute ora"), _due(office.now))],
            consequence=[
                _("Le revoche dovute partono entro un minuto, e sono definitive."),
                _("Se non c'è un altro fermo in vigore, il giorno 121 torna a revocare."),
            ],
            is_risky=True,
        )
        return self._act(request, question, stops.lift_stop, uid, _("Fermo tolto: le revoche dovute partono ora."))

    def _facts(self, request: HttpRequest, uid: UUID) -> list[tuple[str, Any]]:
        stop = RevocationStop.objects.filter(uid=uid).first()
        if stop is None:
            raise Http404
        return facts_of(stop, office_of(request).now)

    def _act(
        self, request: HttpRequest, question: Question, step: Callable[..., RevocationStop], uid: UUID, done: str
    ) -> HttpResponse:
        office = office_of(request)
        return ask_or_do(request, self, question, lambda: step(uid, operator=office.operator, now=office.now), done)


def facts_of(stop: RevocationStop, now: datetime) -> list[tuple[str, Any]]:
    """What is known of a stop, in lines."""
    names = _names([stop])
    facts = [
        (_("Motivo"), stop.reason),
        (_("Fino al"), f"{instant(stop.ends_at)} · {distance(stop.ends_at, now)}"),
        (_("Chiesto da"), f"{names.get(stop.asked_by, '–')} · {instant(stop.asked_at)}"),
    ]
    if stop.confirmed_at is not None:
        facts.append((_("Confermato da"), f"{names.get(stop.confirmed_by or 0, '–')} · {instant(stop.confirmed_at)}"))
    facts.append((_("Revoche dovute entro la fine"), _due(stop.ends_at)))
    return facts


def rows_of(found: Iterable[RevocationStop], now: datetime) -> list[Row]:
    """Stops for the history, with the names of who did what."""
    rows = list(found)
    names = _names(rows)
    return [
        Row(
            stop,
            badge_of(stop, now),
            names.get(stop.asked_by, "–"),
            names.get(stop.confirmed_by or 0, ""),
            names.get(stop.closed_by or 0, ""),
        )
        for stop in rows
    ]


def badge_of(stop: RevocationStop, now: datetime) -> Badge:
    """How a stop stands at this instant."""
    if stop.closed_at is not None:
        word = _("Ritirato") if stop.confirmed_at is None else _("Tolto")
        return Badge("neutral", "ban", word)
    if now >= stop.ends_at:
        word = _("Mai confermato") if stop.confirmed_at is None else _("Terminato")
        return Badge("neutral", "check", word)
    if stop.confirmed_at is None:
        return Badge("wait", "clock", _("Da confermare"))
    return Badge("danger", "ban", _("In vigore"))


def _names(rows: Sequence[RevocationStop]) -> dict[int, str]:
    ids = {who for row in rows for who in (row.asked_by, row.confirmed_by, row.closed_by) if who}
    return {pk: str(person) for pk, person in User.objects.in_bulk(ids).items()}


def _due(at: datetime) -> str:
    count = queries.stopped_revocations(at, BOUND)
    return ngettext("%s pratica o sospensione", "%s pratiche o sospensioni", count) % bounded(count, BOUND)


def _home() -> str:
    return reverse("admin:revocation_stop")
