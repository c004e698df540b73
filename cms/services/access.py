"""What managers and administrators do with the people of the panel: roles, farewells, lost second factors."""

from __future__ import annotations

from datetime import datetime

from allauth.mfa.models import Authenticator
from django.db.models import F
from django.utils.translation import gettext_noop as _

from cms import events, policy
from cms.actors import operator as operator_actor
from cms.errors import AdministratorLast, AdministratorsOnly, Invalid, ManagerLast, NotFound
from cms.models import Centre, Membership, User
from cms.services.accounts import Change, warn_of_change
from cms.states import Role
from runtime.transactions import use_case


@use_case
def change_role(person_id: int, centre_id: int, role: str, *, operator: User, now: datetime) -> Membership:
    """Give a member another role; it counts from his next click. The last manager stays one."""
    membership = _locked_membership(person_id, centre_id, operator)
    if role not in Role.values:
        raise Invalid(_("Scelga il ruolo tra quelli dell'elenco."))
    if membership.role == role:
        return membership
    _require_manager_left(membership)
    former, membership.role = membership.role, role
    membership.save(update_fields=["role"])
    _note("access.role-changed", person_id, operator, now, centre_id=centre_id, former=former, role=role)
    return membership


@use_case
def remove_member(person_id: int, centre_id: int, *, operator: User, now: datetime) -> None:
    """Take a person's access to the centre away and end his sessions. His account and his deeds stay on record."""
    membership = _locked_membership(person_id, centre_id, operator)
    _require_manager_left(membership)
    person, place, role = membership.user, membership.centre.name, membership.role
    membership.delete()
    _end_sessions(person_id)
    warn_of_change(person, Change.ACCESS_REMOVED, now=now, author=operator, place=place)
    _note("access.removed", person_id, operator, now, centre_id=centre_id, role=role)


@use_case
def remove_factors(person_id: int, *, operator: User, now: datetime) -> None:
    """Forget a person's second factors and end his sessions: at the next login he sets up new ones."""
    person = _locked_person(person_id, operator)
    require_care_for(operator, person)
    Authenticator.objects.filter(user=person).delete()
    _end_sessions(person_id)
    warn_of_change(person, Change.FACTORS_REMOVED, now=now, author=operator)
    _note("access.factors-removed", person_id, operator, now)


@use_case
def close_account(person_id: int, *, operator: User, now: datetime) -> None:
    """Deactivate an account everywhere and at once. Twice is once."""
    policy.require_administrator(operator)
    person = _locked_person(person_id, operator)
    if not person.is_active:
        return
    _require_others_left(person)
    person.is_active = False
    person.save(update_fields=["is_active"])
    _end_sessions(person_id)
    warn_of_change(person, Change.ACCOUNT_CLOSED, now=now, author=operator)
    _note("access.account-closed", person_id, operator, now)


@use_case
def open_account(person_id: int, *, operator: User, now: datetime) -> None:
    """Reactivate an account with the roles it had. Twice is once."""
    policy.require_administrator(operator)
    person = _locked_person(person_id, operator)
    if person.is_active:
        return
    person.is_active = True
    person.save(update_fields=["is_active"])
    _note("access.account-opened", person_id, operator, now)


def require_care_for(operator: User, person: User) -> None:
    """A manager cares for people who belong to his centres only; administrators care for all others."""
    if operator.is_active and operator.is_administrator:
        return
    centre_ids = list(Membership.objects.filter(user=person).values_list("centre_id", flat=True))
    if person.is_administrator or not centre_ids:
        raise AdministratorsOnly
    for centre_id in centre_ids:
        policy.require_staffing(operator, centre_id)


def _locked_membership(person_id: int, centre_id: int, operator: User) -> Membership:
    """Lock the centre, then the membership: of two managers who remove each other, one is the last."""
    Centre.objects.select_for_update(no_key=True).filter(pk=centre_id).first()
    policy.require_staffing(operator, centre_id)
    policy.require_not_oneself(operator, person_id)
    found = Membership.objects.select_for_update().filter(user_id=person_id, centre_id=centre_id).first()
    if found is None:
        raise NotFound
    return found


def _locked_person(person_id: int, operator: User) -> User:
    policy.require_not_oneself(operator, person_id)
    found = User.objects.select_for_update(no_key=True).filter(pk=person_id, is_staff=True).first()
    if found is None:
        raise NotFound
    return found


def _require_manager_left(membership: Membership) -> None:
    if membership.role != Role.MANAGER:
        return
    managers = Membership.objects.filter(centre_id=membership.centre_id, role=Role.MANAGER, user__is_active=True)
    if not managers.exclude(pk=membership.pk).exists():
        raise ManagerLast


def _require_others_left(person: User) -> None:
    """Closing an account must leave an administrator, and a manager wherever he manages."""
    if person.is_administrator:
        others = User.objects.select_for_update(no_key=True).filter(is_administrator=True, is_active=True)
        if not [other for other in others.order_by("pk") if other.pk != person.pk]:
            raise AdministratorLast
    for membership in Membership.objects.filter(user=person, role=Role.MANAGER).order_by("centre_id"):
        Centre.objects.select_for_update(no_key=True).get(pk=membership.centre_id)
        _require_manager_left(membership)


def _end_sessions(person_id: int) -> None:
    """Every session carries the generation; those of the former one are refused at their next request."""
    User.objects.filter(pk=person_id).update(session_generation=F("session_generation") + 1)


def _note(verb: str, person_id: int, actor: User, now: datetime, centre_id: int | None = None, **facts: str) -> None:
    events.record(verb, actor=operator_actor(actor), at=now, centre_id=centre_id, facts={"person": person_id, **facts})
