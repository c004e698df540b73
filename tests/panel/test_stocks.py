"""Contatori and Acquisti: pairs first, a ledger with its balance, requests, credits, corrections, each for whom it is."""

from __future__ import annotations

import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cms.models import Agreement, Event, PurchaseRequest, Stock, StockMovement, User
from cms.services import stock
from cms.states import PurchaseState, Role
from tests.panel.conftest import confirmed
from tests.panel.town import TYPES

PAGE = "/pannello/contatori/"
ORDERS = "/pannello/acquisti/"


@pytest.fixture
def agreement(town):
    return Agreement.objects.get(centre=town.centre, service=town.eidas)


@pytest.fixture
def manager(town, seat):
    return seat(town.employ("responsabile@cdrl.example.org", "Rita Responsabile", role=Role.MANAGER), town.service)


def hire(seat, town, email="prima@fornitore.example.org"):
    return seat(
        User.objects.create_user(email, full_name="Anna Fornitore", is_staff=True, is_administrator=True), town.service
    )


@pytest.fixture
def administrator(town, seat):
    return hire(seat, town)


def counter(agreement, type_="signature") -> Stock:
    return Stock.objects.get(centre=agreement.centre, service=agreement.service, type=type_)


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_pairs_come_first_and_the_short_certificate_is_named(town, desk, agreement, administrator):
    correct(administrator, counter(agreement), -12)

    said = text_of(desk.get(PAGE).content.decode())

    assert "30 coppie disponibili" in said
    assert "Manca soprattutto: Firma qualificata" in said


def test_a_service_that_renewals_do_not_use_shows_no_counter_until_it_has_units(town, desk):
    before = desk.get(PAGE).content.decode().count('class="card supply"')
    town.buy(town.centre, town.service, 5)
    page = text_of(desk.get(PAGE).content.decode())

    assert before == 1
    assert "si emettono con CNS – eIDAS Firma Digitale: queste unità non vengono usate" in page


def correct(client, row, change, *, reason="Conteggio errato", token=None):
    token = token or uuid.uuid4()
    return confirmed(client).post(f"{PAGE}{row.pk}/rettifica/", {"change": change, "reason": reason, "token": token})


def test_the_ledger_shows_the_balance_after_each_movement(town, desk, agreement):
    case = town.signed(town.case())

    page = text_of(desk.get(f"{PAGE}{counter(agreement).pk}/").content.decode())

    assert f"Prenotazione {case.code} −1 +1 41" in page
    assert "Acquisto ordine-101 +42 0 42" in page


def test_a_ledger_page_costs_the_same_statements_however_deep(town, desk, agreement):
    row = counter(agreement)
    for number in range(60):
        stock.purchase(
            centre_id=row.centre_id,
            service_id=row.service_id,
            type_=row.type,
            quantity=1,
            reference=f"n-{number}",
            actor=stock_actor(),
            at=town.at,
        )
    desk.get(PAGE)
    address, costs, balances = f"{PAGE}{row.pk}/", [], []
    while address:
        with CaptureQueriesContext(connection) as asked:
            page = desk.get(address).content.decode()
        costs.append(len(asked))
        balances += [int(number) for number in re.findall(r"<strong>(\d+)</strong></td>", page)]
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = f"{PAGE}{row.pk}/{following[1].replace('&amp;', '&')}" if following else ""

    assert len(set(costs)) == 1
    assert balances == [*range(102, 41, -1)]


def stock_actor():
    from cms.actors import SYSTEM

    return SYSTEM


def test_the_ledger_leaves_as_csv_and_is_recorded(town, desk, agreement):
    answer = desk.get(f"{PAGE}{counter(agreement).pk}/movimenti.csv")
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()

    assert lines[0] == "data;movimento;disponibili;prenotati;saldo;pratica;riferimento;motivo"
    assert lines[1].endswith(";Acquisto;42;0;42;;ordine-101;")
    assert Event.objects.get(verb="stock.exported").actor_id == town.operator.pk


def ask(manager, agreement, quantity="20", order="ORD-1"):
    return manager.post(f"{ORDERS}nuovo/{agreement.pk}/", {"quantity": quantity, "order_reference": order, "note": ""})


def test_a_manager_asks_and_an_administrator_credits(town, manager, administrator, agreement):
    ask(manager, agreement)
    request = PurchaseRequest.objects.get()

    assert request.number in administrator.get(ORDERS).content.decode()
    question = administrator.get(f"{ORDERS}{request.number}/accredita/").content.decode()
    administrator.post(f"{ORDERS}{request.number}/accredita/")
    administrator.post(f"{ORDERS}{request.number}/accredita/")

    assert "Si aggiungono 20 unità" in question
    assert {counter(agreement, type_).free for type_ in TYPES} == {62}
    assert "Accreditata" in manager.get(f"{ORDERS}{request.number}/").content.decode()


def test_the_first_of_two_administrators_confirms_and_cannot_credit(town, seat, manager, administrator, agreement):
    second = hire(seat, town, "seconda@fornitore.example.org")
    ask(manager, agreement)
    page = f"{ORDERS}{PurchaseRequest.objects.get().number}/"

    administrator.post(f"{page}accredita/")
    again = administrator.post(f"{page}accredita/", follow=True).content.decode()
    assert "purchase-same-person" in again
    assert "accredita/" not in administrator.get(page).content.decode()
    assert counter(agreement).free == 42

    second.post(f"{page}accredita/")
    assert counter(agreement).free == 62


def test_a_refusal_wants_its_reason_and_the_manager_reads_it(manager, administrator, agreement):
    ask(manager, agreement)
    page = f"{ORDERS}{PurchaseRequest.objects.get().number}/"

    assert "Indichi il motivo" in administrator.post(f"{page}respingi/", {"reason": ""}).content.decode()
    administrator.post(f"{page}respingi/", {"reason": "Ordine <b>non</b> pagato"})

    assert "Ordine &lt;b&gt;non&lt;/b&gt; pagato" in manager.get(page).content.decode()


def test_a_withdrawn_request_is_closed_on_a_stale_page(manager, administrator, agreement):
    ask(manager, agreement)
    page = f"{ORDERS}{PurchaseRequest.objects.get().number}/"

    manager.post(f"{page}ritira/")

    assert "purchase-closed" in administrator.post(f"{page}accredita/", follow=True).content.decode()
    assert PurchaseRequest.objects.get().state == PurchaseState.WITHDRAWN


def test_the_same_order_twice_is_told_on_the_form(manager, agreement):
    ask(manager, agreement)

    assert "order-known" in ask(manager, agreement).content.decode()


def test_an_operator_and_an_auditor_read_and_change_nothing(town, desk, seat, agreement):
    auditor = seat(town.employ("revisore@cdrl.example.org", role=Role.AUDITOR), town.service)
    before = counter(agreement).free
    for client in (desk, auditor):
        page = client.get(PAGE).content.decode()
        assert "/acquisti/nuovo/" not in page
        assert "/soglia/" not in page
        assert "/rettifica/" not in client.get(f"{PAGE}{counter(agreement).pk}/").content.decode()
        assert "role-insufficient" in ask(client, agreement).content.decode()
        assert "administrators-only" in correct(client, counter(agreement), 5).content.decode()
        refused = client.post(f"{PAGE}soglia/{agreement.pk}/", {"threshold": 3}).content.decode()
        assert "role-insufficient" in refused
    assert counter(agreement).free == before
    assert not PurchaseRequest.objects.exists()


def test_counters_and_requests_of_another_centre_are_not_there(town, seat, manager, agreement):
    ask(manager, agreement)
    number = PurchaseRequest.objects.get().number
    elsewhere = town.found("altrove", "Altrove")
    for service in (town.service, town.eidas):
        town.offer(service.code, service.name, centre=elsewhere)
    stranger = seat(town.employ("altrove@cdrl.example.org", centre=elsewhere, role=Role.MANAGER), town.service)
    pages = [f"{PAGE}{counter(agreement).pk}/{page}" for page in ("", "movimenti.csv", "rettifica/")]
    pages += [f"{ORDERS}{number}/{page}" for page in ("", "accredita/", "respingi/", "ritira/")]
    pages += [f"{PAGE}soglia/{agreement.pk}/", f"{ORDERS}nuovo/{agreement.pk}/"]

    assert {confirmed(stranger).get(page).status_code for page in pages} == {404}
    assert number not in stranger.get(ORDERS).content.decode()


def test_a_correction_sent_twice_counts_once(administrator, agreement):
    row, token = counter(agreement), uuid.uuid4()

    correct(administrator, row, -2, token=token)
    correct(administrator, row, -2, token=token)

    assert counter(agreement).free == 40
    assert StockMovement.objects.filter(kind="correction").count() == 1


def test_a_correction_asks_again_who_it_is(administrator, agreement):
    row = counter(agreement)

    answer = administrator.post(f"{PAGE}{row.pk}/rettifica/", {"change": 5, "reason": "x", "token": uuid.uuid4()})

    assert answer.status_code == 302
    assert "next=" in answer["Location"]
    assert counter(agreement).free == 42


def test_a_manager_sets_the_threshold(manager, agreement):
    manager.post(f"{PAGE}soglia/{agreement.pk}/", {"threshold": 50})

    assert "Sotto soglia" in manager.get(PAGE).content.decode()
    assert "Avviso da 50 unità in giù" in text_of(manager.get(PAGE).content.decode())


def test_the_list_costs_the_same_statements_for_many_centres(town, administrator):
    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert administrator.get(PAGE).status_code == 200
        return len(asked)

    statements()
    few = statements()
    for number in range(30):
        centre = town.found(f"cdrl-{number}", f"Ordine {number}")
        for service in (town.service, town.eidas):
            town.offer(service.code, service.name, centre=centre)
        town.buy(centre, town.eidas, 3)

    assert statements() == few
