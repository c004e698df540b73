"""What an operator may see: the centres of his memberships, the chosen service and its successors (rules.md R15).

An administrator of the provider has every active centre; what he may *do* there follows from no membership.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from cms.models import Agreement, Centre, Service, User


@dataclass(frozen=True, slots=True)
class Scope:
    """Ids of centres and services that a request may touch. An empty scope shows nothing."""

    centre_ids: frozenset[int]
    service_ids: frozenset[int]

    def allows(self, *, centre_id: int, service_id: int) -> bool:
        """Whether a row of that centre and service lies inside."""
        return centre_id in self.centre_ids and service_id in self.service_ids


NOTHING = Scope(frozenset(), frozenset())


def centres_of(user: User) -> QuerySet[Centre]:
    """Active centres within the account's reach."""
    active = Centre.objects.filter(active=True)
    return active if user.is_administrator else active.filter(memberships__user=user)


def services_of(user: User) -> list[Service]:
    """Services that the operator may choose after login: those his centres have an agreement for."""
    ids = Agreement.objects.filter(centre__in=centres_of(user)).values("service_id")
    return list(Service.objects.filter(pk__in=ids).order_by("name"))


def scope_of(user: User, service_id: int | None) -> Scope:
    """Scope for a chosen service; `NOTHING` without one, without membership, or for an inactive account."""
    if service_id is None or not user.is_active:
        return NOTHING
    agreed = Agreement.objects.filter(centre__in=centres_of(user), service_id=service_id)
    centre_ids = frozenset(agreed.values_list("centre_id", flat=True))
    return Scope(centre_ids, frozenset(_with_successors(service_id))) if centre_ids else NOTHING


def _with_successors(service_id: int) -> list[int]:
    chain: list[int] = []
    current: int | None = service_id
    while current is not None and current not in chain:
        chain.append(current)
        current = Service.objects.values_list("successor_id", flat=True).get(pk=current)
    return chain
