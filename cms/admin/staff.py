"""What the page Operatori shows: people and invitations within reach, in rows and facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from cms.admin.office import Office
from cms.admin.paging import number
from cms.admin.words import Badge, instant
from cms.errors import DomainError
from cms.models import Centre, Invitation, Membership, User
from cms.services import access, invitations
from cms.states import Role

MOST_INVITATIONS = MOST_ADMINISTRATORS = 50
ROLE_BADGES = {
    Role.MANAGER: Badge("ok", "user", str(Role.MANAGER.label)),
    Role.OPERATOR: Badge("neutral", "user", str(Role.OPERATOR.label)),
    Role.AUDITOR: Badge("neutral", "search", str(Role.AUDITOR.label)),
}


@dataclass(frozen=True, slots=True)
class Factors:
    """An account's second factors in a badge."""

    kinds: frozenset[str]

    @property
    def badge(self) -> Badge:
        """Passkey, app, both or none yet."""
        if {"webauthn", "totp"} <= self.kinds:
            return Badge("ok", "key", _("Passkey e app"))
        if "webauthn" in self.kinds:
            return Badge("ok", "key", _("Passkey"))
        if "totp" in self.kinds:
            return Badge("ok", "telephone", _("App"))
        return Badge("wait", "warning-circle", _("Da attivare"))


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One line of the list."""

    membership: Membership
    role: Badge
    factors: Badge


def chosen_centre(request: HttpRequest, office: Office) -> Centre | None:
    """The centre that the address narrows the page to, if he may look at it."""
    pk = number(request.GET.get("cdrl"))
    return None if pk is None else office.centres.filter(pk=pk).first()


def person_within(office: Office, pk: int) -> User:
    """An account within reach: a member of his centres, or, for administrators, anybody of the panel; else 404."""
    people = User.objects.filter(is_staff=True)
    if not office.is_administrator:
        people = people.filter(memberships__centre__in=office.centres).distinct()
    found = people.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def place_within(office: Office, person: int, centre: int) -> Membership:
    """A membership within reach; else 404."""
    found = Membership.objects.filter(user_id=person, centre_id=centre, centre__in=office.centres)
    place = found.select_related("user", "centre").first()
    if place is None:
        raise Http404
    return place


def places_of(office: Office, user: User) -> list[Membership]:
    """The account's memberships within reach."""
    places = Membership.objects.filter(user=user, centre__in=office.centres)
    return list(places.select_related("centre").order_by("centre__name"))


def invitation_within(office: Office, uid: UUID) -> Invitation:
    """An invitation within reach; else 404."""
    found = Invitation.objects.select_related("centre").filter(uid=uid).first()
    is_near = found is not None and (office.is_administrator or found.centre_id in office.roles)
    if found is None or not is_near:
        raise Http404
    return found


def facts_of_invitation(invitation: Invitation) -> list[tuple[str, Any]]:
    """Whom a question about an invitation is about."""
    return [
        (_("Persona"), invitation.full_name),
        (_("E-mail"), invitation.email),
        (_("CDRL"), invitation.centre or _(invitations.PROVIDER)),
        (_("Valido fino a"), instant(invitation.expires_at)),
    ]


def facts_of_place(place: Membership) -> list[tuple[str, Any]]:
    """Whom a question about a membership is about."""
    return [
        (_("Persona"), str(place.user)),
        (_("CDRL"), place.centre.name),
        (_("Ruolo attuale"), _(place.get_role_display())),
    ]


def rows_of(memberships: list[Membership]) -> list[MemberRow]:
    """Lines of the list, second factors read in one statement."""
    factors = factors_of([each.user_id for each in memberships])
    return [MemberRow(each, ROLE_BADGES[Role(each.role)], factors[each.user_id].badge) for each in memberships]


def factors_of(user_ids: list[int]) -> dict[int, Factors]:
    """Second factors of many accounts, in one statement."""
    kinds: dict[int, set[str]] = {user_id: set() for user_id in user_ids}
    for user_id, kind in Authenticator.objects.filter(user_id__in=user_ids).values_list("user_id", "type"):
        kinds[user_id].add(kind)
    return {user_id: Factors(frozenset(found)) for user_id, found in kinds.items()}


def administrators(office: Office, chosen: Centre | None) -> list[tuple[User, Badge]]:
    """The provider's administrators, shown to themselves."""
    if not office.is_administrator or chosen is not None:
        return []
    people = list(User.objects.filter(is_administrator=True).order_by("full_name", "pk")[:MOST_ADMINISTRATORS])
    factors = factors_of([each.pk for each in people])
    return [(each, factors[each.pk].badge) for each in people]


def open_invitations(office: Office, centres: Any, chosen: Centre | None) -> list[tuple[Invitation, bool, bool]]:
    """Invitations that wait for their person: whether each has expired, and whether he may act on it."""
    waiting = Invitation.objects.filter(used_at=None, withdrawn_at=None).select_related("centre")
    ours = waiting.filter(centre__in=centres)
    if office.is_administrator and chosen is None:
        ours = ours | waiting.filter(centre=None)
    return [
        (each, _is_over(each, office.now), office.is_administrator or office.staffs(each.centre_id or 0))
        for each in ours.order_by("-pk")[:MOST_INVITATIONS]
    ]


def _is_over(invitation: Invitation, now: datetime) -> bool:
    return now >= invitation.expires_at


def may_care(office: Office, user: User) -> bool:
    """Whether the button to remove second factors is shown; the use case asks again."""
    if user.pk == office.operator.pk:
        return False
    try:
        access.require_care_for(office.operator, user)
    except DomainError:
        return False
    return True
