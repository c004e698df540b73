"""Buying and correcting stock: who asks, who credits, what is written down, and when a centre is warned."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from cms import errors
from cms.actors import SYSTEM
from cms.models import Agreement, Centre, Event, PurchaseRequest, Stock, StockMovement, User
from cms.services import low_stock, purchases, stock
from cms.states import PurchaseState, Role
from notifications.models import OutboxMessage
from tests.panel.town import NOW, TYPES, Town

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def town():
    return Town()


@pytest.fixture
def manager(town):
    return town.employ("responsabile@cdrl.example.org", "Rita Responsabile", role=Role.MANAGER)


@pytest.fixture
def agreement(town):
    return Agreement.objects.get(centre=town.centre, service=town.eidas)


@pytest.fixture
def administrator():
    return hire("prima@fornitore.example.org")


def hire(email: str) -> User:
    return User.objects.create_user(email, full_name="Amministratrice", is_staff=True, is_administrator=True)


def ask(agreement, manager, *, quantity=20, order="ORD-1") -> PurchaseRequest:
    return purchases.request_purchase(agreement.pk, quantity=quantity, order_reference=order, operator=manager, now=NOW)


def credit(request, administrator):
    return purchases.credit_purchase(request.uid, operator=administrator, now=NOW)


def free(agreement) -> dict[str, int]:
    return dict(Stock.objects.filter(centre=agreement.centre, service=agreement.service).values_list("type", "free"))


def verbs() -> list[str]:
    chosen = Event.objects.filter(verb__regex=r"^(purchase|stock)\.", at__gte=NOW).order_by("pk")
    return list(chosen.values_list("verb", flat=True))


def test_a_credited_request_adds_its_quantity_to_every_type_of_the_pair(agreement, manager, administrator):
    request = ask(agreement, manager)

    credited = credit(request, administrator)

    assert credited.state == PurchaseState.CREDITED
    assert free(agreement) == dict.fromkeys(TYPES, 62)
    assert set(StockMovement.objects.filter(reference=request.number).values_list("free_after", flat=True)) == {62}
    assert verbs() == ["purchase.requested", "purchase.credited", "stock.purchased", "stock.purchased"]


def test_crediting_twice_is_once(agreement, manager, administrator):
    request = ask(agreement, manager)

    credit(request, administrator)
    credit(request, administrator)

    assert free(agreement) == dict.fromkeys(TYPES, 62)


def test_numbers_tell_requests_apart(agreement, manager):
    first, second = ask(agreement, manager), ask(agreement, manager, order="ORD-2")

    assert first.number != second.number
    assert first.number.startswith("A-2026-")


def test_with_two_administrators_the_second_credits_what_the_first_confirms(agreement, manager, administrator):
    second = hire("seconda@fornitore.example.org")
    request = ask(agreement, manager)

    confirmed = credit(request, administrator)
    with pytest.raises(errors.PurchaseSamePerson):
        credit(request, administrator)

    assert confirmed.state == PurchaseState.CONFIRMED
    assert free(agreement) == dict.fromkeys(TYPES, 42)
    assert credit(request, second).state == PurchaseState.CREDITED
    assert free(agreement) == dict.fromkeys(TYPES, 62)


def test_a_setting_lets_one_administrator_credit_alone(agreement, manager, administrator, settings):
    hire("seconda@fornitore.example.org")
    settings.CMS = settings.CMS.model_copy(update={"credit_four_eyes": False})

    assert credit(ask(agreement, manager), administrator).state == PurchaseState.CREDITED


def test_the_last_administrator_credits_what_he_once_confirmed(agreement, manager, administrator):
    second = hire("seconda@fornitore.example.org")
    request = ask(agreement, manager)
    credit(request, administrator)
    second.is_active = False
    second.save()

    assert credit(request, administrator).state == PurchaseState.CREDITED
    assert "purchase.confirmed" in verbs()


def test_a_refused_request_tells_its_reason_and_moves_nothing(agreement, manager, administrator):
    request = ask(agreement, manager)
    with pytest.raises(errors.RefusalUnexplained):
        purchases.refuse_purchase(request.uid, reason=" \n", operator=administrator, now=NOW)

    refused = purchases.refuse_purchase(request.uid, reason="Ordine non pagato", operator=administrator, now=NOW)

    assert refused.refusal_reason == "Ordine non pagato"
    with pytest.raises(errors.PurchaseClosed):
        credit(request, administrator)
    assert free(agreement) == dict.fromkeys(TYPES, 42)


def test_a_withdrawn_request_cannot_be_credited_and_frees_its_order(agreement, manager, administrator):
    request = ask(agreement, manager)

    purchases.withdraw_purchase(request.uid, operator=manager, now=NOW)

    with pytest.raises(errors.PurchaseClosed):
        credit(request, administrator)
    assert ask(agreement, manager).state == PurchaseState.REQUESTED


def test_one_order_is_asked_for_once(agreement, manager):
    ask(agreement, manager)

    with pytest.raises(errors.OrderKnown):
        ask(agreement, manager)


@pytest.mark.parametrize("quantity", [0, -1, 100_001])
def test_a_quantity_that_nobody_buys_is_refused(agreement, manager, quantity):
    with pytest.raises(errors.QuantityInvalid):
        ask(agreement, manager, quantity=quantity)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR])
def test_only_the_manager_asks_and_withdraws(town, agreement, manager, role):
    other = town.employ("altra@cdrl.example.org", role=role)
    request = ask(agreement, manager)

    for attempt in (
        lambda: ask(agreement, other, order="ORD-2"),
        lambda: purchases.withdraw_purchase(request.uid, operator=other, now=NOW),
        lambda: purchases.change_threshold(agreement.pk, threshold=5, operator=other, now=NOW),
    ):
        with pytest.raises(errors.RoleTooWeak):
            attempt()


def test_a_manager_of_another_centre_reaches_nothing(town, agreement, manager):
    stranger = town.employ("altrove@cdrl.example.org", centre=town.found("altrove", "Altrove"), role=Role.MANAGER)
    request = ask(agreement, manager)

    with pytest.raises(errors.WrongCentre):
        ask(agreement, stranger, order="ORD-2")
    with pytest.raises(errors.WrongCentre):
        purchases.withdraw_purchase(request.uid, operator=stranger, now=NOW)


def test_only_administrators_credit_refuse_and_correct(agreement, manager):
    request, counter = ask(agreement, manager), Stock.objects.filter(service=agreement.service).first()

    for attempt in (
        lambda: credit(request, manager),
        lambda: purchases.refuse_purchase(request.uid, reason="no", operator=manager, now=NOW),
        lambda: correct(counter, manager, 5),
    ):
        with pytest.raises(errors.AdministratorsOnly):
            attempt()


def correct(counter, administrator, change, reference=None, reason="Conteggio errato"):
    return stock.correct_stock(
        counter.pk,
        change=change,
        reason=reason,
        reference=reference or f"rettifica-{uuid.uuid4()}",
        operator=administrator,
        now=NOW,
    )


def test_a_correction_moves_what_is_free_once_and_says_why(agreement, administrator):
    counter = Stock.objects.get(service=agreement.service, type=TYPES[0])

    correct(counter, administrator, -2, "rettifica-1")
    movement = correct(counter, administrator, -2, "rettifica-1")

    counter.refresh_from_db()
    assert counter.free == 40
    assert (movement.free_change, movement.free_after, movement.reason) == (-2, 40, "Conteggio errato")
    assert verbs() == ["stock.corrected"]


@pytest.mark.parametrize(
    ("change", "reason", "refusal"),
    [
        (-43, "troppo", errors.StockTooSmall),
        (0, "niente", errors.CorrectionIncomplete),
        (5, "", errors.CorrectionIncomplete),
    ],
)
def test_a_correction_is_refused_that_takes_too_much_or_says_nothing(agreement, administrator, change, reason, refusal):
    counter = Stock.objects.get(service=agreement.service, type=TYPES[0])

    with pytest.raises(refusal):
        correct(counter, administrator, change, reason=reason)

    assert not StockMovement.objects.filter(kind="correction").exists()


def test_the_running_balance_follows_every_kind_of_movement(town, agreement, administrator):
    case = town.signed(town.case())
    counter = Stock.objects.get(service=agreement.service, type=TYPES[0])
    ledger = {"centre_id": case.centre_id, "service_id": case.issuing_service_id, "types": TYPES}
    stock.release(case_code=case.code, actor=SYSTEM, at=NOW, **ledger)
    correct(counter, administrator, -4)

    balances = counter.movements.order_by("pk").values_list("kind", "free_after")

    assert list(balances) == [("purchase", 42), ("reservation", 41), ("release", 42), ("correction", 38)]


def drain(agreement, administrator, to: int) -> None:
    for counter in Stock.objects.filter(service=agreement.service):
        if counter.free != to:
            correct(counter, administrator, to - counter.free)


def test_a_centre_is_warned_once_per_fall_with_one_mail_for_the_pair(agreement, administrator):
    assert low_stock.warn_of_low_stock(now=NOW) == 0
    drain(agreement, administrator, 10)

    assert low_stock.warn_of_low_stock(now=NOW) == 2
    assert low_stock.warn_of_low_stock(now=NOW + timedelta(minutes=1)) == 0

    (mail,) = OutboxMessage.objects.filter(kind="low-stock")
    assert mail.recipient == agreement.centre.email
    assert (mail.centre_id, mail.service_id) == (agreement.centre_id, agreement.service_id)
    assert mail.context["balances"] == "Autenticazione CNS: 10 · Firma qualificata: 10"
    assert verbs().count("stock.low") == 2


def test_a_counter_that_rose_and_fell_again_is_told_again(agreement, administrator):
    drain(agreement, administrator, 9)
    low_stock.warn_of_low_stock(now=NOW)
    drain(agreement, administrator, 30)
    low_stock.warn_of_low_stock(now=NOW + timedelta(minutes=1))
    drain(agreement, administrator, 0)

    assert low_stock.warn_of_low_stock(now=NOW + timedelta(minutes=2)) == 2
    assert OutboxMessage.objects.filter(kind="low-stock").count() == 2


def test_an_address_that_cannot_travel_keeps_no_other_centres_warning(town, agreement, administrator):
    siena = town.found("cdrl-siena", "Altro Ordine di Esempio")
    town.offer(town.eidas.code, town.eidas.name, centre=siena)
    town.buy(siena, town.eidas, 10)
    drain(agreement, administrator, 10)
    Centre.objects.filter(pk=agreement.centre_id).update(email="nessuno@@example.org")

    assert low_stock.warn_of_low_stock(now=NOW) == 4
    assert [mail.centre_id for mail in OutboxMessage.objects.filter(kind="low-stock")] == [siena.pk]
    assert verbs().count("stock.low") == 4


def test_a_raised_threshold_warns_too(agreement, manager):
    purchases.change_threshold(agreement.pk, threshold=50, operator=manager, now=NOW)

    assert low_stock.warn_of_low_stock(now=NOW) == 2
    assert verbs()[0] == "stock.threshold-changed"
