"""The alternative in Chromium: the whole way without scripts and without a camera; every page's look and access."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from playwright.sync_api import Page, expect

from config.demo.trust_scheme import Wish
from smime.models import EvidenceFile, SignatureReport
from smime.services import signature_verdicts
from smime.states import ScanState
from tests.panel.browser import CHROMIUM, NARROW, WIDE, launched, opened, served, sideways
from tests.panel.pictures import PICTURES
from tests.panel.test_axe import ALL_RULES, AXE, RULES_OF_LOOK, RUN
from tests.smime.signature import orders

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="no browser here: the system package `chromium` is missing"),
]


@pytest.fixture(scope="module")
def browser():
    with launched() as browser:
        yield browser


@pytest.fixture
def order(tmp_path, settings, committed, clock):
    clock.instant = orders.NOW
    orders.lists_loaded(tmp_path / "lists", settings)
    return orders.order_of("sv")


@pytest.fixture
def looked_at(pytestconfig):
    """Hold a page to its width and to axe's rules, after its picture was taken where a folder for it is named."""
    folder = pytestconfig.stash.get(PICTURES, None)

    def look(page: Page, name: str, rules) -> None:
        if folder:
            shade = "dark" if rules is RULES_OF_LOOK else "light"
            page.screenshot(path=folder / f"{name}-{page.viewport_size['width']}-{shade}.png", full_page=True)
        assert sideways(page) == 0, f"{name} scrolls sideways"
        page.evaluate(AXE)
        assert page.evaluate(RUN, rules) == [], name

    return look


def apart(function, *args, **named):
    """Call it in a thread of its own: the browser's event loop runs in this one, and the library starts another."""

    def run():
        try:
            return function(*args, **named)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


def judged() -> None:
    report = SignatureReport.objects.latest("pk")
    EvidenceFile.objects.filter(pk=report.file_id).update(scan=ScanState.CLEAN, next_attempt_at=None)
    apart(signature_verdicts.validate, report.pk, at=orders.NOW)


def downloaded(page: Page) -> bytes:
    with page.expect_download() as download:
        page.get_by_role("button", name="Scarica il modulo").click()
    return download.value.path().read_bytes()


def sent(page: Page, content: bytes) -> None:
    page.get_by_label("Seleziona file").set_input_files(
        {"name": "modulo-firmato.pdf", "mimeType": "application/pdf", "buffer": content}
    )
    page.get_by_role("button", name="Invia la richiesta").click()


def test_the_whole_way_without_scripts(browser, order):
    with served() as address:
        page = opened(browser, address, size=NARROW, script=False)
        page.goto(f"/area-clienti/link/alternativa/{orders.link_of(order)}/")
        page.get_by_label("Codice fiscale").fill("bncgli85c41f205o")
        page.get_by_role("button", name="Invia la richiesta").click()
        form = downloaded(page)
        page.get_by_role("link", name="Prosegui").click()
        sent(page, apart(orders.signed, form))
        expect(page.get_by_role("heading", level=1)).to_have_text("Modulo ricevuto")
        judged()
        page.get_by_role("link", name="Aggiorna la pagina").click()
        expect(page.get_by_text("Un operatore sta esaminando il modulo firmato")).to_be_visible()
        page.context.close()


@pytest.mark.parametrize(
    ("size", "dark"), [(WIDE, False), (NARROW, False), (NARROW, True)], ids=["wide", "narrow", "dark"]
)
def test_every_page_of_the_alternative(browser, order, looked_at, size, dark):
    rules = RULES_OF_LOOK if dark else ALL_RULES
    with served() as address:
        page = opened(browser, address, size=size, dark=dark)
        page.goto(f"/area-clienti/link/alternativa/{orders.link_of(order)}/")
        looked_at(page, "alternativa-dati", rules)
        page.get_by_role("button", name="Invia la richiesta").click()
        looked_at(page, "alternativa-dati-errore", rules)
        page.get_by_label("Codice fiscale").fill("BNCGLI85C41F205O")
        page.get_by_role("button", name="Invia la richiesta").click()
        looked_at(page, "alternativa-controllo", rules)
        form = downloaded(page)
        page.get_by_role("link", name="Prosegui").click()
        looked_at(page, "alternativa-file", rules)
        sent(page, apart(orders.signed, form, orders.signer(Wish(qualified=False))))
        looked_at(page, "alternativa-in-verifica", rules)
        judged()
        page.reload()
        looked_at(page, "alternativa-rifiutata", rules)
        page.get_by_role("link", name="Carica un altro file").click()
        sent(page, apart(orders.signed, form))
        judged()
        page.reload()
        looked_at(page, "alternativa-in-esame", rules)
        page.context.close()
