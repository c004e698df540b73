"""S/MIME at the panel: activations credited and withdrawn, purchases and counters of single certificates."""

from __future__ import annotations

import re

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from cms.errors import Invalid
from cms.models import Agreement, PurchaseRequest, Service, Stock, User
from cms.services import organisations, purchases
from cms.states import Role
from notifications.models import OutboxMessage
from smime.models import Slot
from tests.panel.conftest import confirmed
from tests.panel.town import NOW

PAGE = "/pannello/attivazioni/"
ALL = ["smime-mv", "smime-ov", "smime-sv", "smime-iv"]
SAID = {
    "email": "cliente@azienda.example.org",
    "full_name": "Carlo Cliente",
    "validation": "ov",
    "term_days": "730",
    "quantity": "2",
    "reference": "ORD-77",
}


@pytest.fixture
def smime(town):
    service = Service.objects.create(code="smime", name="S/MIME", flow="smime", types=ALL)
    Agreement.objects.create(centre=town.centre, service=service, approval="automatic", low_stock_threshold=1)
    for type_, free in zip(ALL, (5, 3, 0, 1), strict=True):
        Stock.objects.create(centre=town.centre, service=service, type=type_, free=free)
    return service


@pytest.fixture
def agreement(smime, town):
    return Agreement.objects.get(centre=town.centre, service=smime)


@pytest.fixture
def manager(town, seat, smime):
    person = town.employ("responsabile@cdrl.example.org", "Rita Responsabile", role=Role.MANAGER)
    return confirmed(seat(person, smime))


def text_of(answer) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def credit(client, agreement, **changed):
    return client.post(f"{PAGE}accredita/{agreement.pk}/", SAID | changed, follow=True)


def test_a_manager_credits_from_behind_the_fence(manager, agreement):
    said = text_of(credit(manager, agreement))

    assert "Attivazioni accreditate" in said
    assert "Carlo Cliente" in said
    assert said.count("Da attivare") == 2
    assert Stock.objects.get(type="smime-ov").reserved == 2
    assert OutboxMessage.objects.get().recipient == "cliente@azienda.example.org"


def test_the_form_says_what_is_left_of_each_type(manager, agreement):
    said = text_of(manager.get(f"{PAGE}accredita/{agreement.pk}/"))
    assert "MV · Casella verificata (5 disponibili)" in said
    assert "SV · Soggetto Verificato (0 disponibili)" in said


def test_a_refusal_leaves_the_form_as_typed_and_says_why(manager, agreement):
    answer = credit(manager, agreement, validation="sv")
    assert "slots-out-of-stock" in text_of(answer)
    assert "cliente@azienda.example.org" in answer.content.decode()
    assert not User.objects.filter(email="cliente@azienda.example.org").exists()


def test_a_manager_takes_an_unused_activation_back(manager, agreement):
    credit(manager, agreement)
    slot = Slot.objects.latest("pk")
    asked = manager.get(f"{PAGE}{slot.code}/ritira/")
    assert (asked.status_code, Slot.objects.get(pk=slot.pk).state) == (200, "free")

    manager.post(f"{PAGE}{slot.code}/ritira/")
    assert Slot.objects.get(pk=slot.pk).state == "withdrawn"
    assert Stock.objects.get(type="smime-ov").free == 2


def test_an_operator_looks_and_changes_nothing(town, seat, smime, agreement, manager):
    credit(manager, agreement)
    operator = confirmed(seat(town.operator, smime))

    said = text_of(operator.get(PAGE))
    assert "Carlo Cliente" in said
    assert "Accredita attivazioni" not in said
    assert operator.get(f"{PAGE}accredita/{agreement.pk}/").status_code == 404
    assert operator.get(f"{PAGE}{Slot.objects.latest('pk').code}/ritira/").status_code == 404


def test_another_centres_activations_do_not_exist(town, seat, smime, manager, agreement):
    credit(manager, agreement)
    foreign = town.found("cdrl-altro", "Altro Ordine di Esempio")
    Agreement.objects.create(centre=foreign, service=smime, approval="automatic")
    person = town.employ("altro@cdrl.example.org", "Altra Persona", centre=foreign, role=Role.MANAGER)
    stranger = confirmed(seat(person, smime))

    assert "Carlo Cliente" not in text_of(stranger.get(PAGE))
    assert stranger.get(f"{PAGE}{Slot.objects.latest('pk').code}/ritira/").status_code == 404
    assert stranger.get(f"{PAGE}accredita/{agreement.pk}/").status_code == 404


@pytest.mark.parametrize(
    "place", ["", "rinnovi/", "eventi/", "certificati/", "prova-generale/", "acquisti/", "servizi/"]
)
def test_every_page_opens_where_smime_is_sold(manager, agreement, place):
    assert manager.get(f"/pannello/{place}", follow=True).status_code == 200


def test_where_no_smime_is_sold_the_sidebar_does_not_speak_of_it(desk):
    assert PAGE not in desk.get("/pannello/contatori/").content.decode()


def test_the_list_costs_a_fixed_number_of_statements(manager, agreement, town, smime):
    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            manager.get(PAGE)
        return len(seen)

    credit(manager, agreement, quantity="1")
    few = cost()
    Stock.objects.filter(type="smime-mv").update(free=20)
    credit(manager, agreement, validation="mv", quantity="20")
    assert cost() == few


class TestStock:
    """Counters and purchases of a service whose certificates are sold one by one."""

    def test_the_counters_are_no_pairs(self, manager, agreement):
        said = text_of(manager.get("/pannello/contatori/"))
        assert "9 certificati disponibili" in said
        assert "Esaurita" in said
        assert "Ogni attivazione usa un certificato del suo tipo." in said
        assert "Manca soprattutto" not in said

    def test_a_purchase_names_one_type(self, manager, agreement):
        asked = manager.get(f"/pannello/acquisti/nuovo/{agreement.pk}/")
        assert "S/MIME SV" in text_of(asked)
        manager.post(
            f"/pannello/acquisti/nuovo/{agreement.pk}/",
            {"type_": "smime-sv", "quantity": "10", "order_reference": "F-1"},
        )
        assert PurchaseRequest.objects.get().types == ["smime-sv"]

    def test_a_purchase_of_no_type_or_of_a_cards_is_refused(self, agreement, manager):
        person = User.objects.get(email="responsabile@cdrl.example.org")
        for type_ in ("", "signature"):
            with pytest.raises(purchases.QuantityInvalid):
                purchases.request_purchase(
                    agreement.pk, quantity=1, order_reference="F", type_=type_, operator=person, now=NOW
                )

    def test_a_credited_purchase_raises_that_counter_alone(self, agreement, manager, town):
        person = User.objects.get(email="responsabile@cdrl.example.org")
        request = purchases.request_purchase(
            agreement.pk, quantity=4, order_reference="F-2", type_="smime-iv", operator=person, now=town.at
        )
        chief = User.objects.create_user("capo@fornitore.example.org", full_name="Ada", is_administrator=True)
        purchases.credit_purchase(request.uid, operator=chief, now=town.at)
        assert dict(Stock.objects.filter(service=agreement.service).values_list("type", "free")) == {
            "smime-mv": 5,
            "smime-ov": 3,
            "smime-sv": 0,
            "smime-iv": 5,
        }


class TestServices:
    """Cards and S/MIME never share a service."""

    @pytest.fixture
    def chief(self, db):
        return User.objects.create_user("capo@fornitore.example.org", full_name="Ada", is_administrator=True)

    @pytest.mark.parametrize(
        ("flow", "types"),
        [("smime", ["signature"]), ("enroll", ["smime-mv"]), ("smime", ["smime-mv", "authentication"])],
    )
    def test_types_go_with_their_flow(self, chief, town, flow, types):
        with pytest.raises(Invalid):
            organisations.offer_service(
                "misto", {"name": "Misto", "flow": flow, "types": types}, operator=chief, now=town.at
            )
        with pytest.raises(IntegrityError), transaction.atomic():
            Service.objects.create(code="misto", name="Misto", flow=flow, types=types)

    def test_a_card_service_has_no_smime_successor(self, chief, town, smime):
        with pytest.raises(Invalid):
            organisations.change_service(town.other_service.pk, {"successor_id": smime.pk}, operator=chief, now=town.at)

    def test_what_was_bought_fixes_the_types(self, chief, town, smime, agreement):
        with pytest.raises(organisations.ServiceInUse):
            organisations.change_service(smime.pk, {"types": ["smime-mv"]}, operator=chief, now=town.at)
