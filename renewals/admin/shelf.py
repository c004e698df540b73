"""Pairs on the shelf: what each centre can still issue, and whether the coming renewals will find enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from cms.admin import counting
from cms.models import Agreement, Service, Stock
from cms.scope import Scope
from cms.states import CertificateType


@dataclass(frozen=True, slots=True)
class Shelf:
    """A centre's pairs of one issuing service: the minimum over the types, and which type is the short one."""

    centre: str
    service: str
    pairs: int
    short: str
    threshold: int

    @property
    def is_low(self) -> bool:
        """At or below the threshold of the agreement."""
        return self.pairs <= self.threshold


@dataclass(frozen=True, slots=True)
class Outlook:
    """Units left against renewals of the next days."""

    days: int
    need: int
    have: int

    @property
    def missing(self) -> int:
        """How many pairs short."""
        return max(self.need - self.have, 0)

    @property
    def is_bounded(self) -> bool:
        """Whether the need was not counted to its end."""
        return self.need >= counting.BOUND


def shelves_of(scope: Scope, services: Sequence[Service]) -> list[Shelf]:
    """Shelves that renewals of the chosen service take from, the emptiest first; two statements."""
    issuing = {service.successor_id or service.pk for service in services}
    agreements = Agreement.objects.filter(centre_id__in=scope.centre_ids, service_id__in=issuing)
    found = list(agreements.select_related("centre", "service"))
    free = {
        (centre, service, type_): count
        for centre, service, type_, count in Stock.objects.filter(
            centre_id__in=scope.centre_ids, service_id__in=issuing
        ).values_list("centre_id", "service_id", "type", "free")
    }
    return sorted((_shelf(agreement, free) for agreement in found), key=lambda shelf: (shelf.pairs, shelf.centre))


def _shelf(agreement: Agreement, free: dict[tuple[int, int, str], int]) -> Shelf:
    service = agreement.service
    left = {type_: free.get((agreement.centre_id, service.pk, type_), 0) for type_ in service.types}
    short = min(left, key=lambda type_: left[type_])
    is_uneven = len(set(left.values())) > 1
    return Shelf(
        centre=str(agreement.centre),
        service=str(service),
        pairs=left[short],
        short=_(CertificateType(short).label) if is_uneven else "",
        threshold=agreement.low_stock_threshold,
    )
