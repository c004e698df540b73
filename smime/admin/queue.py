"""The queue of checks that wait for an officer: what is shown, by which filter, in which order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from cms.admin.counting import BOUND, bounded_counts
from cms.admin.desk import Desk
from cms.admin.words import Badge, bounded, distance
from cms.models import User
from smime.admin.words import check_badge
from smime.models import Check, IdentificationAttempt, Order
from smime.policy import APPROVED_BY_PERSON
from smime.policy_desk import AT_DESK
from smime.states import AttemptState, CheckKind, CheckState, IdentityPath, OrderState

MOST_SHOWN = 100


def _outcome(state: AttemptState) -> Exists:
    """Whether the identification that a check waits with ended like this."""
    attempts = IdentificationAttempt.objects.filter(order=OuterRef("order_id"), round=OuterRef("round"))
    return Exists(attempts.filter(is_final=True, counts_as_failure=False, state=state))


_REVIEW = Q(state=CheckState.IN_REVIEW)
_FACE = _REVIEW & Q(kind=CheckKind.IDENTITY) & ~Q(path=IdentityPath.SIGNATURE)
_KINDS: dict[str, tuple[Any, Any]] = {
    "": (gettext_lazy("Tutte"), _REVIEW),
    "organizzazione": (gettext_lazy("Organizzazione"), _REVIEW & Q(kind=CheckKind.ORGANISATION)),
    "poteri": (gettext_lazy("Poteri del richiedente"), _REVIEW & Q(kind=CheckKind.AUTHORITY)),
    "attestazione": (gettext_lazy("Attestazione"), _REVIEW & Q(kind=CheckKind.ATTESTATION)),
    "da-confrontare": (gettext_lazy("Riconoscimento da confrontare"), _FACE & Q(_outcome(AttemptState.APPROVED))),
    "dubbi": (gettext_lazy("Riconoscimento dubbio"), _FACE & Q(_outcome(AttemptState.SUSPECTED))),
    "firma": (
        gettext_lazy("Firma qualificata"),
        _REVIEW & Q(kind=CheckKind.IDENTITY, path=IdentityPath.SIGNATURE),
    ),
}
_WAITING = Q(state=CheckState.WAITING_CUSTOMER, kind__in=AT_DESK)


@dataclass(frozen=True, slots=True)
class Chip:
    """A choice of the filter with its number."""

    word: str
    address: str
    count: str
    is_chosen: bool
    is_all: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One check as the queue shows it."""

    check: Check
    what: str
    badge: Badge
    who: str
    age: str
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Filters:
    """What is chosen in the address."""

    tipo: str = ""
    mie: bool = False
    attesa: bool = False

    @classmethod
    def read(cls, query: QueryDict) -> Filters:
        """Read an address; what is unknown counts as not chosen."""
        kind = query.get("tipo", "")
        return cls(kind if kind in _KINDS else "", query.get("mie") == "1", query.get("attesa") == "1")

    def narrowed(self, desk: Desk) -> QuerySet[Check]:
        """Checks that fit, the longest waiting first."""
        found = in_scope(desk).filter(_WAITING if self.attesa else _KINDS[self.tipo][1])
        mine = Q(held_by=desk.operator.pk) if self.mie else Q()
        return found.filter(mine).order_by("waiting_since", "pk")

    @property
    def is_narrow(self) -> bool:
        """Whether anything but the whole queue was asked for."""
        return self != Filters()


def orders_in_scope(desk: Desk) -> QuerySet[Order]:
    """Orders of the operator's centres and chosen service."""
    return Order.objects.filter(centre_id__in=desk.scope.centre_ids, service_id__in=desk.scope.service_ids)


def in_scope(desk: Desk) -> QuerySet[Check]:
    """Checks of orders under verification, within the scope."""
    where = {"order__centre_id__in": desk.scope.centre_ids, "order__service_id__in": desk.scope.service_ids}
    return Check.objects.filter(order__state=OrderState.CHECKING, **where).select_related("order__buyer")


def in_review(desk: Desk) -> QuerySet[Check]:
    """Checks that wait for an officer."""
    return in_scope(desk).filter(_REVIEW)


def to_approve(desk: Desk) -> QuerySet[Order]:
    """OV and SV orders whose checks have all passed and still count."""
    mine = Check.objects.filter(order=OuterRef("pk"))
    by_signature = mine.filter(kind=CheckKind.IDENTITY, path=IdentityPath.SIGNATURE)
    open_ = mine.exclude(state=CheckState.PASSED, valid_until__gt=desk.now)
    waits = orders_in_scope(desk).filter(state=OrderState.CHECKING, validation__in=APPROVED_BY_PERSON)
    rest = ~Exists(open_.exclude(kind=CheckKind.CONSENT)) & Exists(mine)
    return waits.filter(rest & (~Exists(open_.filter(kind=CheckKind.CONSENT)) | Exists(by_signature)))


def chips(desk: Desk, filters: Filters) -> tuple[list[Chip], list[Chip]]:
    """Types with their numbers; and whose they are, or who is waited for."""
    base = in_scope(desk)
    sets: dict[str, QuerySet[Any]] = {slug: base.filter(condition) for slug, (_word, condition) in _KINDS.items()}
    sets |= {"mie": base.filter(_REVIEW, held_by=desk.operator.pk), "attesa": base.filter(_WAITING)}
    counts = bounded_counts(sets)
    kinds = [
        Chip(
            str(word),
            f"?tipo={slug}" if slug else "?",
            bounded(counts[slug], BOUND),
            is_chosen=slug == filters.tipo and not filters.mie and not filters.attesa,
            is_all=not slug,
        )
        for slug, (word, _condition) in _KINDS.items()
    ]
    others = [
        Chip(_("In carico a me"), "?" if filters.mie else "?mie=1", bounded(counts["mie"], BOUND), filters.mie),
        Chip(
            _("Documenti attesi dal cliente"),
            "?" if filters.attesa else "?attesa=1",
            bounded(counts["attesa"], BOUND),
            filters.attesa,
        ),
    ]
    return kinds, others


def rows_of(found: Iterable[Check], desk: Desk) -> list[Row]:
    """Checks of a page, with who has each."""
    rows = list(found)
    names = names_of(row.held_by for row in rows)
    outcomes = _outcomes(rows)
    return [
        Row(
            check=row,
            what=what_of(row, outcomes.get((row.order_id, row.round))),
            badge=check_badge(row, desk.now),
            who=names.get(row.held_by or 0, ""),
            age=age(row.waiting_since, desk.now),
            ends_at=lapses_at(row.order),
        )
        for row in rows
    ]


def what_of(check: Check, outcome: str | None = None) -> str:
    """Say what has to be looked at."""
    if check.kind != CheckKind.IDENTITY:
        return _(CheckKind(check.kind).label)
    if check.path == IdentityPath.SIGNATURE:
        return _("Firma elettronica qualificata")
    if outcome == AttemptState.SUSPECTED:
        return _("Riconoscimento dubbio")
    return _("Riconoscimento da confrontare") if outcome else _("Riconoscimento")


def age(at: datetime | None, now: datetime) -> str:
    """Say how long it waits: on the first day in minutes and hours, later in days."""
    if at is None:
        return ""
    minutes = max(1, (now - at) // timedelta(minutes=1))
    if minutes < 60:
        return ngettext("%d minuto fa", "%d minuti fa", minutes) % minutes
    if minutes < 24 * 60:
        return ngettext("%d ora fa", "%d ore fa", minutes // 60) % (minutes // 60)
    return distance(at, now)


def lapses_at(order: Order) -> datetime | None:
    """When the order lapses if its checks are not concluded."""
    if order.submitted_at is None or order.state != OrderState.CHECKING:
        return None
    days: int = settings.SMIME.checking_days
    return order.submitted_at + timedelta(days=days)


def names_of(ids: Iterable[int | None]) -> dict[int, str]:
    """Names of accounts by id."""
    return {pk: str(person) for pk, person in User.objects.in_bulk({pk for pk in ids if pk}).items()}


def _outcomes(rows: Iterable[Check]) -> dict[tuple[int, int], str]:
    faces = [row.order_id for row in rows if row.kind == CheckKind.IDENTITY]
    found = IdentificationAttempt.objects.filter(order_id__in=faces, is_final=True, counts_as_failure=False)
    return {(each.order_id, each.round): each.state for each in found.order_by("number")}
