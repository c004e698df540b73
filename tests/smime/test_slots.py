"""Activations: credited from stock to an account that the purchase makes, taken back while nobody has begun with them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client

from cms.errors import LinkExpired, LinkUnknown, LinkUsed, RoleTooWeak, StockEmpty, WrongCentre
from cms.models import Agreement, Centre, Event, Membership, Service, Stock, StockMovement, User
from cms.services import stock
from notifications.models import OutboxMessage
from runtime import sealing
from smime.errors import NameInvalid
from smime.errors import slots as errors
from smime.models import Slot
from smime.services import orders, slots, welcome
from tests.smime.mailed import NOW

DAY = timedelta(days=1)
PASSWORD = "una-lunga-password-di-prova-42"


@pytest.fixture
def shop(db):
    """A centre that sells S/MIME, with its manager and three units of SV."""
    centre = Centre.objects.create(code="cdrl", name="Ordine di Esempio", email="cdrl@cdrl.example.org")
    types = ["smime-mv", "smime-ov", "smime-sv", "smime-iv"]
    service = Service.objects.create(code="smime", name="S/MIME", flow="smime", types=types)
    Agreement.objects.create(centre=centre, service=service, approval="automatic")
    Stock.objects.create(centre=centre, service=service, type="smime-sv", free=3)
    return centre, service


@pytest.fixture
def manager(shop):
    user = User.objects.create_user("manager@cdrl.example.org", full_name="Mara Responsabile", is_staff=True)
    Membership.objects.create(user=user, centre=shop[0], role="manager")
    return user


def credit(shop, operator, **changed):
    said = {
        "email": "Cliente@azienda.example.org",
        "full_name": "Carlo Cliente",
        "validation": "sv",
        "term_days": 365,
        "quantity": 2,
        "reference": "ORD-1",
    }
    centre, service = shop
    return slots.credit_slots(
        centre_id=centre.pk, service_id=service.pk, operator=operator, now=NOW, **(said | changed)
    )


def counter(type_: str = "smime-sv") -> tuple[int, int]:
    row = Stock.objects.get(type=type_)
    return row.free, row.reserved


def mailed_address() -> str:
    mail = OutboxMessage.objects.filter(kind="smime-slots-credited").latest("pk")
    return json.loads(sealing.unseal(mail.sealed_context, context=mail.seal_context))["account_url"]


def test_each_activation_holds_a_unit_of_its_type(shop, manager):
    credited = credit(shop, manager)

    assert counter() == (1, 2)
    reserved = StockMovement.objects.filter(kind="reservation").values_list("case_code", flat=True)
    assert set(reserved) == {slot.code for slot in credited}
    assert {(slot.validation, slot.state, slot.term_days) for slot in credited} == {("sv", "free", 365)}
    event = Event.objects.get(verb="smime.slots-credited")
    assert "azienda" not in json.dumps(event.facts)


def test_the_account_is_made_without_password_and_its_owner_comes_in_by_mail(shop, manager):
    credit(shop, manager)
    user = User.objects.get(email="cliente@azienda.example.org")
    assert (user.full_name, user.has_usable_password(), user.is_staff) == ("Carlo Cliente", False, False)

    address = mailed_address().removeprefix("http://testserver").partition("/area-clienti/")[2]
    page = Client()
    from runtime.clock import FakeClock, installed

    with installed(FakeClock(NOW + DAY)):
        shown = page.get(f"/area-clienti/{address}")
        assert (shown.status_code, User.objects.get(pk=user.pk).has_usable_password()) == (200, False)
        answer = page.post(f"/area-clienti/{address}")
    assert answer.status_code == 302
    form = page.get(answer["Location"], follow=True)
    done = page.post(form.request["PATH_INFO"], {"password1": PASSWORD, "password2": PASSWORD}, follow=True)
    assert done.status_code == 200
    assert User.objects.get(pk=user.pk).check_password(PASSWORD)


def test_the_link_of_a_new_account_ends_and_is_void_once_there_is_a_password(shop, manager):
    credit(shop, manager)
    user = User.objects.get(email="cliente@azienda.example.org")
    token = welcome.way_in(user, now=NOW).rstrip("/").rpartition("/")[2]

    assert welcome.account_behind(token, now=NOW + 13 * DAY) == user
    with pytest.raises(LinkExpired):
        welcome.account_behind(token, now=NOW + 14 * DAY)
    with pytest.raises(LinkUnknown):
        welcome.account_behind(token[:-2] + "xx", now=NOW)
    user.set_password(PASSWORD)
    user.save()
    with pytest.raises(LinkUsed):
        welcome.account_behind(token, now=NOW)


def test_a_second_purchase_goes_to_the_same_account(shop, manager):
    first = credit(shop, manager)
    second = credit(shop, manager, reference="ORD-2", quantity=1, full_name="")

    assert first[0].owner_id == second[0].owner_id


def test_an_operator_may_be_a_customer_too(shop, manager):
    (slot,) = credit(shop, manager, email=manager.email, quantity=1)

    assert slot.owner == manager
    manager.refresh_from_db()
    assert manager.is_staff


def test_the_same_order_is_credited_once(shop, manager):
    credit(shop, manager)
    with pytest.raises(errors.SlotsKnown):
        credit(shop, manager)
    assert counter() == (1, 2)


def test_without_stock_nothing_is_credited_and_no_account_is_made(shop, manager):
    with pytest.raises(errors.SlotsOutOfStock):
        credit(shop, manager, quantity=4)

    assert counter() == (3, 0)
    assert not Slot.objects.exists()
    assert not User.objects.filter(email="cliente@azienda.example.org").exists()
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"quantity": 0}, errors.SlotQuantityInvalid),
        ({"quantity": 101}, errors.SlotQuantityInvalid),
        ({"reference": " \n"}, errors.SlotQuantityInvalid),
        ({"term_days": 366}, errors.SlotTypeNotSold),
        ({"validation": "signature"}, errors.SlotTypeNotSold),
        ({"full_name": "\r\n"}, NameInvalid),
    ],
)
def test_what_no_purchase_says_is_refused(shop, manager, changed, refusal):
    with pytest.raises(refusal):
        credit(shop, manager, **changed)
    assert counter() == (3, 0)


def test_an_operator_of_the_centre_does_not_credit_and_another_centre_neither(shop, manager):
    Membership.objects.filter(user=manager).update(role="operator")
    with pytest.raises(RoleTooWeak):
        credit(shop, manager)
    with pytest.raises(WrongCentre):
        credit(shop, User.objects.create_user("altro@cdrl.example.org", full_name="Altro Centro"))


def test_an_administrator_credits_for_every_centre(shop):
    chief = User.objects.create_user("capo@fornitore.example.org", full_name="Ada Capo", is_administrator=True)
    assert len(credit(shop, chief)) == 2


def test_a_service_of_cards_sells_no_activation(shop, manager):
    Service.objects.update(flow="enroll", types=["authentication"])
    with pytest.raises(errors.SlotTypeNotSold):
        credit(shop, manager)


def test_a_withdrawn_activation_gives_its_unit_back_once(shop, manager):
    slot = credit(shop, manager)[0]
    for _ in range(2):
        slots.withdraw_slot(slot.code, operator=manager, now=NOW + DAY)

    assert counter() == (2, 1)
    assert Event.objects.filter(verb="smime.slot-withdrawn").count() == 1


def test_an_activation_in_use_is_not_withdrawn(shop, manager):
    slot = credit(shop, manager)[0]
    orders.start_order(slot.code, buyer=slot.owner, now=NOW)
    with pytest.raises(errors.SlotInUse):
        slots.withdraw_slot(slot.code, operator=manager, now=NOW)
    assert counter() == (1, 2)


def test_issuance_debits_the_slots_own_unit(shop, manager):
    slot = credit(shop, manager)[0]
    from cms.actors import SYSTEM

    scope = {"centre_id": slot.centre_id, "service_id": slot.service_id}
    stock.debit(types=["smime-sv"], case_code=slot.code, actor=SYSTEM, at=NOW, **scope)
    assert counter() == (1, 1)
    with pytest.raises(StockEmpty):
        stock.reserve(types=["smime-mv"], case_code="A-altro", actor=SYSTEM, at=NOW, **scope)
