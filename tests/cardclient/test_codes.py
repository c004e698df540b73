"""PIN and PUK: wrong, last try, locked, unblocked; nothing is tried that the holder did not give."""

from __future__ import annotations

import pytest

from cardclient import simulated_state
from cardclient.errors import Declined, NotRenewable, PinLength, PinLocked, PukLocked, WrongPin, WrongPuk
from cardclient.ports import CodeState, SecretKind
from cardclient.secret import Secret
from cardclient.simulator import SimulatedCard
from tests.cardclient.conftest import PIN, PUK
from tests.cardclient.recording_screen import RecordingScreen

BEFORE_PIN = ["/capabilities", "/scan", "/texts"]
WRONG, WRONG_PUK, NEW = "00000", "00000000", "62951"


def tries_left(card):
    return simulated_state.load(card.path).pin.left


def spend(card, times, *, puk=False):
    for _ in range(times):
        with pytest.raises((WrongPin, PinLocked, WrongPuk, PukLocked)):
            card.verify_puk(Secret(WRONG_PUK)) if puk else card.login(Secret(WRONG))


def test_a_wrong_pin_is_asked_again_in_the_guides_words_and_then_works(renew, office):
    screen = RecordingScreen(pin=[WRONG, PIN])
    renew(screen)
    assert screen.problems == [(SecretKind.PIN, None), (SecretKind.PIN, "pin-wrong")]
    assert office.is_complete


def test_giving_up_after_a_wrong_pin_ends_with_wrong_pin_and_one_try_spent(card, office, renew):
    with pytest.raises(WrongPin):
        renew(RecordingScreen(pin=[WRONG]))
    assert tries_left(card) == 2
    assert [path for _, path, _ in office.seen] == BEFORE_PIN


def test_a_code_that_cannot_be_a_pin_uses_up_no_try(card, renew):
    with pytest.raises(PinLength):
        renew(RecordingScreen(pin=["12"]))
    assert tries_left(card) == 3


@pytest.mark.parametrize("pin", ["4827", "482736159"])
def test_a_pin_too_short_or_too_long_for_the_family_never_reaches_the_card(card, renew, pin):
    card.plan_fault("login", "device-error")
    with pytest.raises(PinLength):
        renew(RecordingScreen(pin=[pin]))
    assert len(simulated_state.load(card.path).faults) == 1


def test_a_puk_too_short_for_the_family_never_reaches_the_card(card, office, renew):
    office.secrets = ["pin", "puk"]
    card.plan_fault("verify_puk", "device-error")
    with pytest.raises(PinLength):
        renew(RecordingScreen(pin=[PIN], puk=["9182736"]))
    assert len(simulated_state.load(card.path).faults) == 1


def test_the_last_try_is_said_before_it_is_used(card, renew):
    spend(card, 2)
    screen = RecordingScreen(pin=[PIN])
    screen.last_try = True
    renew(screen)
    assert screen.order[1:4] == ["say pin-last-try", "last-try pin", "ask pin"]


def test_the_last_try_is_spared_when_the_holder_says_so(card, renew):
    spend(card, 2)
    with pytest.raises(Declined) as declined:
        renew(RecordingScreen(pin=[PIN]))
    assert declined.value.code == "pin-last-try"
    assert tries_left(card) == 1


def test_a_try_used_before_is_told(card, renew):
    spend(card, 1)
    screen = RecordingScreen(pin=[PIN])
    renew(screen)
    assert "pin-tried" in screen.notices


def test_a_locked_pin_is_explained_and_nothing_else_happens(card, office, renew):
    spend(card, 3)
    screen = RecordingScreen(pin=[PIN])
    with pytest.raises(PinLocked):
        renew(screen)
    assert "pin-locked" in screen.notices
    assert [path for _, path, _ in office.seen] == BEFORE_PIN


def test_a_locked_pin_is_opened_with_the_puk_and_the_renewal_goes_on(card, office, renew):
    spend(card, 3)
    screen = RecordingScreen(pin=[PIN], puk=[PUK], new_pin=[NEW])
    screen.unblocks = True
    renew(screen)
    assert office.is_complete
    SimulatedCard(card.path).login(Secret(NEW))


def test_a_wrong_puk_is_asked_again_and_the_last_one_is_warned_of(card, office, renew):
    spend(card, 3)
    screen = RecordingScreen(pin=[PIN], puk=[WRONG_PUK, WRONG_PUK, PUK], new_pin=[NEW, NEW, NEW])
    screen.unblocks = screen.last_try = True
    renew(screen)
    assert "puk-last-try" in screen.notices
    assert office.is_complete


def test_a_locked_puk_is_final(card, renew):
    spend(card, 3)
    spend(card, 3, puk=True)
    screen = RecordingScreen(pin=[PIN], puk=[PUK], new_pin=[NEW])
    screen.unblocks = True
    with pytest.raises(NotRenewable, match="puk-locked"):
        renew(screen)
    assert not any(each.startswith("ask") for each in screen.order)


@pytest.mark.parametrize("new", ["11111", "12345", "98765", "1234", "123456789", "abcde"])
def test_a_poor_new_pin_is_refused_before_the_puk_is_used(card, renew, new):
    spend(card, 3)
    screen = RecordingScreen(pin=[PIN], puk=[PUK], new_pin=[new])
    screen.unblocks = True
    with pytest.raises(PinLength):
        renew(screen)
    assert simulated_state.load(card.path).puk.state is CodeState.OK


def test_families_with_two_codes_are_asked_for_the_puk_after_the_pin(renew, office):
    office.secrets = ["pin", "puk"]
    screen = RecordingScreen(pin=[PIN], puk=[WRONG_PUK, PUK])
    renew(screen)
    assert screen.problems == [(SecretKind.PIN, None), (SecretKind.PUK, None), (SecretKind.PUK, "puk-wrong")]


def test_counters_survive_a_restart_and_a_right_pin_restores_them(card):
    spend(card, 2)
    again = SimulatedCard(card.path)
    assert again.view().pin is CodeState.LAST_TRY
    again.login(Secret(PIN))
    assert again.view().pin is CodeState.OK


def test_the_card_file_holds_no_code_in_clear(card):
    text = card.path.read_text()
    assert PIN not in text
    assert PUK not in text
