"""The enrollment API knows no ids in its addresses: without a token of one's own case every operation about a case is shut."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from config.api import api
from tests.panel.conftest import confirmed, seated
from tests.panel.population import populated
from tests.panel.town import NOW
from tests.security import walk

ROOT = "/api/enrollment/v1"
# Before there is a token: the card is looked at, a text to sign is asked for, a session is opened with the signature;
# and beside it: what is offered, and a request for help, which answers nothing of anybody.
ENTRANCE = {
    f"{ROOT}/scan",
    f"{ROOT}/texts",
    f"{ROOT}/challenges",
    f"{ROOT}/sessions",
    f"{ROOT}/capabilities",
    f"{ROOT}/support-requests",
}


@pytest.fixture
def town(db, clock, settings):
    clock.instant = NOW
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return populated()


def operations():
    return [(path, method) for path, methods in api.get_openapi_schema()["paths"].items() for method in methods]


def test_no_address_names_a_row():
    assert [path for path, _method in operations() if "{" in path] == []


@pytest.mark.parametrize("bearer", ["", "Bearer x", "Bearer ", "Basic eDp4"])
def test_no_operation_about_a_case_opens_without_its_token(town, bearer):
    """Nor does an operator's seat at the panel help: the API takes no cookie."""
    case = town.cases[0]
    marks = {case.code, case.holder.surname, case.holder.tax_code, str(case.holder.email)}
    faults = []
    for client in (Client(), confirmed(seated(town.operator, town.service))):
        for path, method in operations():
            if path in ENTRANCE:
                continue
            headers = {"HTTP_AUTHORIZATION": bearer} if bearer else {}
            with walk.undone():
                before = walk.written_to()
                answer = client.generic(method.upper(), path, json.dumps({}), "application/json", **headers)
                changed = walk.changed_since(before)
            if answer.status_code != 401 or changed or walk.given_away(walk.body_of(answer), marks):
                faults.append((method, path, answer.status_code, changed))
    assert faults == []


def test_a_holders_token_opens_no_page_of_the_panel(town):
    client = Client(HTTP_AUTHORIZATION="Bearer " + "x" * 43)
    assert {client.get(address).status_code for address in walk.plain()} <= {302, 403, 405}
