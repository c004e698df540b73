"""Forty texts that want to be more than text, in names, notes and files: on every page and in every export they stay text."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser

import pytest
from django.conf import settings

from tests.panel import addresses
from tests.panel.browser import CHROMIUM, launched, opened, served
from tests.panel.conftest import confirmed, seated
from tests.panel.population import populated
from tests.panel.routes import known_of
from tests.panel.town import NOW
from tests.security import walk
from tests.security.payloads import PAYLOADS, fill

FOREIGN_TAGS = {"iframe", "object", "embed", "base", "video", "math", "style", "audio", "frame"}
NUMBER = re.compile(r"^[+-]?\d+([.,]\d+)?$")


class Suspicion(HTMLParser):
    """Collects what none of our templates writes; only previews of mails have a frame, and a style in what it shows."""

    def __init__(self, address):
        super().__init__()
        self.found = []
        self._own = address if address.startswith("/pannello/messaggi/anteprime/") else None

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if self._own and tag == "iframe" and values["sandbox"] is None and values["src"].startswith(self._own):
            return
        if tag in FOREIGN_TAGS - ({"style"} if self._own else set()) or any(name.startswith("on") for name in values):
            self.found.append((tag, values))
        if tag == "script" and not (
            values.get("src", "").startswith("/static/") or values.get("type") == "application/json"
        ):
            self.found.append((tag, values))
        for name in ("href", "src", "action", "formaction"):
            if values.get(name, "").strip().lower().startswith(("javascript:", "data:", "//", "vbscript:")):
                self.found.append((tag, values))


@pytest.fixture
def town(committed, clock, settings):
    clock.instant = NOW
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return populated()


def pages_of(town):
    found, _unknown = addresses.filled(known_of(town))
    return [address for address in found if address.startswith("/pannello/")]


def clerk(town, role="manager"):
    client = confirmed(seated(getattr(town, role), town.service))
    client.raise_request_exception = False
    return client


def test_no_payload_becomes_markup_on_any_page_nor_a_formula_in_any_export(town, superuser):
    faults, exports = [], set()
    for turn in range(0, len(PAYLOADS), 5):
        fill(superuser, turn)
        client = clerk(town, "administrator" if turn % 10 else "manager")
        for address in pages_of(town):
            answer = client.get(address)
            if answer.status_code == 405 and ("esporta" in address or address.endswith(".csv")):
                answer = client.post(address)
            text = walk.body_of(answer)
            if answer.status_code >= 500:
                faults.append((turn, address, answer.status_code))
            if "text/csv" in answer.headers.get("Content-Type", ""):
                exports.add(address)
                faults += [(turn, address, cell) for cell in cells(text) if is_formula(cell)]
            elif "text/html" in answer.headers.get("Content-Type", ""):
                suspicion = Suspicion(address)
                suspicion.feed(answer.content.decode())
                faults += [(turn, address, found) for found in suspicion.found]
            faults += [(turn, address, name) for name, value in answer.headers.items() if "rubato" in value]
    assert not faults, "\n".join(map(str, ["", *faults[:40]]))
    assert exports


def cells(text):
    body = text.split("\r\nContent-")[0].lstrip("\ufeff")
    return [cell for row in csv.reader(io.StringIO(body, newline=""), delimiter=";") for cell in row]


def is_formula(cell):
    return cell.lstrip(" \u00a0")[:1] in set("=+-@\t\r") and not NUMBER.match(cell)


@pytest.mark.chromium
@pytest.mark.skipif(CHROMIUM is None, reason="no browser here: the system package `chromium` is missing")
def test_in_a_browser_no_payload_runs_and_the_policy_has_nothing_to_stop(town, superuser):
    alarms = []
    with served() as address, launched() as browser:
        client = clerk(town)
        page = opened(browser, address)
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}
        page.context.add_cookies([{**cookie, "url": address}])
        page.on("dialog", lambda dialog: (alarms.append(dialog.message), dialog.dismiss()))
        shown = [each for each in pages_of(town) if is_page(client.get(each))]
        for turn in (0, 13, 26):
            fill(superuser, turn)
            for each in shown:
                page.goto(each)
                if "esempio.example.org" in page.url or page.evaluate("document.baseURI") != page.url:
                    alarms.append((turn, each, page.url))
                alarms += [(turn, each, said) for said in page.complaints]
                page.complaints.clear()
    assert not alarms, "\n".join(map(str, ["", *alarms[:40]]))
    assert len(shown) > 15


def is_page(answer):
    return answer.status_code == 200 and answer.headers.get("Content-Type", "").startswith("text/html")
