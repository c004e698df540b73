"""What a centre can still issue under a service: pairs, as many as its scarcest certificate allows, or S/MIME."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cms.admin.desk import Desk
from cms.admin.words import Badge
from cms.models import Agreement, Stock
from cms.states import CertificateType, Flow


@dataclass(frozen=True, slots=True)
class Counter:
    """One certificate type: its counter (None before the first purchase) and how it stands against the threshold."""

    type: str
    label: str
    stock: Stock | None
    free: int
    reserved: int
    badge: Badge
    is_short: bool


@dataclass(frozen=True, slots=True)
class Supply:
    """All counters of a centre and service together."""

    agreement: Agreement
    counters: list[Counter]

    @property
    def are_pairs(self) -> bool:
        """Whether the types are used together, one of each; S/MIME certificates are sold one by one."""
        return self.agreement.service.flow != Flow.SMIME

    @property
    def pairs(self) -> int:
        """How many renewals can still be issued; of S/MIME, how many certificates of all types."""
        free = [counter.free for counter in self.counters]
        return min(free) if self.are_pairs else sum(free)

    @property
    def unit(self) -> str:
        """What is counted: pairs, or single certificates where the service has one type."""
        if self.are_pairs and len(self.counters) > 1:
            return ngettext("coppia disponibile", "coppie disponibili", self.pairs)
        return ngettext("certificato disponibile", "certificati disponibili", self.pairs)

    @property
    def short(self) -> str:
        """Names of the types that keep the number of pairs down; empty when all are level."""
        scarce = [counter.label for counter in self.counters if counter.is_short]
        return ", ".join(scarce)

    @property
    def badge(self) -> Badge:
        """How the scarcest type stands against the threshold; of S/MIME, that it is one of the types."""
        worst = _badge(min(counter.free for counter in self.counters), self.agreement.low_stock_threshold)
        if self.are_pairs or all(counter.badge == worst for counter in self.counters):
            return worst
        label = _("Un tipo è esaurito") if worst.role == "danger" else _("Un tipo è sotto soglia")
        return Badge("wait", worst.icon, label)

    @property
    def is_used(self) -> bool:
        """Whether renewals are issued under this service, and not under its successor."""
        return self.agreement.service.successor_id is None


def agreements_of(desk: Desk) -> QuerySet[Agreement]:
    """Agreements of the scope whose counters matter: renewals are issued there, or units are left."""
    left = Stock.objects.filter(centre_id=OuterRef("centre_id"), service_id=OuterRef("service_id"))
    inside = Agreement.objects.filter(centre_id__in=desk.scope.centre_ids, service_id__in=desk.scope.service_ids)
    matters = inside.filter(Q(service__successor__isnull=True) | Exists(left))
    return matters.select_related("centre", "service__successor")


def supplies_of(agreements: Sequence[Agreement]) -> list[Supply]:
    """Read the counters of these agreements, in one statement; by centre, and the service that renewals use first."""
    stocks: dict[tuple[int, int, str], Stock] = {
        (row.centre_id, row.service_id, row.type): row
        for row in Stock.objects.filter(
            centre_id__in={agreement.centre_id for agreement in agreements},
            service_id__in={agreement.service_id for agreement in agreements},
        )
    }
    supplies = [Supply(agreement, _counters(agreement, stocks)) for agreement in agreements]
    return sorted(
        supplies, key=lambda each: (each.agreement.centre.name, not each.is_used, each.agreement.service.name)
    )


def _counters(agreement: Agreement, stocks: dict[tuple[int, int, str], Stock]) -> list[Counter]:
    found = {type_: stocks.get((agreement.centre_id, agreement.service_id, type_)) for type_ in agreement.service.types}
    free = {type_: row.free if row else 0 for type_, row in found.items()}
    least, most = min(free.values()), max(free.values())
    return [
        Counter(
            type=type_,
            label=_(CertificateType(type_).label),
            stock=row,
            free=free[type_],
            reserved=row.reserved if row else 0,
            badge=_badge(free[type_], agreement.low_stock_threshold),
            is_short=agreement.service.flow != Flow.SMIME and free[type_] == least < most,
        )
        for type_, row in sorted(found.items(), key=lambda each: list(CertificateType).index(CertificateType(each[0])))
    ]


def _badge(free: int, threshold: int) -> Badge:
    if free == 0:
        return Badge("danger", "close-circle", _("Esaurita"))
    if free <= threshold:
        return Badge("wait", "warning-circle", _("Sotto soglia"))
    return Badge("ok", "check-circle", _("Sufficiente"))
