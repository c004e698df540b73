"""An invitation counts for as long as who sent it may invite there."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms import errors
from cms.models import Invitation, User
from cms.services import access, invitations
from cms.services.invitations import Invitee
from cms.states import Role
from notifications import rendering
from notifications.models import OutboxMessage
from tests.panel.town import NOW, Town, tax_code

LATER = NOW + timedelta(hours=1)
PASSWORD = "una-frase-lunga-di-prova"


@pytest.fixture
def town(db):
    town = Town()
    town.manager = town.employ("resp@cdrl.example.org", "Rita Resta", role=Role.MANAGER)
    town.colleague = town.employ("resp2@cdrl.example.org", "Remo Resi", role=Role.MANAGER)
    town.root = User.objects.create_user("admin@example.org", None, is_staff=True, is_administrator=True)
    town.second_root = User.objects.create_user("admin2@example.org", None, is_staff=True, is_administrator=True)
    return town


def digest_of_the_newest_link():
    values = rendering._values(OutboxMessage.objects.filter(kind="invitation").latest("queued_at", "created_at"))
    return invitations.digest_of(values["invitation_url"].rstrip("/").rsplit("/", 1)[1])


def invited(operator, centre_id, role):
    person = Invitee("livia@example.org", "Livia Serra", tax_code("SRRLVI", 120), centre_id, role)
    invitations.invite(person, operator=operator, now=NOW)
    return digest_of_the_newest_link()


def demoted(town):
    access.change_role(town.manager.pk, town.centre.pk, Role.OPERATOR, operator=town.root, now=NOW)


def removed(town):
    access.remove_member(town.manager.pk, town.centre.pk, operator=town.root, now=NOW)


def closed(town):
    access.close_account(town.manager.pk, operator=town.root, now=NOW)


@pytest.mark.parametrize("leave", [demoted, removed, closed])
def test_the_link_of_a_manager_who_is_one_no_more_opens_nothing_until_a_colleague_sends_it_again(town, leave):
    digest = invited(town.manager, town.centre.pk, Role.MANAGER)
    leave(town)

    with pytest.raises(errors.InvitationWithdrawn):
        invitations.invitation_behind(digest, now=LATER)
    with pytest.raises(errors.InvitationWithdrawn):
        invitations.accept_with_new_account(digest, password=PASSWORD, now=LATER)
    assert not User.objects.filter(email="livia@example.org").exists()

    invitations.resend_invitation(Invitation.objects.get().uid, operator=town.colleague, now=LATER)
    invitations.accept_with_new_account(digest_of_the_newest_link(), password=PASSWORD, now=LATER)
    assert User.objects.filter(email="livia@example.org").exists()


def test_an_administrator_whose_account_is_closed_has_invited_no_other(town):
    digest = invited(town.second_root, None, "")
    access.close_account(town.second_root.pk, operator=town.root, now=NOW)

    with pytest.raises(errors.InvitationWithdrawn):
        invitations.accept_with_new_account(digest, password=PASSWORD, now=LATER)
