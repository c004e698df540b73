"""Pages of login and administration in a real browser, wide and narrow, light and dark: no complaint of the policy, nothing sideways."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms.models import User
from cms.services import invitations
from cms.services.invitations import Invitee
from cms.states import Role
from notifications import rendering
from notifications.models import OutboxMessage
from tests.panel.browser import CHROMIUM, NARROW, WIDE, launched, opened, served, sideways
from tests.panel.conftest import confirmed, seated
from tests.panel.town import NOW, Town, tax_code

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="no browser here: the system package `chromium` is missing"),
]
LOOKS = {"1280": (False, WIDE), "390-dark": (True, NARROW)}


@pytest.fixture
def provider(committed, clock):
    clock.instant = NOW
    town = Town()
    town.root = User.objects.create_user(
        "ada.radice@example.org", None, full_name="Ada Radice", is_staff=True, is_administrator=True
    )
    town.manager = town.employ("rita.resta@cdrl.example.org", "Rita Resta", role=Role.MANAGER)
    town.employ("vera.visti@cdrl.example.org", "Vera Visti", role=Role.AUDITOR)
    User.objects.filter(pk=town.operator.pk).update(
        last_login=NOW - timedelta(hours=2), tax_code=tax_code("GLLSRA", 120)
    )
    for user in (town.root, town.operator):
        town.give_totp(user)
    elsewhere = town.found("cdrl-siena", "Collegio dei Geometri di Esempio")
    town.offer("web-ra", "WebRA – Firma remota qualificata", centre=elsewhere)
    for name, centre, role in (("Livia Serra", town.centre.pk, "operator"), ("Ugo Conti", None, "")):
        invitee = Invitee(f"{name.split()[0].lower()}@example.org", name, tax_code("SRRLVI", len(name)), centre, role)
        invitations.invite(invitee, operator=town.root, now=NOW)
    return town


def pages(town):
    mail = OutboxMessage.objects.filter(kind="invitation", recipient="livia@example.org").get()
    link = "/accesso/" + rendering._values(mail)["invitation_url"].split("/accesso/", 1)[1]
    person = f"/pannello/operatori/{town.operator.pk}/"
    return {
        "login": ("/accesso/login/", False),
        "forgotten": ("/accesso/password/reset/", False),
        "invitation": (link, False),
        "invitation-refused": ("/accesso/invito/nessuno/", False),
        "services-choice": ("/pannello/servizio/", True),
        "people": ("/pannello/operatori/", True),
        "person": (person, True),
        "invite": ("/pannello/operatori/invita/", True),
        "remove": (f"{person}togli/{town.centre.pk}/", True),
        "role": (f"{person}ruolo/{town.centre.pk}/", True),
        "centres": ("/pannello/cdrl/", True),
        "centre": (f"/pannello/cdrl/{town.centre.code}/", True),
        "centre-form": (f"/pannello/cdrl/{town.centre.code}/modifica/", True),
        "agreement": (f"/pannello/cdrl/{town.centre.code}/accordi/{town.service.code}/", True),
        "services": ("/pannello/servizi/", True),
        "service-form": (f"/pannello/servizi/{town.service.code}/", True),
    }


def test_pages_of_administration_can_be_looked_at_on_any_screen(provider, picture_folder):
    with served() as address, launched() as browser:
        for look, (dark, size) in LOOKS.items():
            client = confirmed(seated(provider.root, provider.service))
            cookie = {"name": "session", "value": client.cookies["session"].value, "url": address}
            inside = opened(browser, address, dark=dark, size=size)
            inside.context.add_cookies([cookie])
            outside = opened(browser, address, dark=dark, size=size)
            for name, (path, is_inside) in pages(provider).items():
                page = inside if is_inside else outside
                page.goto(path)
                assert sideways(page) == 0, (name, look)
                page.screenshot(path=picture_folder / f"{name}-{look}.png", full_page=True)
            assert [said for said in inside.complaints + outside.complaints if "404" not in said] == []
