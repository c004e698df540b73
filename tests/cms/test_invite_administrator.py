"""`manage.py invite_administrator`: the way into an installation that has nobody yet."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from cms.models import Event, Invitation, User
from cms.services import invitations
from cms.states import Channel
from notifications import rendering
from notifications.models import OutboxMessage
from tests.panel.town import tax_code

EMAIL, NAME, CODE = "ada.radice@example.org", "Ada Radice", tax_code("RDCDAA", 120)


def invited(email=EMAIL, name=NAME, code=CODE):
    said = StringIO()
    call_command("invite_administrator", email, name, code, stdout=said)
    return said.getvalue()


def token(mail):
    return rendering._values(mail)["invitation_url"].rstrip("/").rsplit("/", 1)[1]


def test_the_first_administrator_of_an_empty_installation_is_invited_by_mail(db, clock):
    invited()

    (mail,) = OutboxMessage.objects.all()
    assert (mail.kind, mail.recipient) == ("invitation", EMAIL)
    invitation = invitations.invitation_behind(invitations.digest_of(token(mail)), now=clock.instant)
    assert (invitation.centre_id, invitation.role, invitation.invited_by) == (None, "", None)
    assert not User.objects.exists()


def test_neither_link_nor_person_is_printed(db, clock, caplog):
    said = invited()

    shown = said + caplog.text
    for hidden in (token(OutboxMessage.objects.get()), "http", EMAIL, "Radice", CODE):
        assert hidden not in shown
    assert "72 hours" in said


def test_a_second_run_sends_a_new_link_and_the_former_is_worth_nothing(db, clock):
    invited()
    former = Invitation.objects.get().token_sha256

    invited()

    assert Invitation.objects.get().token_sha256 != former
    assert OutboxMessage.objects.count() == 2


def test_the_trail_says_that_the_system_has_invited(db, clock):
    invited()

    event = Event.objects.get()
    assert (event.verb, event.actor_kind, event.actor_id) == ("access.invited", "system", None)
    assert event.channel == Channel.AUTOMATIC
    assert event.facts["invitation"] == str(Invitation.objects.get().uid)


def test_the_invitation_taken_makes_an_administrator(db, clock):
    invited()

    invitations.accept_with_new_account(
        Invitation.objects.get().token_sha256, password="una-frase-lunga-di-prova", now=clock.instant
    )

    user = User.objects.get()
    assert (user.is_administrator, user.is_staff, user.email) == (True, True, EMAIL)


def test_who_is_an_administrator_already_is_not_invited_again(db, clock):
    User.objects.create_user(EMAIL, full_name=NAME, tax_code=CODE, is_staff=True, is_administrator=True)

    with pytest.raises(CommandError, match="member-present"):
        invited()

    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "code"), [({"code": "RDCDAA85T10A120A"}, "tax-code-invalid"), ({"name": "A"}, "input-invalid")]
)
def test_what_is_wrong_is_told_with_its_code(db, clock, wrong, code):
    with pytest.raises(CommandError, match=code):
        invited(**wrong)
