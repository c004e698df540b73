"""Somebody new: invited by mail, with a password, a passkey and an app of his own, at work under a service."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from cms.models import Event, Membership, User
from cms.states import Role
from tests.panel.browser import CHROMIUM
from tests.panel.conftest import confirmed, seated
from tests.panel.stories.person import App, add_passkey_device, carry_session, expect_title, go
from tests.panel.town import tax_code

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="no browser here: the system package `chromium` is missing"),
]

EMAIL, PASSWORD = "livia.serra@cdrl.example.org", "la-luna-sopra-il-ponte-7"


@pytest.fixture
def manager(town):
    rita = town.employ("resp@cdrl.example.org", "Rita Resta", role=Role.MANAGER)
    town.give_totp(rita)
    return rita


def test_a_manager_invites_and_the_invited_arrives_at_work(town, manager, visit, address, work, mailbox, settings):
    settings.BASE_URL = address
    office = visit()
    carry_session(office, confirmed(seated(manager, town.service)), address)
    invite(office)
    work()

    page = visit()
    page.goto(link_in(mailbox))
    expect_title(page, "È invitato al pannello")
    expect(page.get_by_text("Rita Resta la invita")).to_be_visible()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Ripeta la password").fill(PASSWORD)
    page.get_by_role("button", name="Imposta la password e continua").click()
    page.goto("/pannello/rinnovi/")
    expect_title(page, "Secondo fattore")

    add_passkey_device(page)
    app = enrol(page)
    leave(page)
    page.get_by_role("button", name="Accedi con una passkey").click()
    choose_service(page, town.service)
    leave(page)
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continua").click()
    expect_title(page, "Secondo fattore")
    page.get_by_label("Codice").fill(app.code())
    page.get_by_role("button", name="Accedi").click()
    choose_service(page, town.service)
    go(page, "Gestione rinnovi")

    livia = User.objects.get(email=EMAIL)
    assert Membership.objects.get(user=livia).role == Role.OPERATOR
    assert Event.objects.filter(verb="access.invited", actor_id=manager.pk).exists()
    again = page.request.get(link_in(mailbox))
    assert (again.status, "invitation-used" in again.text()) == (409, True)


def invite(page) -> None:
    page.goto("/pannello/operatori/")
    page.get_by_role("link", name="Invita una persona").click()
    page.get_by_label("Nome e cognome").fill("Livia Serra")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_role("textbox", name="Codice fiscale").fill(tax_code("SRRLVI", 120))
    page.get_by_label("Ruolo").select_option("operator")
    page.locator("form.form").get_by_role("button").click()
    expect(page.get_by_role("status").first).to_contain_text("Invito")
    expect(page.locator("table").first).to_contain_text(EMAIL)


def link_in(mailbox) -> str:
    (mail,) = [mail for mail in mailbox.messages() if EMAIL in mail["To"]]
    return re.search(r"http://localhost:\d+/accesso/invito/\S+", mail.get_body(("plain",)).get_content())[0]


def enrol(page) -> App:
    """A passkey, the recovery codes that come with the first factor, then an app beside it."""
    page.get_by_role("link", name="Aggiungi").click()
    page.get_by_label("Nome").fill("Portatile")
    page.get_by_label("Usala anche per accedere senza password").check()
    page.get_by_role("button", name="Aggiungi").click()
    expect_title(page, "I suoi codici di recupero")
    assert page.locator("ul.codes li").count() == 10
    page.goto("/accesso/secondo-fattore/recovery-codes/")
    expect(page.locator("ul.codes li")).to_have_count(0)

    page.goto("/accesso/secondo-fattore/")
    page.get_by_role("link", name="Attiva").click()
    app = App(page.locator("p.secret").inner_text())
    page.get_by_label("Codice").fill(app.code())
    page.get_by_role("button", name="Attiva").click()
    expect(page.get_by_text("genera un codice a 6 cifre ogni 30 secondi").first).to_be_visible()
    return app


def leave(page) -> None:
    page.goto("/accesso/logout/")
    page.get_by_role("button", name="Esci").last.click()
    expect_title(page, "Accesso degli operatori")


def choose_service(page, service) -> None:
    expect_title(page, "Con quale servizio vuole lavorare?")
    page.get_by_role("button", name=service.name, exact=False).first.click()
    expect_title(page, "Oggi")
    expect(page.locator("a.chip")).to_contain_text(service.name)
