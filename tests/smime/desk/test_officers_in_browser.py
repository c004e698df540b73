"""The officers' pages in Chromium, on a morning with something of every kind: accessible, as wide as the screen, Italian."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cms.models import Agreement
from tests.panel.browser import CHROMIUM, NARROW, WIDE, launched, opened, served, sideways
from tests.panel.conftest import confirmed, seated
from tests.panel.pictures import PICTURES
from tests.panel.stories.person import carry_session
from tests.panel.test_axe import faults_of
from tests.panel.test_pictures import ITALIAN_DATES
from tests.smime.desk import morning as mornings
from tests.smime.desk.morning import Morning
from tests.smime.mailed import NOW

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="no browser here: the system package `chromium` is missing"),
]
QUEUE, ORDERS, SLOTS = "/pannello/verifiche/", "/pannello/pratiche/", "/pannello/attivazioni/"
CHECKS = {
    "organizzazione": ("organisation", "organisation"),
    "poteri": ("authority", "authority"),
    "attestazione": ("letter", "attestation"),
    "riconoscimento": ("face", "identity"),
    "dubbio": ("doubtful", "identity"),
    "firma": ("signature", "identity"),
    "decisa": ("ready", "organisation"),
    "attesa": ("papers", "organisation"),
}


# The walk of all panel pages (tests/panel/test_axe.py) judges these too: here they are only pictured.
WALKED_ELSEWHERE = {"ufficio-allega", "ufficio-approva", "ufficio-respingi", "ufficio-revoca", "ufficio-sospendi"}
WALKED_ELSEWHERE |= {"ufficio-riattiva", "ufficio-documenti", "ufficio-respingi-verifica", "ufficio-riapri"}
WALKED_ELSEWHERE |= {"ufficio-attivazioni", "ufficio-accredita", "ufficio-ritira"}
# A picture of the whole page has no frame to scroll in.
UNROLLED = "() => document.querySelectorAll('.kept').forEach(proofs => { proofs.style.maxHeight = 'none' })"


@pytest.fixture
def morning(committed, clock, tmp_path, settings) -> Morning:
    clock.instant = NOW
    return mornings.begun(tmp_path / "lists", settings)


@pytest.fixture
def browser(morning):
    """Launched last: its event loop and that of the libraries that sign do not go together."""
    with launched() as browser:
        yield browser


@pytest.fixture
def sit(browser, morning):
    """Open the page of an officer: `sit(user)`; nobody may have had anything to complain of."""
    pages = []
    with served() as address:

        def at_desk(user) -> Page:
            page = opened(browser, address)
            pages.append(page)
            carry_session(page, confirmed(seated(user, morning.service)), address)
            return page

        yield at_desk
        complaints = [said for page in pages for said in page.complaints if "status of 4" not in said]
        for page in pages:
            page.context.close()
    assert complaints == []


def addresses(morning: Morning) -> dict[str, str]:
    """The officers' pages by name."""
    orders, issued = morning.orders, f"{ORDERS}{morning.orders['issued'].code}/"
    checks = {f"ufficio-{name}": f"{QUEUE}{morning.check(*which).pk}/" for name, which in CHECKS.items()}
    agreement = Agreement.objects.get(service=morning.service)
    return {
        "ufficio-verifiche": QUEUE,
        "ufficio-verifiche-filtro": f"{QUEUE}?tipo=dubbi",
        "ufficio-verifiche-vuoto": f"{QUEUE}?tipo=poteri&mie=1",
        **checks,
        "ufficio-documenti": f"{checks['ufficio-organizzazione']}documenti/",
        "ufficio-respingi-verifica": f"{checks['ufficio-riconoscimento']}respingi/",
        "ufficio-riapri": f"{checks['ufficio-decisa']}riapri/",
        "ufficio-pratiche": ORDERS,
        "ufficio-pratiche-vuoto": f"{ORDERS}?stato=bozze",
        "ufficio-pratica": f"{ORDERS}{orders['ready'].code}/",
        "ufficio-pratica-in-corso": f"{ORDERS}{orders['doubtful'].code}/",
        "ufficio-pratica-respinta": f"{ORDERS}{orders['rejected'].code}/",
        "ufficio-allega": f"{ORDERS}{orders['organisation'].code}/allega/",
        "ufficio-approva": f"{ORDERS}{orders['ready'].code}/approva/",
        "ufficio-respingi": f"{ORDERS}{orders['ready'].code}/respingi/",
        "ufficio-certificati": issued,
        "ufficio-sospendi": f"{issued}certificati/2/sospendi/",
        "ufficio-riattiva": f"{issued}certificati/3/riattiva/",
        "ufficio-revoca": f"{issued}certificati/2/revoca/",
        "ufficio-attivazioni": SLOTS,
        "ufficio-accredita": f"{SLOTS}accredita/{agreement.pk}/",
        "ufficio-ritira": f"{SLOTS}{morning.slot_code}/ritira/",
    }


@pytest.fixture
def folder(pytestconfig):
    """Where pictures go, if they are wanted."""
    return pytestconfig.stash.get(PICTURES, None)


def looked_at(page: Page, name: str, folder: Path | None) -> list[str]:
    """Faults of the page that is open, by axe's rules, width and language; its pictures are taken before."""
    whole(page)
    if folder is not None:
        page.evaluate(ITALIAN_DATES)
        page.evaluate(UNROLLED)
        page.emulate_media(color_scheme="light")
        for size in (NARROW, WIDE):
            page.set_viewport_size(size)
            page.screenshot(path=folder / f"{name}-{size['width']}-light.png", full_page=True)
    return [] if name in WALKED_ELSEWHERE else [f"{name} {fault}" for fault in faults_of(page)]


def whole(page: Page) -> None:
    """Load the pictures that a reader would scroll to, and hold that each could be painted."""
    for picture in page.locator(".proof img").all():
        picture.evaluate("image => { image.loading = 'eager'; return image.decode() }")


def test_every_page_of_the_office_is_accessible_fits_and_speaks_italian(sit, morning, folder):
    page, faults = sit(morning.manager), []
    for name, path in addresses(morning).items():
        if folder is None and name in WALKED_ELSEWHERE:
            continue
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).not_to_have_text("Pagina non trovata")
        faults += looked_at(page, name, folder)

    page.goto(addresses(morning)["ufficio-poteri"])
    page.get_by_label("Recapito indipendente").fill("bruno@azienda.example.org")
    page.get_by_role("button", name="Accetta la verifica").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    faults += looked_at(page, "ufficio-errore", folder)
    page.goto(addresses(morning)["ufficio-documenti"])
    page.get_by_role("button", name="Chiedi documenti").click()
    faults += looked_at(page, "ufficio-documenti-errore", folder)
    assert faults == [], "\n".join(faults)


def test_a_check_is_decided_with_the_keyboard_alone(sit, morning):
    page = sit(morning.officer)
    page.goto(addresses(morning)["ufficio-riconoscimento"])
    order = ["Prendi in carico", "Respingi", "Scarica l'originale", "Numero del documento", "Ho confrontato il volto"]
    order += ["Ho confrontato il documento", "Annotazione interna", "Accetta la verifica"]
    met: list[str] = []
    for _ in range(90):
        page.keyboard.press("Tab")
        name = page.evaluate(FOCUSED)
        met += [each for each in order if each in name and each not in met]
        if "Ho confrontato" in name:
            page.keyboard.press("Space")
        if "Accetta" in name:
            page.keyboard.press("Enter")
            break
    assert met == order
    expect(page.get_by_role("status").first).to_contain_text("Verifica accettata.")
    assert sideways(page) == 0
    assert morning.check("face", "identity").state == "passed"


FOCUSED = """() => { const here = document.activeElement; const ring = getComputedStyle(here);
  const label = here.labels && here.labels[0] ? here.labels[0].innerText : here.innerText;
  return (ring.outlineStyle === 'none' ? 'UNSEEN ' : '') + (label || here.getAttribute('aria-label') || '') }"""
