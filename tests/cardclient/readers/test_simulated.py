"""Simulated cards for training: spoiled, locked, slow, pulled out and put in from outside while a program works with them."""

from __future__ import annotations

import threading
import time

import pytest

from cardclient import personalise as personalising
from cardclient import simulated_state
from cardclient.contract import Slot
from cardclient.errors import AnotherCard, CardError, CardRemoved, NoCard, PinLength, PinLocked, WrongPin
from cardclient.ports import CodeState, ReaderState
from cardclient.readers.atr import historical_bytes
from cardclient.readers.families import known
from cardclient.readers.opening import computer_source, module_source, source
from cardclient.readers.pcsc import PcscReaders, Service
from cardclient.readers.polling import simulated_readers
from cardclient.secret import Secret
from cardclient.simulated_state import Condition
from cardclient.simulator import SimulatedCard, SimulatedReader
from tests.cardclient.conftest import P_256, PIN, PUK, personalise
from tests.cardclient.readers.fake_pcsc import FakeClock


def make(folder, name="card.json", *, serial="7430000000000001", family="ACe 2021"):
    return SimulatedCard.create(folder / name, serial=serial, family=family, pin=Secret(PIN), puk=Secret(PUK))


@pytest.mark.parametrize("family", [each.code for each in known().families])
def test_a_card_of_any_family_is_recognised_by_its_atr(tmp_path, family):
    (view,) = make(tmp_path, family=family).scan()
    assert family in view.family.split(" / ")
    assert historical_bytes(view.atr)[9:12] == b"CNS"


def test_a_family_that_is_refused_is_refused_without_a_pin(tmp_path):
    assert make(tmp_path, family="ST 2021").scan()[0].final == "family-refused"
    assert make(tmp_path, "other.json", family="AC 2014").scan()[0].final is None


@pytest.mark.parametrize(
    ("condition", "final"),
    [
        (Condition.NOT_PERSONALISED, "card-not-personalised"),
        (Condition.UNREADABLE, "certificate-unreadable"),
        (Condition.PUK_LOCKED, "puk-locked"),
        (Condition.PIN_LOCKED, None),
        (Condition.PIN_LAST_TRY, None),
    ],
)
def test_a_spoiled_card_says_so_without_a_pin_and_can_be_made_whole(card, condition, final):
    card.put_into(condition)
    assert card.scan()[0].final == final
    card.put_into(Condition.WHOLE)
    (view,) = card.scan()
    assert (view.final, view.pin, view.puk) == (None, CodeState.OK, CodeState.OK)
    card.login(Secret(PIN))


def test_a_card_that_is_not_personalised_shows_nothing_and_takes_no_pin(card):
    card.put_into(Condition.NOT_PERSONALISED)
    assert card.view().certificates == ()
    with pytest.raises(CardError, match="card-not-personalised"):
        card.login(Secret(PIN))


def test_the_last_try_and_the_lock_are_as_on_a_real_card(card):
    card.put_into(Condition.PIN_LAST_TRY)
    assert card.view().pin is CodeState.LAST_TRY
    with pytest.raises(PinLocked):
        card.login(Secret("00000"))
    card.unblock(Secret(PUK), Secret("62951"))
    card.login(Secret("62951"))


def test_the_pin_is_changed_and_the_old_one_counts_as_wrong(card):
    with pytest.raises(PinLength):
        card.change_pin(Secret(PIN), Secret("1"))
    card.change_pin(Secret(PIN), Secret("62951"))
    with pytest.raises(WrongPin):
        card.login(Secret(PIN))
    card.login(Secret("62951"))


def test_a_card_pulled_by_another_program_while_a_key_is_made_is_removed_and_not_put_back(tmp_path):
    card = make(tmp_path)
    card.slow_down(0.4)
    card.login(Secret(PIN))
    threading.Timer(0.1, SimulatedCard(card.path).eject).start()
    with pytest.raises(CardRemoved):
        card.generate(b"id", "prova", P_256)
    assert not card.is_present
    card.insert()
    with pytest.raises(CardRemoved):
        card.sign(None, b"", Secret(PIN))


def test_insertion_removal_and_unplugging_are_seen_in_time(tmp_path):
    card, clock = make(tmp_path), FakeClock()
    readers = simulated_readers([card])
    readers._sleep, readers._clock = clock.sleep, clock
    assert readers.snapshot() == (ReaderState("simulator card.json", card.scan()[0].atr, 1),)
    for at, change, filled in ((1.2, card.eject, False), (4.1, card.insert, True), (6.9, card.unplug, None)):
        clock.at(at, change)
        assert readers.wait(10.0)
        assert clock.now - at < 2.0
        seen = readers.snapshot()
        assert [each.atr is not None for each in seen] == ([] if filled is None else [filled])
    assert readers.wait(1.0) is False


def test_a_card_that_was_out_between_two_looks_is_seen(tmp_path):
    card = make(tmp_path)
    readers = simulated_readers([card])
    before = readers.snapshot()
    card.eject()
    card.insert()
    assert readers.wait(0.0)
    assert readers.snapshot() != before


def test_watching_uses_up_no_planned_fault(tmp_path):
    card = make(tmp_path)
    card.plan_fault("scan", "device-error")
    simulated_readers([card]).snapshot()
    assert len(simulated_state.load(card.path).faults) == 1


def test_a_look_that_began_before_a_key_was_made_does_not_undo_it(tmp_path):
    card = make(tmp_path)
    card.login(Secret(PIN))
    with SimulatedCard(card.path)._operation("scan"):
        card.generate(b"\x01", "DS0", P_256)
    made = card.keys()
    assert [key.id for key in made] == [b"\x01", b"\x01"]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"version": 1}'])
def test_a_file_that_is_no_card_is_an_empty_reader(tmp_path, text):
    path = tmp_path / "broken.json"
    assert simulated_readers([SimulatedCard(path)]).snapshot()[0].atr is None
    path.write_text(text)
    assert simulated_readers([SimulatedCard(path)]).snapshot()[0].atr is None


def test_several_cards_are_several_readers(tmp_path, authority):
    first, second = make(tmp_path, "a.json", serial="1"), make(tmp_path, "b.json", serial="2", family="AC 2014")
    opened = source([str(first.path), str(second.path)])
    assert [each.reader for each in opened.card.scan()] == [each.name for each in opened.readers.snapshot()]
    second.eject()
    assert [each.serial for each in opened.card.scan()] == ["1"]
    opened.card.choose("1")
    with pytest.raises(AnotherCard):
        opened.card.choose("2")
    first.path.unlink()
    with pytest.raises(NoCard):
        opened.card.scan()


def test_an_extension_card_holds_an_authentication_certificate_alone(tmp_path, authority):
    card = make(tmp_path, family="AC 2018")
    card.login(Secret(PIN))
    personalise(card, authority, slots=[Slot.AUTHENTICATION])
    card.close()
    (view,) = card.scan()
    assert [each.label for each in view.certificates] == ["CNS0"]
    assert view.final is None
    assert isinstance(SimulatedReader([card]).scan(), tuple)


def test_a_hand_at_the_card_is_a_command_beside_the_window(tmp_path):
    (tmp_path / "pin").write_text(PIN)
    (tmp_path / "puk").write_text(PUK)
    path = str(tmp_path / "card.json")
    codes = ["--pin-file", str(tmp_path / "pin"), "--puk-file", str(tmp_path / "puk")]
    run = personalising.main
    assert run(["create", "--simulated", path, "--serial", "1", "--family", "AC 2014", *codes]) == 0
    card = SimulatedCard(path)
    assert run(["eject", "--simulated", path]) == 0
    assert not card.is_present
    assert run(["insert", "--simulated", path]) == 0
    assert card.is_present
    assert run(["condition", "--simulated", path, "--condition", "puk-locked"]) == 0
    assert card.view().puk is CodeState.LOCKED
    assert run(["unplug", "--simulated", path]) == 0
    with pytest.raises(NoCard):
        card.scan()


@pytest.mark.parametrize("arguments", [["condition", "--simulated", "x"], ["eject", "--module", "/x"], ["create"]])
def test_a_command_that_lacks_something_is_wrong_use(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        personalising.main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err


def test_what_the_command_line_names_is_what_is_opened(tmp_path):
    card = make(tmp_path)
    assert source([str(card.path)]).card.scan()[0].serial == "7430000000000001"
    assert source(None, "/usr/lib/x.so").card.module == "/usr/lib/x.so"
    assert module_source("/usr/lib/x.so").service is None
    assert isinstance(source().readers, PcscReaders)
    assert computer_source().service() in set(Service)


def test_looking_at_a_simulated_card_is_cheap(tmp_path):
    readers = simulated_readers([make(tmp_path)])
    began = time.process_time()
    for _ in range(50):
        readers.snapshot()
    assert (time.process_time() - began) / 50 < 0.005
