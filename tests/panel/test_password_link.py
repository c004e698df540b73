"""The way back in for who has forgotten his password: by mail, once, for minutes, and the second factor stays."""

from __future__ import annotations

from html import unescape

import pyotp
import pytest
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.test import Client

from cms.models import User
from notifications import rendering
from notifications.models import OutboxMessage
from runtime import clock
from smime.services import welcome
from tests.panel.town import PASSWORD

ASK, LOGIN = "/accesso/password/reset/", "/accesso/login/"
AUTHENTICATE = "/accesso/secondo-fattore/authenticate/"
NEW = "un'altra-frase-molto-lunga"


def asked(client, email):
    return client.post(ASK, {"email": email}, follow=True)


def link():
    """The address that the newest mail carries, as a path."""
    mail = OutboxMessage.objects.filter(kind="password-link").latest("created_at")
    return rendering._values(mail)["password_url"].removeprefix("http://testserver")


def reset(client, address, password=NEW):
    form = client.get(address, follow=True)
    where = form.redirect_chain[-1][0] if form.redirect_chain else address
    return client.post(where, {"password1": password, "password2": password}, follow=True)


def test_the_answer_is_the_same_for_every_address_and_only_accounts_get_a_mail(town, client):
    known = asked(client, town.operator.email)
    unknown = asked(client, "nessuno@example.org")

    assert known.redirect_chain == unknown.redirect_chain
    assert known.content == unknown.content
    assert [mail.recipient for mail in OutboxMessage.objects.filter(kind="password-link")] == [town.operator.email]


def test_a_closed_account_gets_no_link(town, client):
    town.operator.is_active = False
    town.operator.save()

    asked(client, town.operator.email)

    assert not OutboxMessage.objects.filter(kind="password-link").exists()


def test_the_link_sets_a_new_password_and_the_second_factor_is_asked_as_ever(town, client):
    secret = town.give_totp(town.operator)
    asked(client, town.operator.email)

    answer = reset(client, link())

    assert "Password cambiata" in answer.content.decode()
    assert client.get("/pannello/servizio/")["Location"].startswith(LOGIN)
    answer = client.post(LOGIN, {"login": town.operator.email, "password": NEW})
    assert answer["Location"].startswith(AUTHENTICATE)
    client.post(AUTHENTICATE, {"code": pyotp.TOTP(secret).now()})
    assert client.get("/pannello/servizio/").status_code == 200


def test_the_link_works_once(town, client):
    asked(client, town.operator.email)
    address = link()
    reset(client, address)

    answer = Client().get(address, follow=True)

    assert "Collegamento non valido" in answer.content.decode()


@pytest.mark.parametrize(("minutes", "is_good"), [(29, True), (31, False)])
def test_the_link_is_good_for_half_an_hour(town, client, minutes, is_good):
    asked(client, town.operator.email)
    made = default_token_generator._num_seconds(default_token_generator._now()) - minutes * 60
    token = default_token_generator._make_token_with_timestamp(town.operator, made, default_token_generator.secret)
    address = f"{link().rsplit('/', 2)[0]}/{user_pk_to_url_str(town.operator)}-{token}/"

    page = client.get(address, follow=True).content.decode()

    assert ("Collegamento non valido" not in page) is is_good


def test_a_new_password_by_link_ends_all_open_sessions(town, client, seat):
    elsewhere = seat(town.operator, town.service)
    assert elsewhere.get("/pannello/eventi/").status_code == 200
    asked(client, town.operator.email)

    reset(client, link())

    assert elsewhere.get("/pannello/eventi/")["Location"].startswith(LOGIN)


@pytest.mark.parametrize("password", ["corta", "111111111111111"])
def test_a_weak_password_is_refused_and_the_link_stays_good(town, client, password):
    asked(client, town.operator.email)
    address = link()

    reset(client, address, password)

    town.operator.refresh_from_db()
    assert town.operator.check_password(PASSWORD)
    assert "Password cambiata" in reset(client, address).content.decode()


def test_the_mail_goes_through_the_outbox_with_its_link_sealed(town, client):
    asked(client, town.operator.email)
    mail = OutboxMessage.objects.get(kind="password-link")

    assert mail.sealed_context is not None
    assert "reset/key" not in str(mail.context)


def test_a_password_that_is_too_short_is_refused_in_the_readers_language(town, client):
    asked(client, town.operator.email)
    refused = reset(client, link(), "corta")
    assert "La password è troppo corta: servono almeno 12 caratteri." in refused.content.decode()


def test_only_who_has_to_is_told_of_a_second_factor(town, client):
    asked(client, town.operator.email)
    assert "Per entrare servirà il secondo fattore." in client.get(link(), follow=True).content.decode()


def test_a_new_customer_goes_from_his_first_password_to_his_area(town):
    buyer = User.objects.create_user("nuova@example.org", None, full_name="Nora Ricci")
    client, way_in = Client(), welcome.way_in(buyer, now=clock.now()).removeprefix("http://testserver")

    page = client.post(way_in, follow=True)
    assert "secondo fattore" not in page.content.decode()
    assert "sessioni" not in page.content.decode()
    where, said = page.redirect_chain[-1][0], {"password1": NEW, "password2": NEW}
    answer = client.post(where, said | {"next": "/area-clienti/"}, follow=True)
    assert answer.redirect_chain[-1][0] == "/accesso/login/?next=/area-clienti/"
    assert "Accesso all'Area clienti" in unescape(answer.content.decode())


def test_a_refused_login_says_what_was_wrong_once(town, client):
    page = client.post(LOGIN, {"login": town.operator.email, "password": "sbagliata"}).content.decode()
    assert "L&#x27;e-mail o la password non è corretta." in page
    assert "Da correggere prima di continuare" not in page
    assert "Da correggere prima di continuare" in client.post(LOGIN, {"login": "", "password": ""}).content.decode()
