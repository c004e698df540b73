"""Every page of the panel in Chromium: no violation of accessibility, nothing wider than the screen, no English left.

The addresses come from the URL resolver, so that a new page is walked without being named here.
"""

from __future__ import annotations

import gettext
import re
from pathlib import Path

import axe_playwright_python
import pytest
from django.conf import settings

from tests.panel import addresses
from tests.panel.browser import CHROMIUM, NARROW, WIDE, launched, opened, served, sideways
from tests.panel.conftest import confirmed, seated
from tests.panel.population import populated
from tests.panel.routes import addresses_beside, known_of
from tests.panel.town import NOW

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="no browser here: the system package `chromium` is missing"),
]

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
NAME = settings.SESSION_COOKIE_NAME
ALL_RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# What another look and another width can change.
RULES_OF_LOOK = {"type": "rule", "values": ["color-contrast", "target-size", "scrollable-region-focusable"]}
RUN = "asked => axe.run(document, {runOnly: asked, resultTypes: ['violations']}).then(found => found.violations.map("
RUN += "rule => rule.id + ': ' + rule.nodes.slice(0, 3).map(node => node.target.join(' ')).join(' | ')))"
VISIBLE = """() => { const page = document.body.cloneNode(true);
  for (const hidden of page.querySelectorAll('.code, .mono, .serial, .secret, code, script')) hidden.remove();
  document.body.append(page); const text = page.innerText; page.remove(); return text }"""
ENGLISH = re.compile(
    r"\b(the|and|your|please|with|this|that|required|sign|save|delete|search|submit|cancel|close|open|next|previous"
    r"|home|log out|field|value|enter|select|choose|invalid|of|or|is|not|are you)\b",
    re.IGNORECASE,
)
CATALOGUE = Path(__file__).resolve().parents[2] / "locale/en/LC_MESSAGES/django.mo"
# Who walks, at the desk of which service.
SEATS = (("manager", "service"), ("administrator", "service"), ("auditor", "service"), ("manager", "smime"))
# Pages that look different to each role.
AGAIN = {"/pannello/oggi/", "/pannello/rinnovi/", "/pannello/contatori/", "/pannello/servizio/"}


def english() -> set[str]:
    """Sentences of the English catalogue that are no Italian ones too."""
    with CATALOGUE.open("rb") as file:
        entries = gettext.GNUTranslations(file)._catalog
    italian = {key[0] if isinstance(key, tuple) else key for key in entries}
    return {text for text in entries.values() if len(text) > 3} - italian


@pytest.fixture
def address(committed, clock):
    clock.instant = NOW
    with served() as address:
        yield address


def test_every_page_is_accessible_fits_a_telephone_and_speaks_italian(address):
    town = populated()
    addressed, unknown = addresses.filled(known_of(town))
    addressed += addresses_beside(town)
    assert unknown == [], "say in tests/panel/routes.py how to fill these routes"

    faults, seen = [], set()
    nowhere = {path for path in addressed if path.startswith("/pannello/")}
    with launched() as browser:
        for role, service in SEATS:
            client = confirmed(seated(getattr(town, role), getattr(town, service)))
            client.raise_request_exception = False
            answers = {path: client.get(path) for path in addressed}
            faults += [f"{role} {path} fails" for path, answer in answers.items() if answer.status_code >= 500]
            nowhere -= {path for path, answer in answers.items() if answer.status_code != 404}
            shown = [path for path in answers if is_page(answers[path]) and (path not in seen or path in AGAIN)]
            page = opened(browser, address)
            cookie = {"name": NAME, "value": client.cookies[NAME].value, "url": address}
            page.context.add_cookies([cookie])
            for path in shown:
                page.goto(path)
                faults += [f"{role} {path} {fault}" for fault in faults_of(page)]
            faults += page.complaints
            seen |= set(shown)

    assert faults == [], "\n".join(faults)
    assert nowhere == set(), "nobody finds these: population.py fills them with nothing"
    assert len(seen) > 20


def is_page(answer) -> bool:
    """Whether an address answers this visitor with a page of its own; a mail in the frame of its preview is none."""
    return (
        "sandbox" not in answer.headers.get("Content-Security-Policy", "")
        and answer.status_code == 200
        and answer["Content-Type"].startswith("text/html")
    )


def faults_of(page) -> list[str]:
    """What is wrong with the page that is open: wide and light, then narrow and dark."""
    faults = []
    for look, size, rules in (("light", WIDE, ALL_RULES), ("dark", NARROW, RULES_OF_LOOK)):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=look)
        page.evaluate(AXE)
        faults += [f"{look} {rule}" for rule in page.evaluate(RUN, rules)]
        if wide := sideways(page):
            faults.append(f"{size['width']} px: {wide} px too wide")
    text = page.evaluate(VISIBLE)
    lines = {line.strip() for line in text.splitlines()}
    faults += [f"English: {line}" for line in lines & english()]
    faults += [f"English: {match[0]} in {line}" for line in lines if (match := ENGLISH.search(line))]
    return faults
