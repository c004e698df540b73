"""What the list of cases can be narrowed to. It stands in the address: ids and closed words, never a person's data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from cms.admin.paging import number
from cms.models import Service
from cms.states import RENEWING, Channel, Flow
from renewals.models import RenewalCase
from renewals.states import SIGNED_STATES, Authorisation, CaseState, Due

MOST_HOLDERS = 50
SIZES = (25, 50, 100)
HORIZONS = (7, 15, 30)

TO_AUTHORISE = Q(authorisation=Authorisation.PENDING, state__in=SIGNED_STATES)
AUTHORISATIONS = {
    "da-autorizzare": (gettext_lazy("Da autorizzare"), TO_AUTHORISE),
    "approvata": (gettext_lazy("Approvata"), Q(authorisation=Authorisation.APPROVED)),
    "non-approvata": (gettext_lazy("Non approvata"), Q(authorisation=Authorisation.REFUSED)),
    "non-richiesta": (gettext_lazy("Non richiesta"), Q(authorisation=Authorisation.NOT_REQUIRED)),
}
STATES = {label.lower().replace(" ", "-"): (label, Q(state=value)) for value, label in CaseState.choices}
CHANNELS = {
    "automatico": (gettext_lazy("Aperta in automatico"), Channel.AUTOMATIC),
    "client": (gettext_lazy("Avviata dal titolare sul client carta"), Channel.CLIENT),
    "pannello": (gettext_lazy("Riaperta dal pannello"), Channel.PANEL),
    "importazione": (gettext_lazy("Importata"), Channel.IMPORT),
}
_DUE_SLUGS = {"sospensione": Due.SUSPEND, "scadenza": Due.EXPIRE, "revoca": Due.REVOKE}
_DUE_WORDS = {
    "": gettext_lazy("Qualsiasi azione automatica"),
    "sospensione": gettext_lazy("Sospensione"),
    "scadenza": gettext_lazy("Scadenza della pratica"),
    "revoca": gettext_lazy("Revoca"),
}
OVERDUE = "in-ritardo"


@dataclass(frozen=True, slots=True)
class Deadline:
    """A choice of the deadline: which automatic action (all of them for none named), within how many days (0: any)."""

    kind: str = ""
    days: int = 0
    is_overdue: bool = False

    @classmethod
    def read(cls, slug: str) -> Deadline | None:
        """Read `7`, `revoca`, `sospensione-15` or `in-ritardo`; None for anything else."""
        if slug == OVERDUE:
            return cls(is_overdue=True)
        kind, _dash, days = slug.rpartition("-") if slug[-1:].isdigit() else (slug, "", "0")
        horizon = number(days)
        if kind not in _DUE_WORDS or horizon not in {0, *HORIZONS} or not (kind or horizon):
            return None
        return cls(kind, horizon or 0)

    @property
    def word(self) -> str:
        """Say it."""
        if self.is_overdue:
            return _("Azione automatica in ritardo")
        if not self.days:
            return _("%(what)s in programma") % {"what": _DUE_WORDS[self.kind]}
        return _("%(what)s entro %(days)d giorni") % {"what": _DUE_WORDS[self.kind], "days": self.days}

    def condition(self, now: datetime) -> Q:
        """Rows of the index of due actions."""
        kinds = [_DUE_SLUGS[self.kind]] if self.kind else list(Due)
        if self.is_overdue:
            return Q(due_kind__in=kinds, due_at__lte=now)
        within = Q(due_at__lte=now + timedelta(days=self.days)) if self.days else Q(due_at__isnull=False)
        return Q(due_kind__in=kinds) & within


@dataclass(frozen=True, slots=True)
class Filters:
    """What stands in the address. Never a name, a codice fiscale or a serial: addresses end up in logs."""

    stato: str = ""
    autorizzazione: str = ""
    scadenza: str = ""
    flusso: str = ""
    canale: str = ""
    durata: str = ""
    titolare: tuple[int, ...] = ()
    carta: int | None = None
    righe: int = SIZES[0]

    @classmethod
    def read(cls, query: QueryDict) -> Filters:
        """Read the address; what is not known is left out."""
        holders = [pk for text in query.getlist("titolare")[:MOST_HOLDERS] if (pk := number(text)) is not None]
        size = number(query.get("righe"))
        return cls(
            stato=_known(query, "stato", STATES.__contains__),
            autorizzazione=_known(query, "autorizzazione", AUTHORISATIONS.__contains__),
            scadenza=_known(query, "scadenza", lambda slug: Deadline.read(slug) is not None),
            flusso=_known(query, "flusso", RENEWING.__contains__),
            canale=_known(query, "canale", CHANNELS.__contains__),
            durata=_known(query, "durata", lambda text: number(text) is not None),
            titolare=tuple(holders),
            carta=number(query.get("carta")),
            righe=size if size in SIZES else SIZES[0],
        )

    @property
    def deadline(self) -> Deadline | None:
        """The chosen deadline."""
        return Deadline.read(self.scadenza) if self.scadenza else None

    @property
    def is_empty(self) -> bool:
        """Whether everything is shown."""
        return replace(self, righe=SIZES[0]) == Filters()

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Names and values as they stand in the address; what is as usual falls out."""
        usual = Filters()
        said: list[tuple[str, str]] = []
        for field in fields(self):
            value = getattr(self, field.name)
            if value != getattr(usual, field.name):
                said += [(field.name, str(one)) for one in (value if isinstance(value, tuple) else (value,))]
        return said

    def address(self, **changes: Any) -> str:
        """Query string with these changes; `prima` and `dopo` name a place in the list."""
        place = {name: str(changes.pop(name)) for name in ("prima", "dopo") if name in changes}
        query = QueryDict(mutable=True)
        for name, value in [*replace(self, **changes).pairs, *place.items()]:
            query.appendlist(name, value)
        return f"?{query.urlencode()}"

    def narrowed(
        self, cases: QuerySet[RenewalCase], services: Sequence[Service], now: datetime
    ) -> QuerySet[RenewalCase]:
        """Everything but state and authorisation, whose choices are counted side by side.

        Flow and term are facts of the service and are fixed once it has pairs: they choose services, whose ids every
        index of cases begins with.
        """
        if self.titolare:
            cases = cases.filter(holder_id__in=self.titolare)
        if self.carta:
            cases = cases.filter(card_id=self.carta)
        if self.flusso or self.durata:
            cases = cases.filter(service_id__in=[service.pk for service in services if self._fits(service)])
        if self.canale:
            cases = cases.filter(opened_through=CHANNELS[self.canale][1])
        return cases.filter(self.deadline.condition(now)) if self.deadline else cases

    def _fits(self, service: Service) -> bool:
        fits_flow = not self.flusso or service.flow == self.flusso
        return fits_flow and (not self.durata or str(service.issuing.term_years) == self.durata)


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a select."""

    value: str
    word: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Select:
    """One question of the filter form; its choices in groups."""

    name: str
    label: str
    groups: list[tuple[str, list[Choice]]]


def selects(filters: Filters, services: Sequence[Service]) -> list[Select]:
    """The questions beside state and authorisation; flow and term only where the services of the scope differ."""
    channels = [(slug, str(word)) for slug, (word, _value) in CHANNELS.items()]
    asked = [
        _select("scadenza", _("Azione automatica"), _deadlines(), filters.scadenza),
        _select("canale", _("Come è arrivata"), [("", channels)], filters.canale),
    ]
    flows = sorted({service.flow for service in services})
    if len(flows) > 1 or filters.flusso:
        said = [(flow, _(Flow(flow).label)) for flow in flows]
        asked.append(_select("flusso", _("Flusso"), [("", said)], filters.flusso))
    terms = sorted({service.issuing.term_years for service in services})
    if len(terms) > 1 or filters.durata:
        asked.append(
            _select("durata", _("Durata"), [("", [(str(one), term_word(one)) for one in terms])], filters.durata)
        )
    return asked


def term_word(years: int) -> str:
    """Say a term."""
    return ngettext("%d anno", "%d anni", years) % years


def words(filters: Filters) -> list[tuple[str, dict[str, Any]]]:
    """What is chosen in the form, each with the change that takes it off."""
    said: list[tuple[str, dict[str, Any]]] = []
    if filters.deadline:
        said.append((filters.deadline.word, {"scadenza": ""}))
    if filters.canale:
        said.append((str(CHANNELS[filters.canale][0]), {"canale": ""}))
    if filters.flusso:
        said.append((_(Flow(filters.flusso).label), {"flusso": ""}))
    if filters.durata:
        said.append((term_word(int(filters.durata)), {"durata": ""}))
    return said


def _known(query: QueryDict, name: str, is_known: Callable[[Any], bool]) -> str:
    value = query.get(name, "")
    return value if value and is_known(value) else ""


def _deadlines() -> list[tuple[str, list[tuple[str, str]]]]:
    groups = [("", [(OVERDUE, _("In ritardo"))])]
    for kind, word in _DUE_WORDS.items():
        within = [
            (
                f"{kind}-{days}" if kind else str(days),
                _("%(what)s entro %(days)d giorni") % {"what": word, "days": days},
            )
            for days in HORIZONS
        ]
        groups.append((str(word), within if not kind else [*within, (kind, Deadline(kind).word)]))
    return groups


def _select(name: str, label: str, groups: list[tuple[str, list[tuple[str, str]]]], chosen: str) -> Select:
    built = [(group, [Choice(value, word, value == chosen) for value, word in options]) for group, options in groups]
    return Select(name, label, built)
