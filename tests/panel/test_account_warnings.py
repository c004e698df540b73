"""Whatever changes an account's ways in is told to its owner by mail: it may not have been him."""

from __future__ import annotations

import pyotp
import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from cms.models import Membership, User
from cms.services import access
from cms.services.accounts import Change
from cms.states import Role
from notifications import rendering
from notifications.catalog import Message
from notifications.models import OutboxMessage
from notifications.services import post
from tests.panel.test_password_link import asked, link, reset
from tests.panel.town import NOW, PASSWORD

PASSWORD_PAGE, FACTORS = "/accesso/password/change/", "/accesso/secondo-fattore/"
NEW = "un'altra-frase-molto-lunga"


@pytest.fixture
def manager(town):
    town.employ("resp2@cdrl.example.org", "Remo Resi", role=Role.MANAGER)
    return town.employ("resp@cdrl.example.org", "Rita Resta", role=Role.MANAGER)


@pytest.fixture
def root(town):
    return User.objects.create_user(
        "admin@example.org", PASSWORD, full_name="Ada Radice", is_staff=True, is_administrator=True
    )


@pytest.fixture
def himself(town, seat, freshly):
    """The operator, logged in, who has just shown who he is."""
    town.give_totp(town.operator)
    return freshly(seat(town.operator, town.service))


def warnings(user):
    return OutboxMessage.objects.filter(kind="account-changed", recipient=user.email)


def told(user):
    (mail,) = warnings(user)
    return mail.context["change"]


# By the owner himself, or by whoever sits at his desk


def test_a_changed_password_is_told(town, himself):
    himself.post(PASSWORD_PAGE, {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})

    assert told(town.operator) == Change.PASSWORD.value


def test_a_password_set_by_the_mailed_link_is_told(town):
    visitor = Client()
    asked(visitor, town.operator.email)

    reset(visitor, link())

    assert told(town.operator) == Change.PASSWORD.value


def test_an_app_that_is_added_is_told(town, seat, freshly, django_capture_on_commit_callbacks):
    client = freshly(seat(town.operator))
    secret = client.get(f"{FACTORS}totp/activate/").context["form"].secret

    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"{FACTORS}totp/activate/", {"code": pyotp.TOTP(secret).now()})

    assert told(town.operator) == Change.APP_ADDED.value


def test_an_app_that_is_removed_is_told(town, himself):
    Authenticator.objects.create(user=town.operator, type="webauthn", data={"name": "chiave USB", "credential": {}})

    himself.post(f"{FACTORS}totp/deactivate/")

    assert told(town.operator) == Change.APP_REMOVED.value


def test_a_passkey_that_is_removed_is_told(town, himself):
    key = Authenticator.objects.create(user=town.operator, type="webauthn", data={"name": "USB", "credential": {}})

    himself.post(f"{FACTORS}webauthn/keys/{key.pk}/remove/")

    assert told(town.operator) == Change.PASSKEY_REMOVED.value


def test_new_recovery_codes_are_told_and_none_of_them_stands_in_the_mail(
    town, himself, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        himself.post(f"{FACTORS}recovery-codes/generate/")

    (mail,) = warnings(town.operator)
    codes = Authenticator.objects.get(user=town.operator, type="recovery_codes").wrap().generate_codes()
    assert mail.context["change"] == Change.RECOVERY_CODES.value
    assert not [code for code in codes if code in rendering.render(mail).text]


def test_a_refused_change_tells_nothing(town, himself):
    himself.post(PASSWORD_PAGE, {"oldpassword": "sbagliata", "password1": NEW, "password2": NEW})
    himself.post(f"{FACTORS}totp/deactivate/")  # the last one

    assert not warnings(town.operator).exists()


# By others


def test_removed_factors_are_told_with_who_removed_them(town, manager):
    access.remove_factors(town.operator.pk, operator=manager, now=NOW)

    (mail,) = warnings(town.operator)
    assert mail.context["change"] == Change.FACTORS_REMOVED.value
    text = rendering.render(mail).text
    assert "Rita Resta" in text
    assert "Sara Galli" in text


def test_an_access_that_was_taken_away_is_told_with_its_centre(town, manager):
    access.remove_member(town.operator.pk, town.centre.pk, operator=manager, now=NOW)

    (mail,) = warnings(town.operator)
    assert mail.context["change"] == Change.ACCESS_REMOVED.value
    assert town.centre.name in rendering.render(mail).text


def test_a_closed_account_is_told_once(town, root):
    for _ in range(2):
        access.close_account(town.operator.pk, operator=root, now=NOW)

    assert told(town.operator) == Change.ACCOUNT_CLOSED.value


def test_what_is_refused_warns_nobody(town, manager):
    Membership.objects.filter(role=Role.MANAGER).exclude(user=manager).delete()

    with pytest.raises(access.AdministratorsOnly):
        access.close_account(town.operator.pk, operator=manager, now=NOW)

    assert not OutboxMessage.objects.filter(kind="account-changed").exists()


@pytest.mark.parametrize("change", Change)
def test_the_mail_carries_no_link_and_no_secret(town, change):
    mail = post(
        key=change.name,
        message=Message.ACCOUNT_CHANGED,
        to=town.operator.email,
        context={"recipient_name": "Sara Galli", "change": change.value},
        at=NOW,
    )

    rendered = rendering.preview(mail)
    assert change.value in " ".join(rendered.text.split())
    assert "http" not in rendered.text
    assert "href" not in rendered.html
