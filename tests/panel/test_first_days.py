"""An empty installation comes to work: administrator, centre, service, agreement, manager, operator. No seed, no shell."""

from __future__ import annotations

import pyotp
import pytest
from django.core.management import call_command
from django.test import Client

from cms.models import Agreement, Event, Membership, Service, User
from cms.states import Role
from notifications import rendering
from notifications.models import OutboxMessage
from tests.panel.town import NOW, PASSWORD, tax_code

ACCEPT, FACTORS = "/accesso/invito/", "/accesso/secondo-fattore/"
PANEL = "/pannello/"
CENTRE = {
    "code": "cdrl-primo", "name": "Primo Ordine di Esempio", "email": "primo@example.org", "phone": "",
    "purchase_url": "", "session_idle_minutes": "30", "session_hours": "8", "active": "on",
}  # fmt: skip
SERVICE = {
    "code": "cns-firma", "name": "CNS e firma", "flow": "enroll", "types": ["authentication", "signature"],
    "term_years": "3", "window_months": "2", "successor": "",
}  # fmt: skip
TERMS = {"approval": "authorisation", "low_stock_threshold": "5"}


@pytest.fixture
def empty(db, clock):
    """A database as `prepare_database` leaves it."""
    clock.instant = NOW
    assert not User.objects.exists()


def arrived(email):
    """What the newest invitation's link opens for a visitor who sets a password and an authenticator app."""
    mail = OutboxMessage.objects.filter(kind="invitation", recipient=email).latest("queued_at", "created_at")
    visitor = Client()
    visitor.get("/accesso/" + rendering._values(mail)["invitation_url"].split("/accesso/", 1)[1])
    visitor.post(ACCEPT, {"password": PASSWORD, "repeated": PASSWORD})
    secret = visitor.get(f"{FACTORS}totp/activate/").context["form"].secret
    visitor.post(f"{FACTORS}totp/activate/", {"code": pyotp.TOTP(secret).now()})
    answer = visitor.get(f"{PANEL}servizio/")
    visitor.post(answer["Location"], {"code": pyotp.TOTP(secret).now(), "next": f"{PANEL}servizio/"})
    return visitor


def done(answer):
    assert answer.status_code == 302, answer.content.decode()


def invitation(name, email, number, **place):
    return {"full_name": name, "email": email, "tax_code": tax_code("SRRLVI", number), **place}


def test_an_empty_database_comes_to_work_through_command_and_panel_alone(empty):
    call_command("invite_administrator", "ada@example.org", "Ada Radice", tax_code("RDCDAA", 120), verbosity=0)
    root = arrived("ada@example.org")
    assert root.get(f"{PANEL}servizio/").status_code == 200

    done(root.post(f"{PANEL}cdrl/nuovo/", CENTRE))
    done(root.post(f"{PANEL}servizi/nuovo/", SERVICE))
    service = Service.objects.get()
    done(root.post(f"{PANEL}cdrl/cdrl-primo/accordi/nuovo/", {**TERMS, "service": service.pk}))
    centre = Agreement.objects.get().centre_id
    who = invitation("Rita Resta", "rita@example.org", 121, place=centre, role="manager")
    done(root.post(f"{PANEL}operatori/invita/", who))

    manager = arrived("rita@example.org")
    done(manager.post(f"{PANEL}servizio/", {"service": service.pk}))
    assert manager.get(f"{PANEL}rinnovi/").status_code == 200
    who = invitation("Sara Galli", "sara@example.org", 122, place=centre, role="operator")
    done(manager.post(f"{PANEL}operatori/invita/", who))

    operator = arrived("sara@example.org")
    done(operator.post(f"{PANEL}servizio/", {"service": service.pk}))
    assert operator.get(f"{PANEL}rinnovi/").status_code == 200
    members = set(Membership.objects.filter(centre=centre).values_list("user__email", "role"))
    assert members == {("rita@example.org", Role.MANAGER), ("sara@example.org", Role.OPERATOR)}
    told = set(Event.objects.values_list("verb", flat=True))
    assert {"access.invited", "access.granted", "centre.registered", "service.offered", "agreement.made"} <= told


def test_the_invited_page_names_no_person_where_the_installation_invites(empty):
    call_command("invite_administrator", "ada@example.org", "Ada Radice", tax_code("RDCDAA", 120), verbosity=0)
    mail = OutboxMessage.objects.get()
    visitor = Client()

    page = visitor.get("/accesso/" + rendering._values(mail)["invitation_url"].split("/accesso/", 1)[1], follow=True)

    assert "È invitato a lavorare in Sigillo." in page.content.decode()
    assert "Amministrazione del fornitore" in page.content.decode()
