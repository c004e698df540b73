"""What cannot be undone wants the person to have shown again, a moment ago, who he is."""

from __future__ import annotations

import time

import pyotp
import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpResponse
from django.test import RequestFactory

from cms.admin.entrance import confirmed_recently
from tests.panel.town import PASSWORD

ASKS, DONE = "/pannello/contatori/", b"done"


def acted(request):
    """A view that would do something final."""
    return HttpResponse(DONE)


def asked(client, user, method="GET", view=acted, **how):
    """What the guarded view answers to this client's session."""
    request = RequestFactory().generic(method, ASKS)
    request.user = user
    SessionMiddleware(lambda _: HttpResponse()).process_request(request)
    request.session = client.session
    request._messages = Notes()
    answer = confirmed_recently(view, **how)(request)
    answer.notes = request._messages
    return answer


class Notes(list):
    """Messages to the person."""

    def add(self, level, text, extra_tags=""):
        self.append(str(text))


def test_a_session_whose_proof_is_old_is_asked_again_and_led_back(town, desk):
    town.give_totp(town.operator)

    answer = asked(desk, town.operator)

    assert answer["Location"] == "/accesso/secondo-fattore/reauthenticate/?next=%2Fpannello%2Fcontatori%2F"


def test_a_fresh_proof_lets_the_view_act(town, desk, freshly):
    town.give_totp(town.operator)

    assert asked(freshly(desk), town.operator, "POST").content == DONE


def test_what_was_posted_without_it_is_told_to_be_undone(town, desk):
    town.give_totp(town.operator)

    answer = asked(desk, town.operator, "POST")

    assert answer.status_code == 302
    assert "Non è stato eseguito nulla" in answer.notes[0]


def test_a_view_that_takes_posts_only_leads_to_the_page_that_asks(town, desk):
    town.give_totp(town.operator)

    answer = asked(desk, town.operator, "POST", asks_at="admin:cases")

    assert answer["Location"].endswith("?next=%2Fpannello%2Frinnovi%2F")


def test_who_has_a_passkey_is_asked_for_it_first(town, desk):
    town.give_totp(town.operator)
    Authenticator.objects.create(user=town.operator, type="webauthn", data={"name": "chiave", "credential": {}})

    assert "webauthn" in asked(desk, town.operator)["Location"]


@pytest.mark.parametrize(("age", "is_fresh"), [(0, True), (299, True), (301, False), (-3600, False)])
def test_a_proof_counts_for_five_minutes_and_never_from_the_future(town, desk, age, is_fresh):
    town.give_totp(town.operator)
    session = desk.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "password", "at": time.time() - age}]
    session.save()

    assert (asked(desk, town.operator).status_code == 200) is is_fresh


def test_the_proof_of_another_account_does_not_count(town, desk, freshly):
    other = town.employ("altro@cdrl.example.org")
    town.give_totp(other)

    assert asked(freshly(desk), other).status_code == 302


def test_password_or_code_shown_again_open_the_way_back(town, desk):
    secret = town.give_totp(town.operator)
    for page, proof in (
        ("/accesso/reauthenticate/", {"password": PASSWORD}),
        ("/accesso/secondo-fattore/reauthenticate/", {"code": pyotp.TOTP(secret).now()}),
    ):
        answer = desk.post(page, {**proof, "next": ASKS})

        assert answer["Location"] == ASKS
        assert asked(desk, town.operator).content == DONE
