"""Changing and unblocking a PIN, and reading a card's content: what costs a try, and what does not."""

from __future__ import annotations

import pytest

from cardclient import simulated_state, tools
from cardclient.content import Match
from cardclient.errors import AnotherCard, PinLength, PinLocked, PukLocked, WrongPin, WrongPuk
from cardclient.ports import CodeState
from cardclient.secret import Secret
from tests.cardclient.conftest import NOW, PIN, PUK, SERIAL

NEW = "59146"


def change(card, pin=PIN, new_pin=NEW, serial=SERIAL):
    return tools.change_pin(card, serial, Secret(pin), Secret(new_pin))


def unblock(card, puk=PUK, new_pin=NEW):
    return tools.unblock_pin(card, SERIAL, Secret(puk), Secret(new_pin))


def lock(card):
    for _ in range(3):
        with pytest.raises((WrongPin, PinLocked)):
            change(card, pin="00000")


def test_the_new_pin_opens_the_card_and_the_old_one_does_not(card):
    change(card)
    card.login(Secret(NEW))
    with pytest.raises(WrongPin):
        card.login(Secret(PIN))


def test_a_weak_new_pin_is_refused_and_costs_no_try(card):
    for weak in ("12345", "101285", PIN):
        with pytest.raises(PinLength):
            change(card, new_pin=weak)
    assert card.view().pin is CodeState.OK


def test_an_empty_pin_is_refused_and_costs_no_try(card):
    with pytest.raises(PinLength):
        change(card, pin="")
    assert card.view().pin is CodeState.OK


def test_codes_of_a_length_the_family_does_not_have_never_reach_the_card(card):
    for operation in ("change_pin", "unblock"):
        card.plan_fault(operation, "device-error")
    with pytest.raises(PinLength):
        change(card, pin="4827")
    with pytest.raises(PinLength):
        unblock(card, puk="9182736")
    assert len(simulated_state.load(card.path).faults) == 2


def test_the_third_wrong_pin_locks_and_the_puk_opens(card):
    lock(card)
    assert card.view().pin is CodeState.LOCKED
    assert unblock(card).pin is CodeState.OK
    card.login(Secret(NEW))


def test_a_weak_new_pin_costs_no_try_of_the_puk(card):
    with pytest.raises(PinLength):
        unblock(card, puk="00000001", new_pin="11111")
    assert card.view().puk is CodeState.OK


def test_the_third_wrong_puk_ends_the_card(card):
    for _ in range(2):
        with pytest.raises(WrongPuk):
            unblock(card, puk="00000001")
    assert card.view().puk is CodeState.LAST_TRY
    with pytest.raises(PukLocked):
        unblock(card, puk="00000001")


def test_another_card_put_in_meanwhile_is_not_touched(card):
    with pytest.raises(AnotherCard):
        change(card, serial="7430000000000002", pin="00000")
    assert card.view().pin is CodeState.OK


def test_content_is_read_and_the_card_is_closed_again(card):
    shown = tools.read_content(card, SERIAL, Secret(PIN), now=NOW)
    assert {each.match for each in shown} == {Match.CERTAIN}
    seen = card.keys()
    assert {each.kind for each in seen} == {"public-key"}


def test_no_card_is_an_empty_desk(card):
    assert [each.serial for each in tools.cards_present(card)] == [SERIAL]
    card.eject()
    assert tools.cards_present(card) == ()
