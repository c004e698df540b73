"""The customer area in Chromium: a whole wizard without scripts, accessibility and width of every page."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from smime.models import Order, SmimeCertificate
from smime.services import checks
from tests.panel.browser import CHROMIUM, NARROW, WIDE, launched, opened, served, sideways
from tests.panel.pictures import PICTURES
from tests.panel.test_axe import ALL_RULES, AXE, RULES_OF_LOOK, RUN
from tests.smime.customers import NOW, PASSWORD, customer, filled_in, proves, slot_of, submitted
from tests.smime.test_addresses import link_of as link_to_address

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="no browser here: the system package `chromium` is missing"),
]
AREA = "/area-clienti/"


@pytest.fixture(scope="module")
def browser():
    with launched() as browser:
        yield browser


@pytest.fixture
def address(committed, clock):
    clock.instant = NOW
    with served() as address:
        yield address


@pytest.fixture
def visit(browser, address):
    """Open a page; when the story ends none may have had anything to complain of."""
    pages = []

    def stranger(**how) -> Page:
        pages.append(opened(browser, address, **how))
        return pages[-1]

    yield stranger
    complaints = [said for page in pages for said in page.complaints if "status of 4" not in said]
    for page in pages:
        page.context.close()
    assert complaints == []


def log_in(page: Page, email: str) -> None:
    page.goto(AREA)
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continua").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")


def test_a_customer_starts_a_verification_without_scripts(visit):
    buyer = customer()
    slot_of(buyer, "ov")
    proves(buyer, "niccolo@posta.example.org")
    page = visit(size=NARROW, script=False)
    log_in(page, buyer.email)
    page.get_by_role("button", name="Attiva ora").click()
    page.get_by_text("Io, che ho acquistato").click()
    page.get_by_label("Nome", exact=True).fill("Niccolò")
    page.get_by_label("Cognome").fill("D'Amico")
    page.get_by_label("Indirizzo email").fill("niccolo@posta.example.org")
    page.get_by_role("button", name="Richiedi").click()
    page.get_by_role("button", name="Conferma e prosegui").click()
    expect(page.get_by_label("Indirizzo email")).to_have_value("niccolo@posta.example.org")
    page.get_by_role("button", name="Conferma e prosegui").click()
    page.get_by_label("Nome", exact=True).fill("Carla")
    page.get_by_label("Cognome").fill("Esempio")
    page.get_by_label("Indirizzo email").fill("carla@azienda.example.org")
    page.get_by_role("button", name="Conferma e prosegui").click()
    page.get_by_label("Partita IVA o codice fiscale").fill("07643520567")
    page.get_by_label("Numero di iscrizione al Registro delle Imprese").fill("RM-123456")
    page.get_by_role("button", name="Conferma e prosegui").click()
    expect(page.get_by_role("alert")).to_contain_text("Questo è il numero REA")
    page.get_by_label("Numero di iscrizione al Registro delle Imprese").fill("07643520567")
    page.get_by_role("button", name="Conferma e prosegui").click()
    page.get_by_text("Ho letto e accetto").click()
    page.get_by_role("button", name="Avvia verifica").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Stato della pratica")
    expect(page.locator("ul.checks > li")).to_have_count(3)
    page.get_by_role("button", name="Esci").click()
    assert Order.objects.get().state == "checking"


def issued(buyer) -> Order:
    """An order with its certificate, as the worker would have left it."""
    order = submitted("mv")
    Order.objects.filter(pk=order.pk).update(buyer=buyer)
    order.refresh_from_db()
    checks.pass_check(order.checks.get(), at=NOW, method="SBR 3.2.2.2 v1.0.16")
    order.refresh_from_db()
    order.issue(at=NOW)
    order.save()
    SmimeCertificate.objects.create(
        order=order,
        edition=1,
        serial="5a" * 12,
        issuer_key_id="0" * 40,
        fingerprint="1" * 64,
        spki_sha256="2" * 64,
        der=b"",
        not_before=NOW,
        not_after=NOW + timedelta(days=365),
        issued_at=NOW,
    )
    return order


def rejected(buyer) -> Order:
    """An order with a check that failed, refused for good."""
    order = submitted("ov")
    Order.objects.filter(pk=order.pk).update(buyer=buyer)
    checks.fail_check(order.checks.get(kind="organisation"), at=NOW, reason="L'organizzazione risulta cessata.", by=7)
    order.refresh_from_db()
    order.reject(reason="L'organizzazione risulta cessata nel Registro delle Imprese.", at=NOW)
    order.save()
    return order


@pytest.fixture
def looked_at(pytestconfig):
    """Hold a page to its width and to axe's rules, after its picture was taken where a folder for it is named."""
    folder = pytestconfig.stash.get(PICTURES, None)

    def look(page: Page, name: str, rules) -> None:
        if folder:
            look_of_page = "dark" if rules is RULES_OF_LOOK else "light"
            page.screenshot(path=folder / f"{name}-{page.viewport_size['width']}-{look_of_page}.png", full_page=True)
        assert sideways(page) == 0, f"{name} scrolls sideways"
        page.evaluate(AXE)
        assert page.evaluate(RUN, rules) == [], name

    return look


def add_an_address(page: Page, looked_at, rules) -> None:
    """Prove another address: refused at first, then asked for, and confirmed by the mailed link."""
    page.goto(f"{AREA}indirizzi/")
    page.get_by_label("Indirizzo email").fill("niccolò@example.org")
    page.get_by_role("button", name="Invia il collegamento").click()
    looked_at(page, "indirizzi", rules)
    page.get_by_label("Indirizzo email").fill("anna@casa.example.org")
    page.get_by_role("button", name="Invia il collegamento").click()
    expect(page.get_by_role("status")).to_contain_text("anna@casa.example.org")
    page.goto(urlsplit(link_to_address()).path)
    looked_at(page, "indirizzo", rules)
    page.get_by_role("button", name="Conferma l'indirizzo").click()
    expect(page.locator("ul.orders > li")).to_have_count(2)


@pytest.mark.parametrize(
    ("size", "dark"), [(WIDE, False), (NARROW, False), (NARROW, True)], ids=["wide", "narrow", "dark"]
)
def test_every_page_is_accessible_and_fits(visit, looked_at, size, dark):
    buyer = customer()
    slot_of(buyer, "mv"), slot_of(buyer, "ov")
    draft, running = filled_in("ov", buyer=buyer), submitted("iv")
    Order.objects.filter(pk=running.pk).update(buyer=buyer)
    done, refused = issued(buyer), rejected(buyer)
    page = visit(size=size, dark=dark)
    rules = RULES_OF_LOOK if dark else ALL_RULES
    page.goto(f"/accesso/login/?next={AREA}")
    looked_at(page, "login", rules)
    log_in(page, buyer.email)
    looked_at(page, "dashboard", rules)
    page.goto(f"{AREA}pratiche/")
    looked_at(page, "orders", rules)
    steps = (
        "destinatario",
        "conferma",
        "contatto-tecnico",
        "contatto-organizzativo",
        "organizzazione",
        "riepilogo",
        "chiave",
        "annulla",
    )
    for step in steps:
        page.goto(f"{AREA}pratiche/{draft.uid}/{step}/")
        expect(page.get_by_role("heading", level=1)).not_to_have_text(re.compile("non trovata"))
        looked_at(page, step, rules)
    page.get_by_role("link", name="Torna indietro").click()
    page.goto(f"{AREA}pratiche/{draft.uid}/destinatario/")
    page.get_by_label("Indirizzo email").fill("niccolò@example.org")
    page.get_by_role("button", name="Richiedi").click()
    looked_at(page, "destinatario-errore", rules)
    page.goto(f"{AREA}pratiche/{running.uid}/")
    looked_at(page, "stato", rules)
    page.goto(f"{AREA}pratiche/{done.uid}/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Certificato emesso")
    looked_at(page, "emesso", rules)
    page.goto(f"{AREA}pratiche/{refused.uid}/")
    looked_at(page, "respinta", rules)
    add_an_address(page, looked_at, rules)
    SmimeCertificate.objects.filter(order=done).update(not_after=NOW + timedelta(days=50))
    page.goto(f"{AREA}pratiche/{done.uid}/")
    expect(page.get_by_role("button", name="Rinnova il certificato")).to_be_visible()
    looked_at(page, "in-scadenza", rules)
    page.goto("/pannello/")
    looked_at(page, "pannello", rules)
