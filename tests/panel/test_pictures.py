"""Pictures of the panel: the suite takes them to hold that they can be taken, `python -m tests.panel.pictures` keeps them."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from tests.panel.browser import CHROMIUM, WIDE, launched, opened, served
from tests.panel.conftest import confirmed, seated
from tests.panel.population import populated
from tests.panel.population_busy import busy
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


# The browser of the suite has no Italian of its own; one in Italian shows its date and file fields so.
ITALIAN_DATES = """() => { for (const field of document.querySelectorAll('input[type=date], input[type=datetime-local]')) {
  const [day, hour] = field.value.split('T'); field.type = 'text';
  field.value = day ? day.split('-').reverse().join('/') + (hour ? ', ' + hour : '') : 'gg/mm/aaaa' }
  for (const field of document.querySelectorAll('input[type=file]')) {
  field.type = 'text'; field.value = 'Scegli file · Nessun file selezionato' } }"""
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


def administered(town: Any) -> dict[str, str]:
    """Pages of the provider's administrators, by name."""
    return {
        "campaigns": "/pannello/campagne/",
        "campaign": f"/pannello/campagne/{town.campaign.code}/",
        "opening": "/pannello/campagne/nuova/",
        "roster": f"/pannello/campagne/{town.campaign.code}/elenco/",
        "watch": "/pannello/sorveglianza/",
        "comparison": f"/pannello/stato-certificati/{town.check.uid}/",
        "stop": "/pannello/fermo-revoche/",
    }


def test_pictures_of_the_pages(address, picture_folder):
    """Not a judgement but a record."""
    town = populated()
    busy(town)
    with launched() as browser:
        page = opened(browser, address)
        page.goto("/")
        page.screenshot(path=picture_folder / "login-1280.png")
        page.context.add_cookies([cookie_of(confirmed(seated(town.administrator, town.service)), address)])
        for name, path in administered(town).items():
            page.goto(path)
            page.evaluate(ITALIAN_DATES)
            page.screenshot(path=picture_folder / f"{name}-1280.png", full_page=True)
        for look, (dark, size) in LOOKS.items():
            for service in (town.service, town.eidas):
                page = opened(browser, address, dark=dark, size=size)
                page.context.add_cookies([cookie_of(seated(town.manager, service), address)])
                for name, (under, path) in pages(town).items():
                    if under != service or (look != "1280" and name not in EVERY_LOOK):
                        continue
                    page.goto(path)
                    page.evaluate(ITALIAN_DATES)
                    page.screenshot(path=picture_folder / f"{name}-{look}.png", full_page=size is WIDE or name in WHOLE)

    taken = {path.stem.split("-")[0] for path in picture_folder.glob("*-1280.png")}
    assert taken == {"login", *pages(town), *administered(town)}


def cookie_of(client: Client, address: str) -> dict[str, str]:
    """The session of a test client, for a browser."""
    name = settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value, "url": address}
