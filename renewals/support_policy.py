"""Rules of requests for help: who looks after which one. They raise, or answer; they never write."""

from __future__ import annotations

from cms import policy as register
from cms.errors import DomainError
from cms.models import Membership, User
from renewals import errors
from renewals.models import SupportRequest


def require_caretaker(request: SupportRequest, operator: User) -> None:
    """Operators and managers of the request's centre; administrators of the provider where it has none."""
    if request.centre_id is None:
        register.require_administrator(operator)
    else:
        register.require_member(operator, request.centre_id, register.DECIDING_ROLES)


def may_care(request: SupportRequest, operator: User) -> bool:
    """Whether pages show him what he could do; the use cases ask again."""
    try:
        require_caretaker(request, operator)
    except DomainError:
        return False
    return True


def caretakers(request: SupportRequest) -> list[User]:
    """Everybody to whom the request can be given, by name."""
    people = User.objects.filter(is_active=True)
    if request.centre_id is None:
        return list(people.filter(is_administrator=True).order_by("full_name", "pk"))
    members = Membership.objects.filter(centre_id=request.centre_id, role__in=register.DECIDING_ROLES)
    return list(people.filter(pk__in=members.values("user_id")).order_by("full_name", "pk"))


def require_open(request: SupportRequest) -> None:
    """What is closed is opened again before anybody goes on with it."""
    if not request.is_open:
        raise errors.SupportRequestClosed
