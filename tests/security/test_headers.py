"""Every answer carries the security headers: pages, refusals, errors, files, streams, whatever the address."""

from __future__ import annotations

import pytest
from django.test import Client

from config.headers import HEADERS
from renewals.admin.previews import FRAME_POLICY
from tests.panel import addresses
from tests.panel.conftest import confirmed, seated
from tests.panel.population import populated
from tests.panel.routes import known_of
from tests.panel.town import NOW

ELSEWHERE = [
    "/", "/healthz", "/readyz", "/static/panel/panel.css", "/static/keine.css", "/nirgends/", "/pannello/nirgends/",
    "/api/enrollment/v1/openapi.json", "/api/enrollment/v1/case", "/api/nirgends", "/pki/ca/root.crt", "/pki/nirgends",
]  # fmt: skip


@pytest.fixture
def clerk(db, clock, settings):
    clock.instant = NOW
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    town = populated()
    client = confirmed(seated(town.manager, town.service))
    client.town, client.raise_request_exception = town, False
    return client


# An example mail, styled inline, for the frame of its own page: it may do less than a page, but be framed by one.
FRAMED = {"Content-Security-Policy": FRAME_POLICY, "X-Frame-Options": "SAMEORIGIN"}


def lacking(answer) -> dict[str, str | None]:
    wanted = HEADERS | (FRAMED if answer.headers.get("Content-Security-Policy") == FRAME_POLICY else {})
    return {name: answer.headers.get(name) for name, value in wanted.items() if answer.headers.get(name) != value}


def test_every_address_answers_with_the_headers_to_everybody_and_every_method(clerk):
    found, _unknown = addresses.filled(known_of(clerk.town))
    faults, kinds = [], set()
    visitor = Client(raise_request_exception=False)
    for address in [*found, *ELSEWHERE]:
        for answer in (clerk.get(address), visitor.get(address), visitor.delete(address)):
            kinds.add(answer.status_code)
            answer.close()
            if missing := lacking(answer):
                faults.append((address, answer.status_code, missing))
    assert not faults, "\n".join(map(str, ["", *faults[:40]]))
    assert kinds >= {200, 302, 404, 405}


def test_a_refused_form_carries_them(clerk):
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/accesso/login/", {"login": "x@example.org", "password": "x"})
    assert (answer.status_code, lacking(answer)) == (403, {})


def test_a_defect_carries_them(clerk, monkeypatch):
    from cms.admin import desk

    def broken(*_args, **_kwargs):
        raise RuntimeError("a defect")

    monkeypatch.setattr(desk.clock, "now", broken)
    answer = clerk.get("/pannello/rinnovi/")
    assert (answer.status_code, lacking(answer)) == (500, {})


def test_a_stream_carries_them(clerk):
    answer = clerk.post("/pannello/eventi/esporta/")
    assert answer.streaming
    assert (answer.status_code, lacking(answer)) == (200, {})
