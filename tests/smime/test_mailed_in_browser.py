"""Mailed links in Chromium: from the mailbox to the provider and back without scripts; accessibility and width."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from pydantic import SecretStr

from runtime import clock
from smime.idp_stand_in.server import Server
from smime.idp_stand_in.sessions import Account
from smime.services import attempts, deliveries, idp, links, mailbox
from smime.services.idenfy import configured
from smime.states import LinkPurpose
from tests.panel.browser import CHROMIUM, NARROW, WIDE, launched, opened, served, sideways
from tests.panel.pictures import PICTURES
from tests.panel.test_axe import ALL_RULES, AXE, RULES_OF_LOOK, RUN
from tests.smime.mailed import check_of, link_in, mails, order_of
from tests.smime.test_stand_in import until

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="no browser here: the system package `chromium` is missing"),
]


@pytest.fixture(scope="module")
def browser():
    with launched() as browser:
        yield browser


@pytest.fixture
def address(committed, settings):
    with served() as address:
        settings.BASE_URL = address
        yield address


@pytest.fixture
def stand_in(address, settings):
    """The provider's stand-in, whose messages come to the served product."""
    account = Account("chiave", "segreto", f"{address}/api/smime/v1/identification", "firma", retry_seconds=(0.1,))
    with Server(account) as server:
        known = {"idp_url": server.origin, "idp_key": "chiave", "idp_secret": SecretStr("segreto")}
        known |= {"idp_webhook_secret": SecretStr("firma")}
        settings.SMIME = settings.SMIME.model_copy(update=known)
        with idp.installed(configured()):
            yield server


@pytest.fixture
def visit(browser, address):
    """Open a page; when the story ends none may have had anything to complain of."""
    pages = []

    def reader(**how) -> Page:
        pages.append(opened(browser, address, **how))
        return pages[-1]

    yield reader
    complaints = [said for page in pages for said in page.complaints if "status of 4" not in said]
    for page in pages:
        page.context.close()
    assert complaints == []


def now():
    return clock.now()


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def confirm(page: Page, order) -> None:
    page.goto(link_in(mails(order, "smime-verify-mailbox")[-1]))
    page.get_by_role("button", name="Conferma l'indirizzo email").click()
    heading(page, "Indirizzo email confermato")


def consent(page: Page, order, button: str = "Do il consenso") -> None:
    page.goto(link_in(mails(order, "smime-consent")[-1]))
    page.get_by_label("Scriva il Suo nome e cognome").fill("Anna Prova")
    page.get_by_role("button", name=button, exact=True).click()


def identify(page: Page, order, choice: str, kind: str = "smime-identification") -> None:
    page.goto(link_in(mails(order, kind)[-1]))
    page.get_by_role("button", name="Inizia verifica su iDenfy").click()
    heading(page, "Riconoscimento di prova")
    page.get_by_role("button", name=choice).click()


def work(stand_in, messages: int) -> None:
    """Wait for the provider's messages, then do what the tasks do."""
    assert until(lambda: len(stand_in.sessions.sent) >= messages)
    deliveries.apply_due(at=now())
    for _ in range(3):
        attempts.carry_out_due(at=now())


def test_a_recipient_is_identified_without_scripts(stand_in, visit):
    order, page = order_of("sv", at=now()), visit(size=NARROW, script=False)
    confirm(page, order)
    consent(page, order)
    heading(page, "Ha dato il consenso")
    attempts.carry_out_due(at=now())

    identify(page, order, "Riconoscimento riuscito")
    heading(page, "Riconoscimento inviato")
    work(stand_in, 1)

    assert check_of(order, "identity").state == "in-review"
    assert order.files.count() == 3
    assert stand_in.sessions.sent[0][0] == 200


def test_two_failures_lead_to_the_alternative(stand_in, visit):
    order, page = order_of("sv", at=now()), visit()
    confirm(page, order)
    consent(page, order)
    attempts.carry_out_due(at=now())
    identify(page, order, "Riconoscimento fallito")
    heading(page, "Il riconoscimento non è riuscito")
    work(stand_in, 1)
    identify(page, order, "Riconoscimento fallito", "smime-identification-failed")
    work(stand_in, 2)

    assert check_of(order, "identity").path == "signature"
    assert len(mails(order, "smime-alternative")) == 1


def test_refusing_consent_leads_there_at_once(stand_in, visit):
    order, page = order_of("sv", at=now()), visit()
    confirm(page, order)
    consent(page, order, "Non do il consenso, uso la firma")
    heading(page, "Non ha dato il consenso")
    assert len(mails(order, "smime-alternative")) == 1


@pytest.fixture
def looked_at(pytestconfig):
    """Hold a page to its width and to axe's rules, after its picture was taken where a folder for it is named."""
    folder = pytestconfig.stash.get(PICTURES, None)

    def look(page: Page, name: str, rules) -> None:
        if folder:
            tone = "dark" if rules is RULES_OF_LOOK else "light"
            page.screenshot(path=folder / f"{name}-{page.viewport_size['width']}-{tone}.png", full_page=True)
        assert sideways(page) == 0, f"{name} scrolls sideways"
        page.evaluate(AXE)
        assert page.evaluate(RUN, rules) == [], name

    return look


@pytest.mark.parametrize(
    ("size", "dark"), [(WIDE, False), (NARROW, False), (NARROW, True)], ids=["wide", "narrow", "dark"]
)
def test_every_page_is_accessible_and_fits(stand_in, visit, looked_at, size, dark):
    order, page = order_of("sv", at=now(), own=False), visit(size=size, dark=dark)
    rules = RULES_OF_LOOK if dark else ALL_RULES
    page.goto(link_in(mails(order, "smime-verify-mailbox")[-1]))
    looked_at(page, "casella", rules)
    page.get_by_role("button", name="Conferma l'indirizzo email").click()
    looked_at(page, "casella-confermata", rules)
    page.reload()
    looked_at(page, "casella-di-nuovo", rules)
    page.goto(link_in(mails(order, "smime-consent")[-1]))
    looked_at(page, "consenso", rules)
    page.get_by_role("button", name="Do il consenso", exact=True).click()
    looked_at(page, "consenso-errori", rules)
    page.get_by_text("Accetto i termini e le condizioni").click()
    page.get_by_label("Scriva il Suo nome e cognome").fill("Anna Prova")
    page.get_by_role("button", name="Do il consenso", exact=True).click()
    page.get_by_text("Ritirare il consenso").click()
    looked_at(page, "consenso-dato", rules)
    attempts.carry_out_due(at=now())
    page.goto(link_in(mails(order, "smime-identification")[-1]))
    page.get_by_text("Continui sul telefono").click()
    looked_at(page, "riconoscimento", rules)
    page.goto(link_in(mails(order_of("mv", at=now(), own=False), "smime-verify-mailbox")[-1]))
    page.get_by_text("Termini e condizioni dei certificati S/MIME").click()
    looked_at(page, "casella-termini", rules)
    page.get_by_role("button", name="Conferma l'indirizzo email").click()
    looked_at(page, "casella-termini-errore", rules)
    page.get_by_text("Accetto i termini e le condizioni", exact=True).click()
    page.get_by_role("button", name="Conferma l'indirizzo email").click()
    heading(page, "Indirizzo email confermato")
    for end in ("riuscito", "fallito", "interrotto"):
        page.goto(f"/area-clienti/link/riconoscimento/esito/{end}/")
        looked_at(page, f"esito-{end}", rules)
    page.goto("/area-clienti/link/casella/sconosciuto/")
    looked_at(page, "sconosciuto", rules)


def test_an_ended_link_is_replaced_by_its_own_page(stand_in, visit, looked_at, settings):
    settings.SMIME = settings.SMIME.model_copy(update={"link_cooldown_seconds": 1})
    order, page = order_of("sv", at=now() - timedelta(days=2)), visit()
    page.goto(link_in(mails(order, "smime-verify-mailbox")[-1]))
    heading(page, "Il collegamento è scaduto")
    looked_at(page, "scaduto", ALL_RULES)
    page.get_by_role("button", name="Inviami un altro collegamento").click()
    heading(page, "Email inviata")
    looked_at(page, "inviato", ALL_RULES)
    confirm(page, order)
    assert check_of(order, "mailbox").method == mailbox.method()
    assert links.PAGES[LinkPurpose.MAILBOX] == "casella"
