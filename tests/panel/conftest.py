"""Fixtures of the panel: a town at a fixed instant, and operators who have or have not shown their second factor."""

from __future__ import annotations

import time

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.internal.userkit import user_id_to_str
from django.test import Client

from cms.admin.desk import SESSION_KEY
from tests.panel.pictures import PICTURES
from tests.panel.town import NOW, Town


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    """Hashing that is slow on purpose would be most of the suite's time."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def picture_folder(pytestconfig, tmp_path):
    """Where pictures go: a temporary folder, or the documentation's when `python -m tests.panel.pictures` runs."""
    return pytestconfig.stash.get(PICTURES, tmp_path)


@pytest.fixture
def town(db, clock):
    """Rows to look at; the doors' clock stands at NOW."""
    clock.instant = NOW
    return Town()


def seated(user, service=None) -> Client:
    """A client with a session as login and second factor leave it, at the desk of a service."""
    client = Client()
    client.force_login(user)
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "password", "at": 0}, {"method": "mfa", "type": "totp"}]
    session["account_authentication_methods_user"] = user_id_to_str(user)
    if service is not None:
        session[SESSION_KEY] = service.pk
    session.save()
    return client


def confirmed(client: Client) -> Client:
    """Mark the client's session as of someone who has just shown his second factor again; returns the client."""
    session = client.session
    records = session[AUTHENTICATION_METHODS_SESSION_KEY]
    proof = {"method": "mfa", "type": "totp", "at": time.time(), "reauthenticated": True}
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [*records, proof]
    session.save()
    return client


@pytest.fixture
def freshly():
    """Confirm a session: `freshly(client)`; what cannot be undone is then not asked for again."""
    return confirmed


@pytest.fixture
def desk(town):
    """The town's operator, admitted, with the old service chosen."""
    return seated(town.operator, town.service)


@pytest.fixture
def seat():
    """Seat any operator: `seat(user, service)`."""
    return seated
