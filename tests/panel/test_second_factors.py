"""Second factors: sealed at rest, never all removed, set up by the operator himself."""

from __future__ import annotations

import json

import pyotp
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

from config.login import MFAAdapter
from runtime.sealing import SealBroken
from tests.panel.town import PASSWORD

PAGES = "/accesso/secondo-fattore"


@pytest.fixture
def confirmed(town, seat):
    """An operator who has just confirmed his password again."""
    town.give_totp(town.operator)
    client = seat(town.operator, town.service)
    client.post("/accesso/reauthenticate/", {"password": PASSWORD})
    return client


def passkey(user, name="chiave USB"):
    return Authenticator.objects.create(user=user, type="webauthn", data={"name": name, "credential": {}})


def test_neither_a_totp_secret_nor_recovery_seeds_lie_in_the_database_in_clear(town):
    secret = town.give_totp(town.operator)
    codes = RecoveryCodes.activate(town.operator).generate_codes()

    stored = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))

    assert secret not in stored
    assert not any(code in stored for code in codes)
    assert pyotp.TOTP(secret).verify(pyotp.TOTP(MFAAdapter().decrypt(_secret_of(town.operator))).now(), valid_window=1)


def test_a_secret_that_was_changed_in_the_database_does_not_open(town):
    town.give_totp(town.operator)
    stored = _secret_of(town.operator)

    with pytest.raises(SealBroken):
        MFAAdapter().decrypt(stored[:-8] + "AAAAAAA=")


def test_the_last_app_cannot_be_removed(town, confirmed):
    page = confirmed.get(f"{PAGES}/totp/deactivate/").content.decode()
    confirmed.post(f"{PAGES}/totp/deactivate/")

    assert "unico secondo fattore" in page
    assert Authenticator.objects.filter(user=town.operator, type="totp").exists()


def test_the_last_passkey_cannot_be_removed(town, confirmed):
    Authenticator.objects.filter(user=town.operator).delete()
    key = passkey(town.operator)

    answer = confirmed.post(f"{PAGES}/webauthn/keys/{key.pk}/remove/", follow=True)

    assert Authenticator.objects.filter(pk=key.pk).exists()
    assert "unico secondo fattore" in answer.content.decode()


def test_recovery_codes_are_no_factor_that_may_stay_alone(town, confirmed):
    RecoveryCodes.activate(town.operator)

    confirmed.post(f"{PAGES}/totp/deactivate/")

    assert Authenticator.objects.filter(user=town.operator, type="totp").exists()


def test_one_of_two_may_go(town, confirmed):
    key = passkey(town.operator)

    confirmed.post(f"{PAGES}/webauthn/keys/{key.pk}/remove/")

    assert not Authenticator.objects.filter(pk=key.pk).exists()


def test_nobody_removes_the_key_of_another(town, confirmed):
    other = town.employ("altro@cdrl.example.org")
    key = passkey(other)
    passkey(other, "seconda")

    assert confirmed.post(f"{PAGES}/webauthn/keys/{key.pk}/remove/").status_code == 404
    assert Authenticator.objects.filter(pk=key.pk).exists()


def test_an_operator_without_factor_sets_one_up_and_gets_recovery_codes_once(town, client):
    client.post("/accesso/login/", {"login": town.operator.email, "password": PASSWORD})
    page = client.get("/pannello/", follow=True)
    assert "ne attivi almeno uno" in page.content.decode()
    answer = client.get(f"{PAGES}/totp/activate/", follow=True)  # asks for the password again
    client.post(answer.redirect_chain[-1][0], {"password": PASSWORD, "next": f"{PAGES}/totp/activate/"})
    form = client.get(f"{PAGES}/totp/activate/")
    secret = form.context["form"].secret

    codes = client.post(f"{PAGES}/totp/activate/", {"code": pyotp.TOTP(secret).now()}, follow=True)

    shown = codes.context["unused_codes"]
    assert "Sono mostrati solo adesso" in codes.content.decode()
    assert all(code in codes.content.decode() for code in shown)
    again = client.get(f"{PAGES}/recovery-codes/").content.decode()
    assert not any(code in again for code in shown)


def test_a_recovery_code_opens_once(town, client):
    town.give_totp(town.operator)
    code = RecoveryCodes.activate(town.operator).generate_codes()[0]
    for allowed in (True, False):
        client.logout()
        client.post("/accesso/login/", {"login": town.operator.email, "password": PASSWORD})
        client.post(f"{PAGES}/authenticate/", {"code": code})

        assert (client.get("/pannello/servizio/").status_code == 200) is allowed


def _secret_of(user) -> str:
    return Authenticator.objects.get(user=user, type="totp").data["secret"]
