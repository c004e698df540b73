"""What the pages about requests for help show: the queue, its filters, one request in all its facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from cms.admin.counting import BOUND, bounded_counts
from cms.admin.desk import PROVIDER_ROLE, Desk
from cms.admin.words import Badge, bounded, distance, instant
from cms.models import User
from renewals import queries
from renewals.admin.listing import Chip
from renewals.admin.support_words import Meaning, meaning_of
from renewals.codes import parse_number
from renewals.models import RenewalCase, SupportAnswer, SupportLog, SupportRequest
from renewals.services.support import mailbox_of
from renewals.states import Step, SupportState
from runtime import fence

MOST_SHOWN = 20_000
"""Characters of the log's end that the page shows; the file holds all of it."""

_LOOKS = {
    SupportState.OPEN: ("wait", "clock"),
    SupportState.ASSIGNED: ("ok", "user"),
    SupportState.CLOSED: ("neutral", "check"),
}
_STATES: dict[str, tuple[Any, Q]] = {
    "": (gettext_lazy("Aperte"), ~Q(state=SupportState.CLOSED)),
    "da-prendere": (gettext_lazy("Da prendere in carico"), Q(state=SupportState.OPEN)),
    "in-carico": (gettext_lazy("In carico"), Q(state=SupportState.ASSIGNED)),
    "chiuse": (gettext_lazy("Chiuse"), Q(state=SupportState.CLOSED)),
    "tutte": (gettext_lazy("Tutte"), Q()),
}


@contextmanager
def beyond_centres(desk: Desk) -> Iterator[None]:
    """Let administrators of the provider see what belongs to no centre; nobody else notices."""
    standing = fence.standing()
    if not desk.is_administrator or standing is None or standing.role == PROVIDER_ROLE:
        yield
        return
    fence.stand_behind(replace(standing, role=PROVIDER_ROLE))
    try:
        yield
    finally:
        fence.stand_behind(standing)


def in_sight(desk: Desk) -> QuerySet[SupportRequest]:
    """Requests of the scope, and for administrators those of no centre."""
    mine = Q(centre_id__in=desk.scope.centre_ids, service_id__in=desk.scope.service_ids)
    if desk.is_administrator:
        mine |= Q(centre__isnull=True)
    return SupportRequest.objects.filter(mine).select_related("case", "holder", "centre", "service")


def untaken(desk: Desk) -> QuerySet[SupportRequest]:
    """Requests that wait for somebody."""
    return in_sight(desk).filter(state=SupportState.OPEN)


@dataclass(frozen=True, slots=True)
class Filters:
    """What is chosen in the address. `cerca`: a number or a card's serial."""

    stato: str = ""
    mie: bool = False
    cerca: str = ""

    @classmethod
    def read(cls, query: QueryDict) -> Filters:
        """Read an address; what is unknown counts as not chosen."""
        state = query.get("stato", "")
        return cls(
            stato=state if state in _STATES else "",
            mie=query.get("mie") == "1",
            cerca=query.get("cerca", "").strip()[:40],
        )

    def address(self, **change: Any) -> str:
        """Write the address with something chosen differently, from the first page on."""
        other = replace(self, **change)
        query = QueryDict(mutable=True)
        said = {"stato": other.stato, "mie": "1" if other.mie else "", "cerca": other.cerca}
        query.update({name: value for name, value in said.items() if value})
        return f"?{query.urlencode()}"

    def narrowed(self, desk: Desk) -> QuerySet[SupportRequest]:
        """Rows that fit; whoever searches wants them in any state."""
        found = in_sight(desk).filter(Q(assigned_to=desk.operator.pk) if self.mie else Q())
        if not self.cerca:
            return found.filter(_STATES[self.stato][1])
        number = parse_number(self.cerca)
        return found.filter(Q(number=number) if number else Q(card_serial=self.cerca.upper()))

    @property
    def is_narrow(self) -> bool:
        """Whether anything but the open ones was asked for."""
        return self != Filters()


@dataclass(frozen=True, slots=True)
class Row:
    """One request as the queue shows it."""

    request: SupportRequest
    badge: Badge
    meaning: Meaning | None
    who: str
    age: str


def chips(desk: Desk, filters: Filters) -> list[Chip]:
    """States with their numbers, and one's own."""
    base = in_sight(desk)
    sets = {slug: base.filter(condition) for slug, (_word, condition) in _STATES.items()}
    counts = bounded_counts(
        sets | {"mie": base.filter(assigned_to=desk.operator.pk).exclude(state=SupportState.CLOSED)}
    )
    states = [
        Chip(
            str(word),
            filters.address(stato=slug, mie=False, cerca=""),
            bounded(counts[slug], BOUND),
            is_chosen=slug == filters.stato and not filters.mie and not filters.cerca,
            is_all=not slug,
        )
        for slug, (word, _condition) in _STATES.items()
    ]
    mine = Chip(
        _("Assegnate a me"),
        filters.address(mie=not filters.mie, stato="", cerca=""),
        bounded(counts["mie"], BOUND),
        is_chosen=filters.mie,
    )
    return [*states, mine]


def rows_of(found: Iterable[SupportRequest], desk: Desk) -> list[Row]:
    """Requests of a page, with who has each."""
    rows = list(found)
    names = _names(row.assigned_to for row in rows)
    return [
        Row(
            row,
            badge_of(row),
            meaning_of(row.code),
            names.get(row.assigned_to or 0, ""),
            age(row.opened_at, desk.now),
        )
        for row in rows
    ]


def age(at: datetime, now: datetime) -> str:
    """Say how long somebody has been waiting: on the first day in minutes and hours, later as everywhere."""
    minutes = max(1, (now - at) // timedelta(minutes=1))
    if minutes < 60:
        return ngettext("%d minuto fa", "%d minuti fa", minutes) % minutes
    if minutes < 24 * 60:
        return ngettext("%d ora fa", "%d ore fa", minutes // 60) % (minutes // 60)
    return distance(at, now)


def step_of(request: SupportRequest) -> str:
    """Say the step in words; one that only the client knows stands as it came."""
    return _(Step(request.step).label) if request.step in Step.values else request.step


def badge_of(request: SupportRequest) -> Badge:
    """How a request stands."""
    state = SupportState(request.state)
    return Badge(*_LOOKS[state], _(state.label))


def page_of_request(request: SupportRequest, desk: Desk) -> dict[str, Any]:
    """All that one request's page shows."""
    log = log_of(request)
    answers = list(SupportAnswer.objects.filter(request=request).order_by("pk"))
    names = _names([request.assigned_to, request.closed_by, *(answer.author_id for answer in answers)])
    address, is_registered = mailbox_of(request)
    return {
        "support": request,
        "badge": badge_of(request),
        "meaning": meaning_of(request.code),
        "step": step_of(request),
        "age": age(request.opened_at, desk.now),
        "case": _case_of(request, desk),
        "address": address,
        "is_registered": is_registered,
        "who": names.get(request.assigned_to or 0, ""),
        "closed_by": names.get(request.closed_by or 0, ""),
        "answers": [(answer, names.get(answer.author_id, "–")) for answer in answers],
        "log": log[-MOST_SHOWN:],
        "log_is_cut": len(log) > MOST_SHOWN,
    }


def facts_in_short(request: SupportRequest) -> list[tuple[str, Any]]:
    """Which request is meant, for pages that ask."""
    address, is_registered = mailbox_of(request)
    mark = _("registrata") if is_registered else _("non verificata")
    return [
        (_("Numero"), request.number),
        (_("Codice"), request.code),
        (_("Aperta"), instant(request.opened_at)),
        (_("E-mail per la risposta"), f"{address} · {mark}" if address else _("Nessuna")),
    ]


def consequences_of_answer(request: SupportRequest) -> list[str]:
    """What follows from an answer, and what is not known about who reads it."""
    address, is_registered = mailbox_of(request)
    if not address:
        return [_("Nella richiesta non c'è un'e-mail: la risposta non può essere inviata.")]
    lines = [_("La risposta parte per e-mail e resta nella richiesta. Se nessuno l'ha in carico, passa a Lei.")]
    if is_registered:
        return [*lines, _("Arriva alla casella registrata del titolare, che ha aperto la richiesta con la Sua carta.")]
    unproven = _("L'e-mail è stata digitata e nessuno l'ha verificata: non scriva dati del titolare né della pratica.")
    return [*lines, unproven]


def consequences_of_closing(request: SupportRequest) -> list[str]:
    """What follows from closing."""
    lines = [_("La richiesta esce dall'elenco di quelle aperte. Si può riaprire.")]
    if log_of(request):
        days = settings.RENEWALS.support_log_days
        kept = ngettext(
            "Il log del programma viene eliminato dopo %d giorno.",
            "Il log del programma viene eliminato dopo %d giorni.",
            days,
        )
        lines.append(kept % days)
    if request.answered_at is None:
        lines.append(_("Il titolare non ha ancora ricevuto una risposta, e non viene avvisato della chiusura."))
    return lines


def log_of(request: SupportRequest) -> str:
    """The client's log, or nothing: not sent, or deleted after its time."""
    return SupportLog.objects.filter(pk=request.pk).values_list("text", flat=True).first() or ""


def _case_of(request: SupportRequest, desk: Desk) -> RenewalCase | None:
    """The case that was proven, or the newest one of the card that was named."""
    if request.case is not None or not request.card_serial:
        return request.case
    named = queries.in_scope(desk.scope).filter(card__serial=request.card_serial)
    return named.order_by("-pk").first()


def _names(ids: Iterable[int | None]) -> dict[int, str]:
    return {pk: str(person) for pk, person in User.objects.in_bulk({pk for pk in ids if pk}).items()}
