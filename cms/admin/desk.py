"""The operator's desk: account, chosen service, scope and roles of one request, read once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from django.http import HttpRequest

from cms.models import Membership, Service, User
from cms.policy import DECIDING_ROLES
from cms.scope import NOTHING, Scope, centres_of, scope_of, services_of
from cms.states import Role
from runtime import clock, fence
from runtime.fence import Fence

SESSION_KEY = "service_id"
PANEL_ROLE, PROVIDER_ROLE = "sigillo_panel", "sigillo_provider"
UNOWNED = 0
"""How row policies count an event that belongs to no centre or to no service."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the operator sits: pages read `scope` and `now` here and nowhere else."""

    operator: User
    service: Service
    scope: Scope
    now: datetime
    roles: dict[int, str] = field(default_factory=dict)

    def may_decide(self, centre_id: int) -> bool:
        """Whether his role in that centre decides on renewals; the use case asks again."""
        return self.roles.get(centre_id) in DECIDING_ROLES

    def manages(self, centre_id: int) -> bool:
        """Whether he is that centre's manager."""
        return self.roles.get(centre_id) == Role.MANAGER

    @property
    def is_administrator(self) -> bool:
        """Whether he administers for the provider: services, agreements, credit of purchases."""
        return self.operator.is_administrator

    @property
    def only_reads(self) -> bool:
        """An auditor: nothing on any page changes anything for him."""
        return not self.is_administrator and not set(self.roles.values()) & DECIDING_ROLES


def at(request: HttpRequest) -> Desk:
    """The desk that `PanelSite.at_desk` has put on the request."""
    desk = getattr(request, "desk", None)
    if not isinstance(desk, Desk):
        message = "the view is not wrapped with at_desk"
        raise TypeError(message)
    return desk


def desk_of(request: HttpRequest) -> Desk | None:
    """Read the desk and open the second fence to its scope; None, and all stays closed, while no service is chosen."""
    operator = request.user
    if not isinstance(operator, User):
        return None
    service_id: int | None = request.session.get(SESSION_KEY) or _only_service(request, operator)
    scope = scope_of(operator, service_id)
    if service_id is None or scope == NOTHING:
        request.session.pop(SESSION_KEY, None)
        return None
    fence.stand_behind(_fence(PANEL_ROLE, scope.centre_ids, scope.kin_ids, operator))
    memberships = Membership.objects.filter(user=operator, centre_id__in=scope.centre_ids)
    return Desk(
        operator=operator,
        service=Service.objects.get(pk=service_id),
        scope=scope,
        now=getattr(request, "now", None) or clock.now(),
        roles=dict(memberships.values_list("centre_id", "role")),
    )


def widen_fence(desk: Desk) -> None:
    """Open the second fence to all services: administration is about centres, not about the chosen service.

    For an administrator of the provider that is the business of every centre, also of one that he is just founding;
    holders, cards and cases stay those of his scope.
    """
    standing = fence.standing()
    if desk.is_administrator and standing is not None:
        fence.stand_behind(replace(standing, role=PROVIDER_ROLE))
        return
    centre_ids = frozenset(centres_of(desk.operator).values_list("pk", flat=True))
    service_ids = frozenset(Service.objects.values_list("pk", flat=True))
    fence.stand_behind(_fence(PANEL_ROLE, centre_ids, service_ids, desk.operator))


def _fence(role: str, centre_ids: frozenset[int], service_ids: frozenset[int], operator: User) -> Fence:
    return Fence(role, centre_ids | {UNOWNED}, service_ids | {UNOWNED}, operator.pk)


def sit_down(request: HttpRequest, service: Service) -> None:
    """Remember the chosen service in the session, under a new session key."""
    request.session.cycle_key()
    request.session[SESSION_KEY] = service.pk


def _only_service(request: HttpRequest, operator: User) -> int | None:
    """Choose for an operator who has no choice; the bar shows what was chosen."""
    services = services_of(operator)
    if len(services) != 1:
        return None
    sit_down(request, services[0])
    return services[0].pk
