"""Invitations: a single-use link by mail is the only way to an account, and the only way into a centre."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.translation import gettext_noop as _
from django.views.decorators.debug import sensitive_variables

from cms import events, policy
from cms.actors import SYSTEM, Actor
from cms.actors import operator as operator_actor
from cms.contacts import CONTROL, parse_email
from cms.errors import (
    AdministratorsOnly,
    Invalid,
    InvitationForeign,
    InvitationNeedsLogin,
    InvitationUnknown,
    InvitationWithdrawn,
    MemberPresent,
    NotFound,
    PasswordWeak,
    RoleTooWeak,
    TaxCodeTaken,
    WrongCentre,
)
from cms.models import Centre, Invitation, Membership, User
from cms.states import Role
from cms.tax_code import parse_tax_code
from notifications import services as notifications
from notifications.catalog import Message
from runtime.transactions import use_case

TOKEN_BYTES = 32
PROVIDER = _("Amministrazione del fornitore")
ADMINISTRATOR = _("Amministratore del fornitore")
INSTALLATION = _("Chi gestisce questa installazione")


@dataclass(frozen=True, slots=True)
class Invitee:
    """Who is invited, and to what: `role` in the centre, or, without a centre, the provider's administration."""

    email: str
    full_name: str
    tax_code: str
    centre_id: int | None = None
    role: str = ""


@use_case
def invite(invitee: Invitee, *, operator: User, now: datetime) -> Invitation:
    """Send a person the link to an account. Who was invited there and has not come yet gets a new link instead."""
    policy.require_staffing(operator, invitee.centre_id)
    person = _checked(invitee)
    account = User.objects.filter(email=person.email).first()
    if account is not None:
        policy.require_not_oneself(operator, account.pk)
    _require_newcomer(person, account)
    return _invited(person, operator, now)


@use_case
def invite_first_administrator(invitee: Invitee, *, now: datetime) -> Invitation:
    """Invite an administrator for whoever runs the installation: at its beginning there is nobody who could invite."""
    person = _checked(invitee)
    _require_newcomer(person, User.objects.filter(email=person.email).first())
    return _invited(person, None, now)


@use_case
def resend_invitation(uid: UUID, *, operator: User, now: datetime) -> Invitation:
    """Send a new link; the former one is worth nothing any more."""
    invitation = _locked(uid, operator)
    if invitation.used_at is not None or invitation.withdrawn_at is not None:
        policy.require_invitation_open(invitation, now)
    _send(invitation, operator, now, verb="access.invitation-resent")
    return invitation


@use_case
def withdraw_invitation(uid: UUID, *, operator: User, now: datetime) -> Invitation:
    """Make the link worthless. Twice is once."""
    invitation = _locked(uid, operator)
    if invitation.withdrawn_at is not None:
        return invitation
    if invitation.used_at is not None:
        policy.require_invitation_open(invitation, now)
    invitation.withdrawn_at = now
    invitation.save(update_fields=["withdrawn_at"])
    _note("access.invitation-withdrawn", invitation, operator_actor(operator), now)
    return invitation


def invitation_behind(digest: str, *, now: datetime) -> Invitation:
    """Find the open invitation of a link (by the hash of its token); raises why it cannot be accepted."""
    invitation = Invitation.objects.select_related("centre").filter(token_sha256=digest).first()
    if invitation is None:
        raise InvitationUnknown
    _require_good(invitation, now)
    return invitation


@use_case
@sensitive_variables("password")
def accept_with_new_account(digest: str, *, password: str, now: datetime) -> User:
    """Make the account that the invitation describes. Its holder then sets up a second factor before any page opens."""
    invitation = _locked_behind(digest, now)
    if User.objects.filter(email=invitation.email).exists() or _is_someones(invitation.email):
        raise InvitationNeedsLogin
    _require_good_password(password, invitation)
    try:
        with transaction.atomic():
            user = User.objects.create_user(
                invitation.email,
                password,
                full_name=invitation.full_name,
                tax_code=invitation.tax_code,
                is_staff=True,
            )
    except IntegrityError as clash:
        raise TaxCodeTaken from clash
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    _admit(user, invitation, now)
    return user


@use_case
def accept_with_account(digest: str, *, user: User, now: datetime) -> User:
    """Let somebody who has an account in: what he could do elsewhere stays as it is."""
    invitation = _locked_behind(digest, now)
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    policy.require_meant_for(invitation, user)
    user.tax_code, user.is_staff = invitation.tax_code, True
    try:
        with transaction.atomic():
            user.save(update_fields=["tax_code", "is_staff"])
    except IntegrityError as clash:
        raise TaxCodeTaken from clash
    _admit(user, invitation, now)
    return user


def digest_of(token: str) -> str:
    """What of a link's token is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def _admit(user: User, invitation: Invitation, now: datetime) -> None:
    if invitation.centre_id is None:
        user.is_administrator = True
        user.save(update_fields=["is_administrator"])
    else:
        Membership.objects.get_or_create(user=user, centre_id=invitation.centre_id, defaults={"role": invitation.role})
    invitation.used_at = now
    invitation.save(update_fields=["used_at"])
    facts = {"person": user.pk, "invited_by": invitation.invited_by}
    _note("access.granted", invitation, operator_actor(user), now, **facts)


def _invited(person: Invitee, inviter: User | None, now: datetime) -> Invitation:
    """Store the invitation, or take up the open one, and send its link. Without an inviter the installation invites."""
    invitation, _created = Invitation.objects.select_for_update().get_or_create(
        email=person.email,
        centre_id=person.centre_id,  # type: ignore[misc] # no centre is a place too: the provider's administration
        used_at=None,
        withdrawn_at=None,
        defaults={**_written(person), **_fresh(inviter, now)[0]},
    )
    for name, value in _written(person).items():
        setattr(invitation, name, value)
    _send(invitation, inviter, now, verb="access.invited")
    return invitation


def _checked(invitee: Invitee) -> Invitee:
    """Bring what was typed into the form that is stored; raise what is wrong with it."""
    name = " ".join(CONTROL.sub(" ", invitee.full_name).split())
    if not 3 <= len(name) <= 120:
        raise Invalid(_("Indichi nome e cognome della persona invitata."))
    has_role = invitee.role in Role.values if invitee.centre_id is not None else invitee.role == ""
    if not has_role:
        raise Invalid(_("Scelga il ruolo della persona invitata."))
    if invitee.centre_id is not None and not Centre.objects.filter(pk=invitee.centre_id, active=True).exists():
        raise NotFound(_("Il CDRL indicato non esiste o non è attivo."))
    email, tax_code = parse_email(invitee.email).lower(), parse_tax_code(invitee.tax_code)
    return Invitee(email, name, tax_code, invitee.centre_id, invitee.role)


def _require_newcomer(person: Invitee, account: User | None) -> None:
    """Refuse who belongs there already, and a codice fiscale that is somebody else's."""
    if User.objects.filter(tax_code=person.tax_code).exclude(email=person.email).exists():
        raise TaxCodeTaken
    if account is None:
        return
    if account.tax_code not in {None, person.tax_code}:
        raise InvitationForeign(
            _("Il codice fiscale non corrisponde a quello dell'account con questo indirizzo e-mail.")
        )
    is_there = account.is_administrator if person.centre_id is None else _is_member(account, person.centre_id)
    if is_there:
        raise MemberPresent


def _is_member(account: User, centre_id: int) -> bool:
    return Membership.objects.filter(user=account, centre_id=centre_id).exists()


def _written(person: Invitee) -> dict[str, str]:
    return {"full_name": person.full_name, "tax_code": person.tax_code, "role": person.role}


def _fresh(inviter: User | None, now: datetime) -> tuple[dict[str, object], str]:
    """Return the columns of a new link, and its token, which is stored nowhere."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    return {
        "token_sha256": digest_of(token),
        "invited_by": inviter and inviter.pk,
        "invited_at": now,
        "expires_at": now + timedelta(hours=settings.CMS.invitation_hours),
    }, token


def _send(invitation: Invitation, inviter: User | None, now: datetime, *, verb: str) -> None:
    columns, token = _fresh(inviter, now)
    for name, value in columns.items():
        setattr(invitation, name, value)
    invitation.save()
    place = invitation.centre.name if invitation.centre else PROVIDER
    notifications.post(
        key=f"invitation:{invitation.token_sha256}",
        message=Message.INVITATION,
        to=invitation.email,
        context={
            "recipient_name": invitation.full_name,
            "inviter_name": (inviter.full_name or inviter.email) if inviter else INSTALLATION,
            "place": place,
            "role": invitation.get_role_display() or ADMINISTRATOR,
            "expires_at": invitation.expires_at.isoformat(),
        },
        secrets={"invitation_url": f"{settings.BASE_URL}{reverse('open_invitation', args=[token])}"},
        at=now,
    )
    _note(verb, invitation, operator_actor(inviter) if inviter else SYSTEM, now)


def _locked(uid: UUID, operator: User) -> Invitation:
    found = Invitation.objects.select_for_update(of=("self",)).select_related("centre").filter(uid=uid).first()
    if found is None:
        raise NotFound
    policy.require_staffing(operator, found.centre_id)
    return found


def _locked_behind(digest: str, now: datetime) -> Invitation:
    """Lock the invitation of a link: of two who use it at once, the second finds it used."""
    found = Invitation.objects.select_for_update(of=("self",)).select_related("centre").filter(token_sha256=digest)
    invitation = found.first()
    if invitation is None:
        raise InvitationUnknown
    _require_good(invitation, now)
    return invitation


def _require_good(invitation: Invitation, now: datetime) -> None:
    """Open, and sent by somebody who may invite there to this day: who has lost the right lets nobody in any more."""
    policy.require_invitation_open(invitation, now)
    if invitation.invited_by is None:
        return
    try:
        policy.require_staffing(User.objects.get(pk=invitation.invited_by), invitation.centre_id)
    except (User.DoesNotExist, AdministratorsOnly, RoleTooWeak, WrongCentre) as lost:
        raise InvitationWithdrawn from lost


def _is_someones(email: str) -> bool:
    """Whether an account has confirmed it as one of its addresses: each is verified in one account at a time."""
    return bool(EmailAddress.objects.filter(email=email, verified=True).exists())


def _require_good_password(password: str, invitation: Invitation) -> None:
    try:
        validate_password(password, User(email=invitation.email, full_name=invitation.full_name))
    except ValidationError as refusal:
        raise PasswordWeak(" ".join(refusal.messages)) from refusal


def _note(verb: str, invitation: Invitation, actor: Actor, now: datetime, **facts: int | None) -> None:
    events.record(
        verb,
        actor=actor,
        at=now,
        centre_id=invitation.centre_id,
        facts={"invitation": str(invitation.uid), "role": invitation.role, **facts},
    )
