"""An operator helps a holder with his code: sees that it is closed, opens it, has a new one mailed."""

from __future__ import annotations

import pytest

from cms.errors import CodeRefused
from cms.models import Holder
from cms.services import codes
from cms.states import Role
from notifications.models import OutboxMessage
from tests.panel.conftest import seated
from tests.panel.town import NOW

CONFIRMED = {"identity": "on"}


@pytest.fixture
def holder(town) -> Holder:
    holder = town.case().holder
    codes.renew_user_code(holder, at=NOW)
    Holder.objects.update(user_code_set_at=None)
    for _ in range(10):
        with pytest.raises(CodeRefused):
            codes.enter_with_code(holder.tax_code, "X", now=NOW)
    return holder


@pytest.fixture
def desk(town):
    return seated(town.operator, town.service)


def address(holder: Holder, what: str = "") -> str:
    return f"/pannello/certificati/titolare/{holder.pk}/{what}"


def test_the_holders_page_says_that_his_code_is_closed(desk, holder):
    shown = desk.get(address(holder)).content.decode()
    assert "Accesso chiuso dopo dieci errori" in shown
    assert address(holder, "codice/riapri/") in shown


def test_opening_wants_the_word_that_the_person_was_recognised(desk, holder):
    assert "Verifichi l&#x27;identità" in desk.post(address(holder, "codice/riapri/"), {}).content.decode()
    assert codes.is_closed(holder)
    assert desk.post(address(holder, "codice/riapri/"), CONFIRMED)["Location"] == address(holder)
    assert not codes.is_closed(holder)


def test_a_new_code_goes_to_the_mailbox_and_to_no_page(desk, holder):
    assert desk.get(address(holder, "codice/nuovo/")).status_code == 200
    assert not OutboxMessage.objects.filter(kind="user-code").exists()
    answer = desk.post(address(holder, "codice/nuovo/"), CONFIRMED, follow=True)
    assert "inviato all&#x27;e-mail registrata" in answer.content.decode()
    assert OutboxMessage.objects.get(kind="user-code").recipient == holder.email
    assert not codes.is_closed(holder)


def test_without_a_mailbox_nothing_is_sent_and_it_is_said(desk, holder):
    Holder.objects.update(email=None, email_key=None)
    answer = desk.post(address(holder, "codice/nuovo/"), CONFIRMED)
    assert "mailbox-missing" in answer.content.decode()


def test_auditors_and_other_centres_find_no_such_page(town, holder):
    auditor = town.employ("revisore@cdrl.example.org", role=Role.AUDITOR)
    other = town.found("cdrl-siena", "Altro Ordine di Esempio")
    town.offer("cns-firma-3-anni", "CNS - Firma 3 anni", centre=other)
    stranger = town.employ("altro@cdrl.example.org", centre=other)
    for user in (auditor, stranger):
        client = seated(user, town.service)
        for what in ("codice/nuovo/", "codice/riapri/"):
            assert client.post(address(holder, what), CONFIRMED).status_code == 404
    assert codes.is_closed(holder)
