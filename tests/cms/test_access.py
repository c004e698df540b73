"""Who invites whom, and what managers and administrators may do with the people of the panel."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator

from cms import errors
from cms.models import Event, Invitation, Membership, User
from cms.services import access, invitations
from cms.services.invitations import Invitee
from cms.states import Role
from notifications import rendering
from notifications.models import OutboxMessage
from tests.panel.town import NOW, Town, tax_code

LATER = NOW + timedelta(hours=1)
EMAIL, NAME = "livia.serra@example.org", "Livia Serra"


@pytest.fixture
def town(db):
    town = Town()
    town.manager = town.employ("resp@cdrl.example.org", "Rita Resta", role=Role.MANAGER)
    town.other_manager = town.employ("resp2@cdrl.example.org", "Remo Resi", role=Role.MANAGER)
    town.auditor = town.employ("rev@cdrl.example.org", role=Role.AUDITOR)
    town.elsewhere = town.found("cdrl-altro", "Altro Ordine di Esempio")
    town.foreign_manager = town.employ("resp@altro.example.org", centre=town.elsewhere, role=Role.MANAGER)
    town.root = User.objects.create_user("admin@example.org", None, is_staff=True, is_administrator=True)
    town.second_root = User.objects.create_user("admin2@example.org", None, is_staff=True, is_administrator=True)
    return town


def invitee(town, **changes):
    values = {"email": EMAIL, "full_name": NAME, "tax_code": tax_code("SRRLVI", 120)}
    return Invitee(**{**values, "centre_id": town.centre.pk, "role": Role.OPERATOR, **changes})


def invited(town, operator=None, at=NOW, **changes):
    """Invite; return the token that the mail carries."""
    invitations.invite(invitee(town, **changes), operator=operator or town.manager, now=at)
    return token_of(OutboxMessage.objects.latest("queued_at", "created_at"))


def token_of(mail):
    return rendering._values(mail)["invitation_url"].rstrip("/").rsplit("/", 1)[1]


def digest(token):
    return invitations.digest_of(token)


PASSWORD = "una-frase-lunga-di-prova"

# Inviting


def test_a_manager_invites_into_his_centre_by_mail(town):
    token = invited(town)

    row, mail = Invitation.objects.get(), OutboxMessage.objects.get(kind="invitation")
    assert (row.email, row.centre, row.role) == (EMAIL, town.centre, Role.OPERATOR)
    assert row.expires_at == NOW + timedelta(hours=72)
    assert mail.recipient == EMAIL
    assert len(token) >= 43


def test_the_token_lies_nowhere_in_clear(town):
    token = invited(town)

    rows = [*Invitation.objects.values_list(), *OutboxMessage.objects.values_list(), *Event.objects.values_list()]
    assert token not in repr(rows)


def test_events_of_access_name_nobody(town):
    user = invitations.accept_with_new_account(digest(invited(town)), password=PASSWORD, now=LATER)
    access.change_role(user.pk, town.centre.pk, Role.AUDITOR, operator=town.manager, now=LATER)

    told = json.dumps(list(Event.objects.filter(verb__startswith="access.").values_list("verb", "facts", "reason")))
    assert "access.invited" in told
    assert "access.granted" in told
    for private in (EMAIL, NAME, "SRRLVI"):
        assert private not in told


@pytest.mark.parametrize(
    ("who", "into", "refusal"),
    [
        ("operator", "centre", errors.RoleTooWeak),
        ("auditor", "centre", errors.RoleTooWeak),
        ("manager", "elsewhere", errors.WrongCentre),
        ("foreign_manager", "centre", errors.WrongCentre),
        ("manager", None, errors.AdministratorsOnly),
        ("operator", None, errors.AdministratorsOnly),
        ("manager", "centre", None),
        ("root", "centre", None),
        ("root", "elsewhere", None),
        ("root", None, None),
    ],
)
def test_managers_invite_into_their_centre_and_administrators_everywhere(town, who, into, refusal):
    wish = {"centre_id": getattr(town, into).pk} if into else {"centre_id": None, "role": ""}
    if refusal is None:
        invited(town, getattr(town, who), **wish)
        return
    with pytest.raises(refusal):
        invited(town, getattr(town, who), **wish)
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"tax_code": "AAAAAA00A00A000A"}, errors.TaxCodeInvalid),
        ({"tax_code": ""}, errors.TaxCodeInvalid),
        ({"email": "senza-chiocciola"}, errors.ContactInvalid),
        ({"full_name": " "}, errors.Invalid),
        ({"role": "root"}, errors.Invalid),
        ({"role": ""}, errors.Invalid),
    ],
)
def test_what_is_wrong_with_an_invitation_is_refused(town, changes, refusal):
    with pytest.raises(refusal):
        invited(town, **changes)


def test_nobody_invites_himself_and_members_are_not_invited_again(town):
    with pytest.raises(errors.OwnAccess):
        invited(town, email=town.manager.email)
    with pytest.raises(errors.MemberPresent):
        invited(town, email=town.operator.email)


def test_the_codice_fiscale_of_another_account_is_refused(town):
    User.objects.filter(pk=town.operator.pk).update(tax_code=tax_code("SRRLVI", 120))

    with pytest.raises(errors.TaxCodeTaken):
        invited(town)


def test_inviting_again_makes_the_former_link_worthless(town):
    first = invited(town)
    second = invited(town, at=LATER, role=Role.AUDITOR)

    assert Invitation.objects.get().role == Role.AUDITOR
    with pytest.raises(errors.InvitationUnknown):
        invitations.invitation_behind(digest(first), now=LATER)
    assert invitations.invitation_behind(digest(second), now=LATER)


def test_a_resent_invitation_has_a_new_link_and_a_new_term(town):
    first = invited(town)
    uid = Invitation.objects.get().uid
    late = NOW + timedelta(hours=80)

    invitations.resend_invitation(uid, operator=town.manager, now=late)

    row = Invitation.objects.get()
    assert row.expires_at == late + timedelta(hours=72)
    assert row.token_sha256 != digest(first)


def test_a_withdrawn_invitation_is_worth_nothing_and_stays_withdrawn(town):
    token = invited(town)
    uid = Invitation.objects.get().uid

    invitations.withdraw_invitation(uid, operator=town.manager, now=LATER)
    invitations.withdraw_invitation(uid, operator=town.manager, now=LATER)

    assert Event.objects.filter(verb="access.invitation-withdrawn").count() == 1
    with pytest.raises(errors.InvitationWithdrawn):
        invitations.accept_with_new_account(digest(token), password=PASSWORD, now=LATER)
    with pytest.raises(errors.InvitationWithdrawn):
        invitations.resend_invitation(uid, operator=town.manager, now=LATER)


def test_another_centres_manager_touches_no_invitation(town):
    invited(town)
    uid = Invitation.objects.get().uid

    for deed in (invitations.resend_invitation, invitations.withdraw_invitation):
        with pytest.raises(errors.WrongCentre):
            deed(uid, operator=town.foreign_manager, now=LATER)


# Accepting


def test_accepting_makes_an_account_with_its_codice_fiscale_and_its_role(town):
    user = invitations.accept_with_new_account(digest(invited(town)), password=PASSWORD, now=LATER)

    assert user.tax_code == tax_code("SRRLVI", 120)
    assert user.check_password(PASSWORD)
    assert Membership.objects.get(user=user).role == Role.OPERATOR
    assert not user.is_administrator
    assert user.emailaddress_set.get().verified


def test_an_address_that_another_account_has_confirmed_is_made_no_second_account(town):
    customer = User.objects.create_user("acquisti@azienda.example.org", None, full_name="Livia Serra")
    EmailAddress.objects.create(user=customer, email=EMAIL, verified=True)

    with pytest.raises(errors.InvitationNeedsLogin):
        invitations.accept_with_new_account(digest(invited(town)), password=PASSWORD, now=LATER)


def test_an_invited_administrator_belongs_to_no_centre(town):
    token = invited(town, town.root, centre_id=None, role="")

    user = invitations.accept_with_new_account(digest(token), password=PASSWORD, now=LATER)

    assert user.is_administrator
    assert not user.memberships.exists()


@pytest.mark.parametrize(
    ("at", "refusal"),
    [(NOW + timedelta(hours=72), errors.InvitationExpired), (NOW + timedelta(hours=71, minutes=59), None)],
)
def test_a_link_is_good_for_72_hours(town, at, refusal):
    token = invited(town)

    if refusal is None:
        assert invitations.accept_with_new_account(digest(token), password=PASSWORD, now=at)
        return
    with pytest.raises(refusal):
        invitations.accept_with_new_account(digest(token), password=PASSWORD, now=at)


def test_a_link_works_once(town):
    token = invited(town)
    user = invitations.accept_with_new_account(digest(token), password=PASSWORD, now=LATER)

    for deed in (
        lambda: invitations.accept_with_new_account(digest(token), password=PASSWORD, now=LATER),
        lambda: invitations.accept_with_account(digest(token), user=user, now=LATER),
    ):
        with pytest.raises(errors.InvitationUsed):
            deed()
    assert User.objects.filter(email=EMAIL).count() == 1


@pytest.mark.parametrize("password", ["corta", "123456789012345", "livia.serra@example.org"])
def test_a_weak_password_makes_no_account(town, password):
    token = invited(town)

    with pytest.raises(errors.PasswordWeak):
        invitations.accept_with_new_account(digest(token), password=password, now=LATER)
    assert not User.objects.filter(email=EMAIL).exists()
    assert invitations.invitation_behind(digest(token), now=LATER)


def test_who_has_an_account_joins_with_it_and_keeps_what_he_had(town):
    colleague = town.employ(EMAIL, centre=town.elsewhere, code=tax_code("SRRLVI", 120))
    token = invited(town)

    with pytest.raises(errors.InvitationNeedsLogin):
        invitations.accept_with_new_account(digest(token), password=PASSWORD, now=LATER)
    invitations.accept_with_account(digest(token), user=colleague, now=LATER)

    roles = dict(Membership.objects.filter(user=colleague).values_list("centre__code", "role"))
    assert roles == {"cdrl-altro": Role.OPERATOR, "cdrl-arezzo": Role.OPERATOR}


def test_another_account_does_not_take_the_invitation(town):
    token = invited(town)

    with pytest.raises(errors.InvitationForeign):
        invitations.accept_with_account(digest(token), user=town.foreign_manager, now=LATER)
    assert not Membership.objects.filter(user=town.foreign_manager, centre=town.centre).exists()


# Looking after people


def test_a_manager_changes_a_role_in_his_centre(town):
    access.change_role(town.operator.pk, town.centre.pk, Role.AUDITOR, operator=town.manager, now=LATER)

    assert Membership.objects.get(user=town.operator).role == Role.AUDITOR
    event = Event.objects.get(verb="access.role-changed")
    assert event.facts == {"person": town.operator.pk, "former": "operator", "role": "auditor"}
    assert (event.centre, event.actor_id) == (town.centre, town.manager.pk)


def test_the_same_role_again_changes_nothing(town):
    access.change_role(town.operator.pk, town.centre.pk, Role.OPERATOR, operator=town.manager, now=LATER)

    assert not Event.objects.filter(verb="access.role-changed").exists()


@pytest.mark.parametrize("who", ["operator", "auditor", "foreign_manager"])
def test_others_change_nobody(town, who):
    operator, person = getattr(town, who), town.other_manager.pk
    for deed in (
        lambda: access.change_role(person, town.centre.pk, Role.AUDITOR, operator=operator, now=LATER),
        lambda: access.remove_member(person, town.centre.pk, operator=operator, now=LATER),
        lambda: access.remove_factors(person, operator=operator, now=LATER),
        lambda: access.close_account(person, operator=operator, now=LATER),
        lambda: access.open_account(person, operator=operator, now=LATER),
    ):
        with pytest.raises(errors.Forbidden):
            deed()
    assert Membership.objects.get(user=town.other_manager).role == Role.MANAGER


@pytest.mark.parametrize("who", ["manager", "root"])
def test_nobody_changes_himself(town, who):
    operator = getattr(town, who)
    Membership.objects.get_or_create(user=operator, centre=town.centre, defaults={"role": Role.MANAGER})
    for deed in (
        lambda: access.change_role(operator.pk, town.centre.pk, Role.AUDITOR, operator=operator, now=LATER),
        lambda: access.remove_member(operator.pk, town.centre.pk, operator=operator, now=LATER),
        lambda: access.remove_factors(operator.pk, operator=operator, now=LATER),
    ):
        with pytest.raises(errors.OwnAccess):
            deed()


def test_the_last_manager_stays(town):
    access.remove_member(town.other_manager.pk, town.centre.pk, operator=town.root, now=LATER)

    for deed in (
        lambda: access.change_role(town.manager.pk, town.centre.pk, Role.OPERATOR, operator=town.root, now=LATER),
        lambda: access.remove_member(town.manager.pk, town.centre.pk, operator=town.root, now=LATER),
        lambda: access.close_account(town.manager.pk, operator=town.root, now=LATER),
    ):
        with pytest.raises(errors.ManagerLast):
            deed()


def test_the_last_administrator_stays(town):
    User.objects.filter(pk=town.root.pk).update(is_active=False)  # closed a moment ago by the other, in his own request

    with pytest.raises(errors.AdministratorLast):
        access.close_account(town.second_root.pk, operator=town.root, now=LATER)


def test_who_is_removed_keeps_his_account_and_loses_his_sessions(town):
    before = User.objects.get(pk=town.operator.pk).get_session_auth_hash()

    access.remove_member(town.operator.pk, town.centre.pk, operator=town.manager, now=LATER)

    user = User.objects.get(pk=town.operator.pk)
    assert user.is_active
    assert not user.memberships.exists()
    assert user.get_session_auth_hash() != before


def test_removed_factors_are_all_gone(town):
    town.give_totp(town.operator)

    access.remove_factors(town.operator.pk, operator=town.manager, now=LATER)

    assert not Authenticator.objects.filter(user=town.operator).exists()


def test_a_manager_does_not_take_the_factors_of_who_works_elsewhere_too(town):
    town.give_totp(town.operator)
    Membership.objects.create(user=town.operator, centre=town.elsewhere, role=Role.MANAGER)

    with pytest.raises(errors.Forbidden):
        access.remove_factors(town.operator.pk, operator=town.manager, now=LATER)
    access.remove_factors(town.operator.pk, operator=town.root, now=LATER)


def test_a_manager_does_not_take_the_factors_of_an_administrator(town):
    Membership.objects.create(user=town.root, centre=town.centre, role=Role.OPERATOR)

    with pytest.raises(errors.AdministratorsOnly):
        access.remove_factors(town.root.pk, operator=town.manager, now=LATER)


def test_an_account_is_closed_and_opened_with_the_roles_it_had(town):
    access.close_account(town.operator.pk, operator=town.root, now=LATER)
    access.close_account(town.operator.pk, operator=town.root, now=LATER)
    assert not User.objects.get(pk=town.operator.pk).is_active

    access.open_account(town.operator.pk, operator=town.root, now=LATER)
    assert User.objects.get(pk=town.operator.pk).is_active
    assert Membership.objects.get(user=town.operator).role == Role.OPERATOR
    verbs = list(Event.objects.filter(verb__startswith="access.account").order_by("pk").values_list("verb", flat=True))
    assert verbs == ["access.account-closed", "access.account-opened"]
