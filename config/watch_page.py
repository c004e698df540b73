"""Sorveglianza: what a person must look at now, what gives signs of life, and the alarms that are over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from cms.admin.agreements import administrators_only
from cms.admin.desk import Desk
from cms.admin.office import in_office, office_of
from cms.admin.paging import page_of
from cms.admin.site import ADMINISTRATION, PanelPage
from cms.admin.words import Badge, instant
from config.conditions import BEAT, CONDITIONS, LONGEST_SILENCE, SCHEDULE, WATCH, age_of
from config.models import Alarm
from notifications.alarm_words import UNKNOWN, WORDS, Text
from renewals import queries as renewals

_SIGNS = {
    BEAT: gettext_lazy("Beat"),
    SCHEDULE: gettext_lazy("Attività periodiche (beat, Redis, worker)"),
    WATCH: gettext_lazy("Sorveglianza"),
}
_ORDER = list(CONDITIONS)


@dataclass(frozen=True, slots=True)
class Line:
    """One alarm in words."""

    alarm: Alarm
    title: str
    detail: str
    remedy: str
    lasted: str = ""


class WatchPage(PanelPage):
    """Sorveglianza."""

    slug = "sorveglianza"
    title = gettext_lazy("Sorveglianza")
    icon = "warning-circle"
    group = ADMINISTRATION
    url_name = "watch"
    waiting_words = gettext_lazy("allarmi aperti")

    def pages(self) -> Sequence[URLPattern]:
        """The one page."""
        return [path("", in_office(self, administrators_only(require_safe(self.show))), name="watch")]

    def is_open_to(self, desk: Desk) -> bool:
        """Administrators of the provider."""
        return desk.is_administrator

    def waiting(self, desk: Desk) -> QuerySet[Alarm] | None:
        """Alarms that are open."""
        return Alarm.objects.filter(closed_at__isnull=True) if desk.is_administrator else None

    def show(self, request: HttpRequest) -> HttpResponse:
        """Show the open alarms, the gravest first, and the former ones, the newest first."""
        now = office_of(request).now
        standing = sorted(Alarm.objects.filter(closed_at__isnull=True), key=_gravity)
        page = page_of(Alarm.objects.filter(closed_at__isnull=False), request.GET)
        context = {
            **self.admin_site.each_context(request),
            "standing": [_line(alarm) for alarm in standing],
            "signs": [_sign(name, word, now) for name, word in _SIGNS.items()],
            "stop": renewals.stop_in_force(now),
            "page": page,
            "former": [_line(alarm) for alarm in page.rows],
            "now": now,
            "title": self.title,
        }
        return render(request, "admin/config/watch.html", context)


def _gravity(alarm: Alarm) -> tuple[int, datetime]:
    return _ORDER.index(alarm.kind) if alarm.kind in _ORDER else len(_ORDER), alarm.opened_at


def _line(alarm: Alarm) -> Line:
    words = WORDS.get(alarm.kind, UNKNOWN)
    lasted = lasting(alarm.closed_at - alarm.opened_at) if alarm.closed_at else ""
    return Line(alarm, str(words.title), words.detail(alarm.facts, instant), str(words.remedy), lasted)


def _sign(name: str, word: Text, now: datetime) -> tuple[str, str, Badge]:
    """Name, age in words, and whether it is young enough."""
    age = age_of(name, now)
    if age is None:
        return str(word), _("mai"), Badge("neutral", "clock", _("Nessun segno"))
    well = age <= LONGEST_SILENCE
    badge = Badge("ok", "check", _("In funzione")) if well else Badge("danger", "error", _("Fermo"))
    return str(word), _("%(time)s fa") % {"time": lasting(age)}, badge


def lasting(time: timedelta) -> str:
    """Say a duration by its largest unit: `40 secondi`, `12 minuti`, `3 ore`, `2 giorni`."""
    seconds = max(0, round(time.total_seconds()))
    if seconds < 60:
        return ngettext("%d secondo", "%d secondi", seconds) % seconds
    if seconds < 3600:
        return ngettext("%d minuto", "%d minuti", seconds // 60) % (seconds // 60)
    if seconds < 86_400:
        return ngettext("%d ora", "%d ore", seconds // 3600) % (seconds // 3600)
    return ngettext("%d giorno", "%d giorni", seconds // 86_400) % (seconds // 86_400)
