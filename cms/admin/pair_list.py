"""Filters and pages of *Certificati*: pairs of the scope, newest first, each page a range of an index per centre."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cms.admin.desk import Desk
from cms.admin.event_search import Chip, without
from cms.admin.paging import PAGE, number
from cms.admin.subjects import Subject, of_address
from cms.models import Agreement, Certificate, Pair
from cms.policy import ONE_SECOND
from cms.states import CertificateStatus, CertificateType

STATUSES = {
    "emesso": (gettext_lazy("Emesso, non installato"), Q(status=CertificateStatus.ISSUED)),
    "attivo": (gettext_lazy("Attivo"), Q(status=CertificateStatus.ACTIVE)),
    "sospeso": (gettext_lazy("Sospeso"), Q(status=CertificateStatus.HELD)),
    "revocato": (gettext_lazy("Revocato"), Q(status=CertificateStatus.REVOKED)),
}
TYPES = {
    "autenticazione": (gettext_lazy(CertificateType.AUTHENTICATION.label), Q(type=CertificateType.AUTHENTICATION)),
    "firma": (gettext_lazy(CertificateType.SIGNATURE.label), Q(type=CertificateType.SIGNATURE)),
}
EXPIRIES = {
    "30": (gettext_lazy("Entro 30 giorni"), 30),
    "60": (gettext_lazy("Entro 60 giorni"), 60),
    "90": (gettext_lazy("Entro 90 giorni"), 90),
    "scaduti": (gettext_lazy("Già scaduti"), 0),
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What stands in the address: slugs and ids."""

    subject: Subject
    status: str = ""
    type: str = ""
    expiry: str = ""

    @classmethod
    def read(cls, desk: Desk, query: QueryDict) -> Filters:
        """Read the address; what is not known is left out."""
        status, type_, expiry = (query.get(name, "") for name in ("stato", "tipo", "scadenza"))
        return cls(
            subject=of_address(desk, query),
            status=status if status in STATUSES else "",
            type=type_ if type_ in TYPES else "",
            expiry=expiry if expiry in EXPIRIES else "",
        )

    @property
    def is_any(self) -> bool:
        """Whether something is narrowed at all."""
        return bool(self.subject.is_named or self.status or self.type or self.expiry)

    def chips(self, query: QueryDict) -> list[Chip]:
        """Filters that are on, in words."""
        whom = self.subject.words or _("Ricerca")
        said: dict[str, Any] = {
            "carta titolare": whom if self.subject.is_named else "",
            "stato": STATUSES[self.status][0] if self.status else "",
            "tipo": TYPES[self.type][0] if self.type else "",
            "scadenza": EXPIRIES[self.expiry][0] if self.expiry else "",
        }
        return [Chip(str(word), without(query, *names.split())) for names, word in said.items() if word]

    def condition(self, desk: Desk) -> Q:
        """What a pair must be: whose it is, and a half of it that fits all the rest at once."""
        half = Q(pair=OuterRef("pk"))
        if self.status:
            half &= STATUSES[self.status][1]
        if self.type:
            half &= TYPES[self.type][1]
        if self.expiry:
            half &= _expiring(EXPIRIES[self.expiry][1], desk)
        narrowed = self.status or self.type or self.expiry
        return (Q(Exists(Certificate.objects.filter(half))) if narrowed else Q()) & self._of_subject()

    def _of_subject(self) -> Q:
        if not self.subject.is_named:
            return Q()
        cards, holders = self.subject.cards, self.subject.holders
        found = Q(card__in=cards) if cards else Q(pk__in=[])
        return found | Q(holder__in=holders) if holders else found


@dataclass(frozen=True, slots=True)
class Page:
    """Pairs with their halves, and the addresses of the pages beside them; an empty address is no link."""

    rows: list[Pair]
    previous: str
    next: str


def page_of(desk: Desk, filters: Filters, query: QueryDict) -> Page:
    """Read the page that the address names (`prima=` newer, `dopo=` older)."""
    newer, older = number(query.get("prima")), number(query.get("dopo"))
    condition = filters.condition(desk)
    if newer is not None:
        rows = _read(desk, condition & Q(pk__gt=newer), order="pk")
        page = rows[:PAGE][::-1]
        return Page(page, _beside(query, "prima", page[:1], rows[PAGE:]), _beside(query, "dopo", page[-1:], page))
    rows = _read(desk, condition & Q(pk__lt=older) if older is not None else condition, order="-pk")
    page = rows[:PAGE]
    before = page if older is not None else []
    return Page(page, _beside(query, "prima", page[:1], before), _beside(query, "dopo", page[-1:], rows[PAGE:]))


def in_scope(desk: Desk) -> Any:
    """Pairs that the operator may see."""
    return Pair.objects.filter(centre_id__in=desk.scope.centre_ids, service_id__in=desk.scope.service_ids)


def _read(desk: Desk, condition: Q, *, order: str) -> list[Pair]:
    of_one = Pair.objects.filter(condition, centre_id=OuterRef("centre_id"), service_id=OuterRef("service_id"))
    agreed = Agreement.objects.filter(centre_id__in=desk.scope.centre_ids, service_id__in=desk.scope.service_ids)
    found = agreed.annotate(found=ArraySubquery(of_one.order_by(order).values("pk")[: PAGE + 1]))
    ids = sorted((pk for of in found.values_list("found", flat=True) for pk in of or ()), reverse=order == "-pk")[
        : PAGE + 1
    ]
    rows = Pair.objects.select_related("card", "holder", "service").prefetch_related("certificates").in_bulk(ids)
    return [rows[pk] for pk in ids if pk in rows]


def _expiring(days: int, desk: Desk) -> Q:
    over = Q(not_after__lte=desk.now - ONE_SECOND)
    return ~over & Q(not_after__lte=desk.now + timedelta(days=days)) if days else over


def _beside(query: QueryDict, name: str, edge: list[Pair], there: Sequence[Any]) -> str:
    if not there or not edge:
        return ""
    address = query.copy()
    address.pop("prima", None)
    address.pop("dopo", None)
    address[name] = str(edge[0].pk)
    return f"?{address.urlencode()}"
