"""What a card tells a driver before its PIN, and what becomes of cards that come and go, on the test card."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from pathlib import Path

import pytest

from cardclient import flow
from cardclient.card_pkcs11 import Pkcs11Card
from cardclient.errors import AnotherCard, CardError, CardRemoved, DriverError, PinLength, PinLocked, WrongPin
from cardclient.ports import CodeState, KeyKind, ReaderState
from cardclient.readers.cards import ReaderCards
from cardclient.readers.families import known
from cardclient.readers.modules import Module
from cardclient.readers.polling import module_readers
from cardclient.secret import Secret
from tests.cardclient import shimmed
from tests.cardclient.conftest import NOW, P_256, PIN, PUK, http, personalise
from tests.cardclient.fake_office import FakeOffice
from tests.cardclient.readers.fake_modules import IDEMIA, FakeReaders
from tests.cardclient.recording_screen import RecordingScreen
from tests.cardclient.shimmed import CKR_DEVICE_ERROR, CKR_FUNCTION_FAILED, READER

LACK = shimmed.missing()
pytestmark = [pytest.mark.softhsm, pytest.mark.skipif(LACK is not None, reason=f"package missing: {LACK}")]
USER_PIN_LOCKED = "0x40000"  # CKF_USER_PIN_LOCKED
SMALLEST = 40_000  # kB a helper may take


@pytest.fixture(scope="module")
def vendor(shim, tmp_path_factory):
    """The test card's module under the name of a driver whose word on a locked PUK counts."""
    return Path(shutil.copy(shim, tmp_path_factory.mktemp("vendor") / "libbit4xpki.so"))


@pytest.fixture
def card(tmp_path, monkeypatch, vendor):
    return shimmed.put_in(monkeypatch, shimmed.make(tmp_path, vendor, pin=PIN, puk=PUK))


@pytest.fixture
def reading(card):
    opened = card.card()
    yield opened
    opened.close()


@pytest.fixture
def old(card, reading, authority):
    """First pairs and certificates on the card."""
    reading.scan()
    reading.login(Secret(PIN))
    made = personalise(reading, authority)
    reading.close()
    return made


def computer(card):
    """All readers of a computer: the test card's, with an ATR, and its module as xPKI's."""
    readers = FakeReaders()
    readers.put(READER, IDEMIA)
    card.say(reader=READER)
    found = [Module(str(card.module), known().driver_of("libbit4xpki.so"))]
    return ReaderCards(readers, find_modules=lambda: found)


# What is said before any PIN.


def test_a_card_that_is_not_personalised_is_said_without_a_pin(card, reading):
    card.say(personalised="no", serial="7430000000000001")
    (view,) = reading.scan()
    assert (view.serial, view.final) == ("7430000000000001", "card-not-personalised")


@pytest.mark.parametrize("how", ["broken", CKR_FUNCTION_FAILED])
def test_an_unreadable_certificate_is_final_and_said_without_a_pin(card, old, reading, how):
    assert reading.scan()[0].final is None
    card.say(certificate=how)
    assert reading.view().final == "certificate-unreadable"


def test_a_locked_puk_is_final_from_a_driver_that_tells_it(card, reading):
    card.set_tries(puk=0)
    assert (reading.scan()[0].puk, reading.view().final) == (CodeState.LOCKED, "puk-locked")


def test_a_locked_puk_is_a_hint_from_any_other_module(card, shim):
    card.set_tries(puk=0)
    other = Pkcs11Card(str(shim))
    assert (other.scan()[0].puk, other.view().final) == (CodeState.LOCKED, None)
    other.close()


def test_a_driver_that_calls_every_pin_locked_does_not_keep_the_right_one_out(card, reading):
    """OpenSC's CNS driver sets the flag before any try: it warns, and the card decides."""
    card.say(set_flags=USER_PIN_LOCKED)
    (view,) = reading.scan()
    assert (view.pin, view.final) == (CodeState.LOCKED, None)
    reading.login(Secret(PIN))


def test_a_card_is_called_as_it_calls_itself(card, reading):
    card.say(label="MARIO ROSSI (PIN CNS0)", serial="7430000000000002", reader=READER, model="JS2048")
    (view,) = reading.scan()
    assert (view.label, view.serial, view.reader) == ("MARIO ROSSI (PIN CNS0)", "7430000000000002", READER)
    assert (view.driver, reading.report().model) == ("libbit4xpki.so", "JS2048")


def test_pin_lengths_and_free_memory_are_told_where_the_card_tells_them(card, reading):
    reading.scan()
    assert "free_memory" not in reading.report().facts
    card.say(free_memory="4096")
    facts = reading.report().facts
    assert facts["free_memory"] == "4096"
    assert int(facts["shortest_pin"]) <= 5 <= int(facts["longest_pin"])


# PIN.


def test_the_pin_is_changed_and_the_old_one_counts_as_any_wrong_one(card, reading):
    reading.scan()
    reading.change_pin(Secret(PIN), Secret("62951"))
    with pytest.raises(WrongPin):
        reading.change_pin(Secret(PIN), Secret("73042"))
    assert reading.view().pin is CodeState.TRIED
    reading.login(Secret("62951"))
    assert reading.view().pin is CodeState.OK


def test_a_new_pin_of_impossible_length_changes_nothing_and_uses_up_no_try(card, reading):
    card.say(pin_length="5 8")
    reading.scan()
    with pytest.raises(PinLength):
        reading.change_pin(Secret(PIN), Secret("123456789"))
    reading.login(Secret(PIN))
    assert reading.view().pin is CodeState.OK


def test_a_change_with_wrong_pins_locks_as_a_login_does(reading):
    reading.scan()
    for problem in (WrongPin, WrongPin, PinLocked, PinLocked):
        with pytest.raises(problem):
            reading.change_pin(Secret("00000"), Secret("62951"))


def test_counters_survive_a_restart_of_the_program(card, reading):
    reading.scan()
    with pytest.raises(WrongPin):
        reading.login(Secret("00000"))
    reading.close()
    again = card.card()
    assert again.scan()[0].pin is CodeState.TRIED
    again.close()


# Cards that come and go.


def test_a_card_taken_out_and_put_back_unseen_has_forgotten_the_pin(card, reading):
    reading.scan()
    reading.login(Secret(PIN))
    card.eject()
    card.insert()
    with pytest.raises(CardError):
        reading.keys()
    reading.login(Secret(PIN))
    assert reading.keys() == ()


def test_two_cards_have_their_own_counters_and_their_own_absence(tmp_path, monkeypatch, vendor):
    first = shimmed.make(tmp_path, vendor, pin=PIN, puk=PUK, label="Prima", alone=False)
    second = shimmed.put_in(monkeypatch, shimmed.make(tmp_path, vendor, pin=PIN, puk=PUK, label="Altra", alone=False))
    reading = first.card()
    assert {view.label for view in reading.scan()} == {"Prima", "Altra"}
    reading.choose(first.serial)
    with pytest.raises(WrongPin):
        reading.login(Secret("00000"))
    assert {view.label: view.pin for view in reading.scan()} == {"Prima": CodeState.TRIED, "Altra": CodeState.OK}
    first.eject()
    assert [view.label for view in reading.scan()] == ["Altra"]
    reading.choose(second.serial)
    with pytest.raises(AnotherCard):
        reading.choose(first.serial)
    reading.close()


def test_a_card_that_cannot_be_read_does_not_hide_the_one_beside_it(tmp_path, monkeypatch, vendor):
    for label in ("Prima", "Altra"):
        card = shimmed.put_in(monkeypatch, shimmed.make(tmp_path, vendor, pin=PIN, puk=PUK, label=label, alone=False))
    card.plan("C_OpenSession", CKR_DEVICE_ERROR)
    reading = card.card()
    assert len(reading.scan()) == 1
    assert card.fault_is_spent
    assert len(reading.scan()) == 2
    reading.close()


def test_the_watch_sees_card_and_reader_come_and_go_and_opens_no_session(card, reading):
    card.say(reader=READER)
    watch = module_readers(reading)
    card.record_calls()
    assert watch.snapshot() == (ReaderState(READER, b""),)
    for change, seen in (
        (card.eject, (ReaderState(READER, None),)),
        (card.insert, (ReaderState(READER, b""),)),
        (card.unplug, ()),
        (card.insert, (ReaderState(READER, b""),)),
    ):
        change()
        began = time.monotonic()
        assert watch.wait(2.0)
        assert time.monotonic() - began < 2.0
        assert watch.snapshot() == seen
    assert watch.wait(0.0) is False
    assert not {name for name, _ in card.calls} & {"C_OpenSession", "C_GetTokenInfo", "C_Login"}


def test_the_watch_does_not_wait_for_a_card_at_work(card, reading):
    watch = module_readers(reading)
    before = watch.snapshot()
    reading.login(Secret(PIN))
    card.say(slow="C_GenerateKeyPair 1500")
    work = threading.Thread(target=reading.generate, args=(b"id", "prova", P_256))
    work.start()
    time.sleep(0.3)
    began = time.monotonic()
    assert watch.snapshot() == before
    assert time.monotonic() - began < 0.5
    work.join()


# The helper process.


def test_a_generation_beyond_its_time_limit_is_ended_and_the_next_call_starts_anew(card):
    card.say(slow="C_GenerateKeyPair 3000")
    reading = card.card(generate=0.3)
    reading.scan()
    reading.login(Secret(PIN))
    with pytest.raises(DriverError, match="driver-timeout"):
        reading.generate(b"id", "prova", P_256)
    assert reading.scan()
    reading.close()


def test_a_driver_that_crashes_when_loaded_is_named_and_another_one_serves(card, shim):
    card.plan("C_Initialize", "crash")
    readers = FakeReaders()
    readers.put(READER, IDEMIA)
    card.say(reader=READER)
    found = [Module(str(path), known().driver_of("libbit4xpki.so")) for path in (shim, card.module)]
    joined = ReaderCards(readers, find_modules=lambda: found)
    assert joined.scan()[0].driver == "libbit4xpki.so"
    assert card.fault_is_spent
    joined.close()


def test_the_helper_is_small_and_loads_nothing_of_window_network_or_crypto(reading):
    reading.scan()
    status = Path(f"/proc/{reading._child[0].pid}/status").read_text()
    memory = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    sys.stdout.write(f"helper: {memory} kB resident\n")
    loaded = Path(f"/proc/{reading._child[0].pid}/maps").read_text()
    assert memory < SMALLEST
    assert not [name for name in ("PySide6", "cryptography", "_rust", "_ssl") if name in loaded]


def test_the_log_of_calls_holds_no_code(card, reading):
    card.record_calls()
    reading.scan()
    reading.login(Secret(PIN))
    reading.change_pin(Secret(PIN), Secret("62951"))
    assert ("C_SetPIN", 0) in card.calls
    text = (card.root / "calls").read_text()
    assert PIN not in text
    assert "62951" not in text


# All readers and drivers as one card.


def test_a_renewal_runs_through_readers_and_drivers(card, old, authority):
    office = FakeOffice(card.serial, old, authority, now=NOW)
    joined = computer(card)
    try:
        outcome = flow.renew(flow.Desk(joined, RecordingScreen(pin=[PIN], puk=[PUK]), http(office), NOW))
    finally:
        joined.close()
    assert outcome.case.state_label == "Completato"
    assert office.is_complete
    assert (outcome.view.atr, outcome.view.family, outcome.view.reader) == (IDEMIA, "ACe 2021 / ACx 2021", READER)


def test_a_card_pulled_while_it_works_is_told_through_readers_and_drivers(card):
    joined = computer(card)
    joined.scan()
    joined.login(Secret(PIN))
    card.plan("C_GenerateKeyPair", "out", when="after")
    with pytest.raises(CardRemoved):
        joined.generate(b"id", "prova", KeyKind("ec", 256))
    joined.close()
