"""What an operator may see: the centres of his memberships, the chosen service and its successors (rules.md R15).

An administrator of the provider has every active centre; what he may *do* there follows from no membership.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.db.models import QuerySet

from cms.models import Agreement, Centre, Service, User


@dataclass(frozen=True, slots=True)
class Scope:
    """Ids of centres and services that a request may touch. An empty scope shows nothing.

    `kin_ids` adds the services that the chosen one succeeds: a use case that changes a certificate may have to follow
    it to the case that it came from. Pages show nothing of them.
    """

    centre_ids: frozenset[int]
    service_ids: frozenset[int]
    kin_ids: frozenset[int] = frozenset()

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
    return Scope(centre_ids, *_succession(service_id)) if centre_ids else NOTHING


# What a campaign extends it may issue under a service of its own, which follows like a successor.
# UNION, not UNION ALL: a ring of services ends.
_SUCCESSION = """
WITH RECURSIVE
step (id, next_id) AS (
    SELECT id, successor_id FROM cms_service WHERE successor_id IS NOT NULL
    UNION SELECT service_id, issuing_service_id FROM cms_campaign
),
after (id) AS (
    SELECT id FROM cms_service WHERE id = %(chosen)s
    UNION SELECT step.next_id FROM step JOIN after ON step.id = after.id
),
before (id) AS (
    SELECT id FROM step WHERE next_id = %(chosen)s
    UNION SELECT step.id FROM step JOIN before ON step.next_id = before.id
)
SELECT ARRAY(SELECT id FROM after), ARRAY(SELECT id FROM after UNION SELECT id FROM before)
"""


def _succession(service_id: int) -> tuple[frozenset[int], frozenset[int]]:
    """Return the service with its successors, and these with all that it succeeds."""
    with connection.cursor() as cursor:
        cursor.execute(_SUCCESSION, {"chosen": service_id})
        successors, kin = cursor.fetchone()
    return frozenset(successors), frozenset(kin)
