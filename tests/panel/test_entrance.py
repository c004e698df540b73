"""Nobody is in without a second factor used in this very session."""

from __future__ import annotations

import math
import time

import pyotp
import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.test import Client

from cms.models import Membership, User
from config.cache import ForgivingRedisCache
from config.panel import site
from tests.panel.town import PASSWORD

LOGIN, AUTHENTICATE = "/accesso/login/", "/accesso/secondo-fattore/authenticate/"


def addresses(case) -> list[str]:
    """Every page of the panel."""
    return [
        "/pannello/",
        "/pannello/servizio/",
        "/pannello/rinnovi/",
        f"/pannello/rinnovi/{case.code}/",
        f"/pannello/rinnovi/{case.code}/approva/",
        f"/pannello/rinnovi/{case.code}/non-approva/",
        f"/pannello/rinnovi/{case.code}/modulo.pdf",
        "/pannello/eventi/",
        "/pannello/certificati/",
        "/pannello/contatori/",
    ]


def give_password(client: Client, user: User, password: str = PASSWORD):
    return client.post(LOGIN, {"login": user.email, "password": password})


def test_a_stranger_is_sent_to_the_login_from_every_page(town, client):
    for address in addresses(town.case()):
        answer = client.get(address)

        assert answer.status_code == 302
        assert answer["Location"].startswith(LOGIN)


def test_a_password_alone_makes_no_session_for_whoever_has_a_second_factor(town, client):
    town.give_totp(town.operator)

    answer = give_password(client, town.operator)

    assert answer["Location"].startswith(AUTHENTICATE)
    assert client.get("/pannello/rinnovi/")["Location"].startswith(LOGIN)


def test_a_password_only_session_reaches_no_page_and_acts_on_nothing(town, client):
    case = town.completed(town.case())
    give_password(client, town.operator)  # no factor yet: allauth makes a session

    for address in addresses(case):
        assert client.get(address)["Location"] == "/accesso/secondo-fattore/"
    assert client.post(f"/pannello/rinnovi/{case.code}/approva/").status_code == 302
    case.refresh_from_db()
    assert case.authorisation == "pending"


def test_password_and_code_open_the_panel_under_a_new_session_key(town, client):
    secret = town.give_totp(town.operator)
    client.get(LOGIN)
    give_password(client, town.operator)
    before = client.session.session_key

    answer = client.post(AUTHENTICATE, {"code": pyotp.TOTP(secret).now()})

    assert answer["Location"] == "/pannello/"
    assert client.session.session_key != before
    assert client.get("/pannello/rinnovi/")["Location"].startswith("/pannello/servizio/")


@pytest.mark.parametrize("language", ["it", "en"])
def test_mails_come_in_the_language_in_which_one_has_logged_in(town, language):
    client = Client(headers={"accept-language": language})
    secret = town.give_totp(town.operator)
    User.objects.update(language="it" if language == "en" else "en")
    give_password(client, town.operator)
    assert User.objects.get(pk=town.operator.pk).language != language, "a password alone is no login"

    client.post(AUTHENTICATE, {"code": pyotp.TOTP(secret).now()})

    assert User.objects.get(pk=town.operator.pk).language == language


def test_a_code_opens_once(town, client):
    secret = town.give_totp(town.operator)
    code = pyotp.TOTP(secret).now()
    give_password(client, town.operator)
    client.post(AUTHENTICATE, {"code": code})

    other = Client()
    give_password(other, town.operator)
    answer = other.post(AUTHENTICATE, {"code": code})

    assert answer.status_code == 200
    assert "già stato usato" in answer.content.decode()
    assert other.get("/pannello/")["Location"].startswith(LOGIN)


def test_a_code_opens_once_also_while_the_cache_is_away(town, client):
    secret = town.give_totp(town.operator)
    code = pyotp.TOTP(secret).now()
    ForgivingRedisCache.away_until = math.inf
    opened = []
    for visitor in (client, Client()):
        give_password(visitor, town.operator)
        visitor.post(AUTHENTICATE, {"code": code})
        opened.append(visitor.get("/pannello/servizio/").status_code == 200)

    assert opened == [True, False]


def test_a_code_of_before_the_last_used_one_opens_no_more(town, client):
    secret = town.give_totp(town.operator)
    now = time.time()
    early, late = pyotp.TOTP(secret).at(now), pyotp.TOTP(secret).at(now + 30)
    opened = []
    for visitor, code in ((client, late), (Client(), early)):
        give_password(visitor, town.operator)
        visitor.post(AUTHENTICATE, {"code": code})
        opened.append(visitor.get("/pannello/servizio/").status_code == 200)

    assert opened == [True, False]


def test_right_after_enrolling_the_factor_must_still_be_used(town, client):
    give_password(client, town.operator)
    secret = town.give_totp(town.operator)

    answer = client.get("/pannello/rinnovi/")

    assert answer["Location"] == "/accesso/secondo-fattore/reauthenticate/?next=%2Fpannello%2Frinnovi%2F"
    answer = client.post(answer["Location"], {"code": pyotp.TOTP(secret).now(), "next": "/pannello/rinnovi/"})
    assert answer["Location"] == "/pannello/rinnovi/"
    assert client.get("/pannello/servizio/").status_code == 200


def test_a_session_made_past_the_login_is_refused(town, client):
    town.give_totp(town.operator)
    client.force_login(town.operator)

    assert "reauthenticate" in client.get("/pannello/rinnovi/")["Location"]


def test_the_second_factor_of_another_account_does_not_count(town, seat):
    other = town.employ("altro@cdrl.example.org")
    client = seat(other)
    records = client.session[AUTHENTICATION_METHODS_SESSION_KEY]
    client.force_login(town.operator)
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = records
    session.save()

    assert client.get("/pannello/rinnovi/").status_code == 302


@pytest.mark.parametrize("change", [{"is_staff": False}, {"is_active": False}])
def test_an_account_that_is_no_operators_any_more_is_refused(town, desk, change):
    User.objects.filter(pk=town.operator.pk).update(**change)

    assert desk.get("/pannello/rinnovi/").status_code in {302, 403}


def test_without_a_centre_nothing_can_be_chosen(town, desk):
    Membership.objects.filter(user=town.operator).delete()

    answer = desk.get("/pannello/rinnovi/", follow=True)

    assert answer.redirect_chain[-1][0].startswith("/pannello/servizio/")
    assert "Nessun servizio disponibile" in answer.content.decode()


def test_a_wrong_password_and_an_unknown_address_look_the_same(town, client):
    wrong = give_password(client, town.operator, "un'altra-frase-lunga").content.decode()
    unknown = give_password(client, User(email="nessuno@example.org")).content.decode()

    told = "L&#x27;e-mail o la password non è corretta"
    assert told in wrong
    assert told in unknown


def test_repeated_failures_close_the_door_even_to_the_right_password(town, client):
    for _ in range(6):
        give_password(client, town.operator, "un'altra-frase-lunga")

    answer = give_password(client, town.operator)

    assert answer.status_code in {200, 429}
    assert client.get("/pannello/")["Location"].startswith(LOGIN)


@pytest.mark.parametrize("address", ["signup/", "email/", "login/code/confirm/"])
def test_what_is_not_offered_is_not_there(town, client, address):
    assert client.get(f"/accesso/{address}").status_code == 404
    assert client.post(f"/accesso/{address}", {"email": "nuovo@example.org"}).status_code == 404
    assert not User.objects.filter(email="nuovo@example.org").exists()


def test_the_login_keeps_where_one_wanted_to_go_but_only_on_our_own_pages(town, client):
    secret = town.give_totp(town.operator)
    give = {"login": town.operator.email, "password": PASSWORD, "next": "https://evil.example.org/"}
    client.post(LOGIN, give)

    answer = client.post(AUTHENTICATE, {"code": pyotp.TOTP(secret).now()})

    assert answer["Location"].startswith("/")


def test_leaving_takes_a_post(town, desk):
    assert desk.get("/accesso/logout/").status_code == 200
    assert desk.get("/pannello/servizio/").status_code == 200

    desk.post("/accesso/logout/")

    assert desk.get("/pannello/rinnovi/")["Location"].startswith(LOGIN)


def test_no_page_of_the_stock_admin_is_reachable(town, desk):
    for address in ("cms/event/", "renewals/renewalcase/", "login/", "jsi18n/", "password_change/", "rinnovi/add/"):
        assert desk.get(f"/pannello/{address}").status_code in {302, 404}
    names = {pattern.name for pattern in site.get_urls() if getattr(pattern, "name", None)}
    assert names == {"index", "choose_service", "choose_look"}


def test_pages_are_not_kept_by_browsers_or_proxies(town, desk):
    assert "no-store" in desk.get("/pannello/rinnovi/")["Cache-Control"]
