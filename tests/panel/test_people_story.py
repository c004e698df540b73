"""An invited operator's first day in a real browser: the mail's link, a password, a passkey, an app, two logins."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Page, expect

from cms.models import Membership, User
from cms.services import invitations
from cms.services.invitations import Invitee
from cms.states import Role
from notifications.services import deliver_due
from tests.panel.browser import CHROMIUM, launched, opened, served, sideways
from tests.panel.town import PASSWORD, Town, tax_code

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="no browser here: the system package `chromium` is missing"),
]
EMAIL, CHOICE = "livia.serra@example.org", "Con quale servizio vuole lavorare?"


@pytest.fixture
def address(committed, clock):
    clock.instant = datetime.now(UTC)  # passkeys and codes follow the real clock
    with served() as address:
        yield address


@pytest.fixture
def town(address, settings):
    settings.BASE_URL = address
    town = Town(at=datetime.now(UTC))
    town.manager = town.employ("resp@cdrl.example.org", "Rita Resta", role=Role.MANAGER)
    return town


def authenticator(page: Page) -> None:
    """Give the browser a platform authenticator whose owner always agrees."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def invitation_link(mailbox, address: str) -> str:
    """The link of the mail that really arrived."""
    deliver_due(at=datetime.now(UTC) + timedelta(seconds=1))
    (mail,) = [mail for mail in mailbox.messages() if EMAIL in str(mail["to"])]
    (link,) = set(re.findall(rf"{address}/accesso/invito/[\w-]+/", mail.get_body(("plain",)).get_content()))
    return link


def leave(page: Page) -> None:
    page.locator(".user summary").click()
    page.get_by_role("button", name="Esci").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Accesso degli operatori")


def accept(page: Page, address: str, link: str) -> None:
    """The link says who invites where; a password makes the account, and no page opens before a second factor stands."""
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_have_text("È invitato al pannello")
    expect(page.get_by_text("Rita Resta la invita")).to_be_visible()
    expect(page).to_have_url(f"{address}/accesso/invito/")
    assert sideways(page) == 0
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Ripeta la password").fill(PASSWORD)
    page.get_by_role("button", name="Imposta la password e continua").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Secondo fattore")
    page.goto("/pannello/rinnovi/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Secondo fattore")


def enrol_passkey(page: Page) -> None:
    """With it come recovery codes, shown once."""
    page.get_by_role("link", name="Aggiungi").click()
    page.get_by_label("Nome").fill("Questo computer")
    page.get_by_label("Usala anche per accedere senza password").check()
    page.get_by_role("button", name="Aggiungi").click()
    expect(page.locator(".codes li").first).to_be_visible()
    assert page.locator(".codes li").count() >= 8


def enrol_app(page: Page) -> str:
    """Add an authenticator app by the key under the picture; return the key."""
    page.goto("/accesso/secondo-fattore/")
    page.get_by_role("link", name="Attiva").click()
    secret = page.locator("p.secret").inner_text()
    page.get_by_role("textbox").fill(pyotp.TOTP(secret).at(datetime.now(UTC)))
    page.get_by_role("button", name="Attiva").click()
    expect(page.get_by_role("link", name="Rimuovi")).to_be_visible()
    return secret


def use_passkey(page: Page) -> None:
    """Log in with the passkey alone."""
    page.get_by_role("button", name="Accedi con una passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(CHOICE)


def use_password_and_app(page: Page, secret: str) -> None:
    """Log in with password and code."""
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continua").click()
    page.get_by_label("Codice").fill(pyotp.TOTP(secret).at(datetime.now(UTC)))
    page.get_by_role("button", name="Accedi", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(CHOICE)


def test_an_invited_operator_enrols_a_passkey_and_an_app_and_logs_in_with_each(town, address, mailbox):
    invitee = Invitee(EMAIL, "Livia Serra", tax_code("SRRLVI", 120), town.centre.pk, Role.OPERATOR)
    invitations.invite(invitee, operator=town.manager, now=datetime.now(UTC))
    link = invitation_link(mailbox, address)
    with launched() as browser:
        page = opened(browser, address)
        authenticator(page)

        accept(page, address, link)
        enrol_passkey(page)
        secret = enrol_app(page)
        page.goto("/pannello/rinnovi/")
        page.get_by_role("button", name="Usa la chiave").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(CHOICE)
        leave(page)
        use_passkey(page)
        leave(page)
        use_password_and_app(page, secret)
        page.get_by_role("button", name="CNS - Firma 3 anni").click()

        expect(page.locator(".chip strong")).to_have_text("CNS - Firma 3 anni")
        assert page.complaints == []
    user = User.objects.get(email=EMAIL)
    assert Membership.objects.get(user=user).role == Role.OPERATOR
    kinds = set(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    assert kinds == {"webauthn", "totp", "recovery_codes"}


def test_the_page_warns_before_the_session_ends_prolongs_it_and_says_when_it_is_over(town, address, clock, seat):
    town.give_totp(town.operator)
    client = seat(town.operator, town.service)
    with launched() as browser:
        page = opened(browser, address)
        page.context.add_cookies([{"name": "session", "value": client.cookies["session"].value, "url": address}])
        page.clock.install()
        page.goto("/pannello/eventi/")
        expect(page.locator(".session")).to_be_hidden()

        page.clock.fast_forward("28:30")
        expect(page.get_by_text("La sessione sta per chiudersi")).to_be_visible()
        clock.instant += timedelta(minutes=28, seconds=30)
        page.get_by_role("button", name="Resto collegato").click()
        expect(page.locator(".session")).to_be_hidden()

        page.clock.fast_forward("29:00")
        page.clock.fast_forward("02:00")
        expect(page.get_by_text("La sessione è chiusa")).to_be_visible()
        clock.instant += timedelta(minutes=31)
        page.locator(".session").get_by_role("link", name="Accedi").click()
        expect(page.get_by_text("Sessione chiusa dopo 30 minuti")).to_be_visible()
        assert page.url.endswith("next=%2Fpannello%2Feventi%2F")
        assert page.complaints == []
