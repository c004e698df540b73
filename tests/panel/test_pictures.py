"""Pictures of the panel: the suite takes them to hold that they can be taken, `python -m tests.panel.pictures` keeps them."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from tests.panel.browser import CHROMIUM, WIDE, launched, opened, served
from tests.panel.conftest import seated
from tests.panel.population import busy, populated
from tests.panel.town import NOW

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="no browser here: the system package `chromium` is missing"),
]

# On a telephone the first screens of a page are enough, but for these.
WHOLE = {"stock"}
LOOKS = {"1280": (False, WIDE), "1280-dark": (True, WIDE), "390": (False, {"width": 390, "height": 1400})}


@pytest.fixture
def address(committed, clock):
    clock.instant = NOW
    with served() as address:
        yield address


# The browser of the suite has no Italian of its own; one in Italian shows its date fields so.
ITALIAN_DATES = """() => { for (const field of document.querySelectorAll('input[type=date], input[type=datetime-local]')) {
  const [day, hour] = field.value.split('T'); field.type = 'text';
  field.value = day ? day.split('-').reverse().join('/') + (hour ? ', ' + hour : '') : 'gg/mm/aaaa' } }"""
# The whole set is pictured in every look, of the others the first will do.
EVERY_LOOK = {"dashboard", "list", "case", "events", "stock", "import"}


def pages(town: Any) -> dict[str, tuple[Any, str]]:
    """What is pictured, by name: under which service, at which address. A renewal's events stand under its issuer."""
    old, issuing = town.service, town.eidas
    return {
        "dashboard": (old, "/pannello/oggi/"),
        "list": (old, "/pannello/rinnovi/"),
        "case": (old, f"/pannello/rinnovi/{town.cases[0].code}/"),
        "approve": (old, f"/pannello/rinnovi/{town.cases[0].code}/approva/"),
        "bulk": (old, f"/pannello/operazioni/{town.job.uid}/"),
        "events": (issuing, "/pannello/eventi/"),
        "certificates": (old, f"/pannello/certificati/titolare/{town.cases[2].holder_id}/"),
        "stock": (old, "/pannello/contatori/"),
        "messages": (old, "/pannello/messaggi/?esito=non-consegnati"),
        "support": (old, f"/pannello/supporto/{town.support.number}/"),
        "import": (old, f"/pannello/importazione/{town.roster.uid}/"),
        "rehearsal": (old, "/pannello/prova-generale/?al=2026-03-15T12:00"),
        "people": (old, "/pannello/operatori/"),
        "services": (old, "/pannello/servizio/"),
    }


def test_pictures_of_the_pages(address, picture_folder):
    """Not a judgement but a record."""
    town = populated()
    busy(town)
    name_of_cookie = settings.SESSION_COOKIE_NAME
    with launched() as browser:
        page = opened(browser, address)
        page.goto("/")
        page.screenshot(path=picture_folder / "login-1280.png")
        for look, (dark, size) in LOOKS.items():
            for service in (town.service, town.eidas):
                cookie = seated(town.manager, service).cookies[name_of_cookie].value
                page = opened(browser, address, dark=dark, size=size)
                page.context.add_cookies([{"name": name_of_cookie, "value": cookie, "url": address}])
                for name, (under, path) in pages(town).items():
                    if under != service or (look != "1280" and name not in EVERY_LOOK):
                        continue
                    page.goto(path)
                    page.evaluate(ITALIAN_DATES)
                    page.screenshot(path=picture_folder / f"{name}-{look}.png", full_page=size is WIDE or name in WHOLE)

    assert {path.stem.split("-")[0] for path in picture_folder.glob("*-1280.png")} == {"login", *pages(town)}
