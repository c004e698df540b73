"""All readers and drivers as one card: which module reads it, and what is said when none does."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

from cardclient.errors import AnotherCard, CardError, CardRemoved, DriverError, DriverNeeded, NoCard, NotRenewable
from cardclient.messages import words_for
from cardclient.ports import CodeState
from cardclient.readers.cards import ReaderCards
from cardclient.readers.names import Interface, interface_of, is_same_reader
from cardclient.secret import Secret
from tests.cardclient.readers.fake_modules import (
    ATHENA,
    COMMERCIAL,
    IDEMIA,
    IDPROTECT,
    OPENSC,
    OTHER,
    READER,
    ST,
    XPKI,
    FakeModule,
    FakeReaders,
    module,
    view,
)


class Computer:
    """Readers, installed modules, and the card that joins them."""

    def __init__(self):
        self.readers, self.installed = FakeReaders(), {}
        self.card = ReaderCards(self.readers, find_modules=self._found, open_module=self.installed.__getitem__)

    def _found(self):
        return tuple(module(path) for path in self.installed)

    def install(self, path, *, views=(), problem=None):
        self.installed[path] = FakeModule(path, views=views, problem=problem)
        return self.installed[path]


@pytest.fixture
def computer():
    return Computer()


def test_an_empty_computer_has_no_card_and_loads_no_driver(computer):
    driver = computer.install(XPKI)
    with pytest.raises(NoCard):
        computer.card.scan()
    computer.readers.put(READER, None)
    with pytest.raises(NoCard):
        computer.card.scan()
    assert driver.calls == []


def test_a_card_is_read_by_its_familys_driver_and_no_other(computer):
    other = computer.install(XPKI, views=[view("1")])
    own = computer.install(IDPROTECT, views=[view("1")])
    computer.readers.put(READER, ATHENA)
    (seen,) = computer.card.scan()
    assert (seen.atr, seen.family, seen.driver) == (ATHENA, "AC 2014 / AC 2018", "libASEP11.so")
    assert own.calls == ["scan"]
    assert other.calls == []


def test_another_driver_that_writes_serves_where_the_familys_own_is_missing(computer):
    computer.install(XPKI, views=[view("1")])
    computer.readers.put(READER, ATHENA)
    assert computer.card.scan()[0].driver == "libbit4xpki.so"


def test_a_missing_driver_is_named_with_its_address_and_is_not_no_card(computer):
    computer.install(XPKI)
    computer.readers.put(READER, ATHENA)
    with pytest.raises(DriverNeeded) as needed:
        computer.card.scan()
    words = words_for(pickle.loads(pickle.dumps(needed.value)))  # noqa: S301 - our own bytes, as over the pipe
    assert "IDP 6.47.04" in words.cause
    assert "AC 2014 / AC 2018" in words.cause
    assert "https://ca.arubapec.it/downloads/" in words.advice


def test_a_driver_that_only_reads_does_not_hide_that_the_right_one_is_missing(computer):
    reading = computer.install(OPENSC, views=[view("1")])
    computer.readers.put(READER, IDEMIA)
    with pytest.raises(DriverNeeded):
        computer.card.scan()
    assert reading.calls == []


def test_a_card_of_no_known_family_is_tried_with_every_driver(computer):
    first = computer.install(IDPROTECT)
    computer.install(OPENSC, views=[view("1")])
    computer.readers.put(READER, COMMERCIAL)
    (seen,) = computer.card.scan()
    assert (seen.family, seen.driver) == (None, "opensc-pkcs11.so")
    assert first.calls == ["scan"]


@pytest.mark.parametrize("code", ["driver-failed", "driver-timeout", "driver-missing"])
def test_a_driver_that_crashes_or_hangs_is_named_and_passed_over(computer, code, caplog):
    computer.install(IDPROTECT, problem=DriverError(code))
    computer.install(XPKI, views=[view("1")])
    computer.readers.put(READER, ATHENA)
    assert computer.card.scan()[0].driver == "libbit4xpki.so"
    assert f"libASEP11.so: {code}" in caplog.text


def test_where_no_driver_is_left_the_crash_is_the_answer(computer):
    computer.install(XPKI, problem=DriverError("driver-failed"))
    computer.readers.put(READER, IDEMIA)
    with pytest.raises(DriverError, match=r"driver-failed \(libbit4xpki.so\)"):
        computer.card.scan()
    assert computer.card.unread[0].problems == (("libbit4xpki.so", "driver-failed"),)


def test_a_card_that_does_not_answer_and_one_that_nobody_knows_are_told_apart(computer):
    computer.readers.put(READER, b"")
    with pytest.raises(CardError, match="card-silent"):
        computer.card.scan()
    computer.readers.put(READER, COMMERCIAL)
    with pytest.raises(CardError, match="card-unrecognised"):
        computer.card.scan()


def test_a_refused_family_is_refused_with_its_reason_before_any_driver(computer):
    driver = computer.install(XPKI, views=[view("1")])
    computer.readers.put(READER, ST)
    with pytest.raises(NotRenewable, match="family-refused") as refused:
        computer.card.scan()
    assert "ST 2021" in refused.value.advice
    assert driver.calls == []


def test_several_cards_are_all_seen_each_by_its_own_driver(computer):
    one = computer.install(XPKI, views=[view("1", READER)])
    two = computer.install(IDPROTECT, views=[view("2", OTHER)])
    computer.readers.put(READER, IDEMIA)
    computer.readers.put(OTHER, ATHENA)
    assert [(each.serial, each.reader, each.atr) for each in computer.card.scan()] == [
        ("1", READER, IDEMIA),
        ("2", OTHER, ATHENA),
    ]
    computer.card.choose("2")
    computer.card.login(Secret("48273"))
    assert (one.calls, two.calls) == (["scan"], ["scan", "login"])
    assert computer.card.view().atr == ATHENA


def test_a_card_beside_one_that_nobody_reads_is_still_offered(computer):
    computer.install(XPKI, views=[view("1", READER)])
    computer.readers.put(READER, IDEMIA)
    computer.readers.put(OTHER, COMMERCIAL)
    assert [each.serial for each in computer.card.scan()] == ["1"]
    assert [each.state.name for each in computer.card.unread] == [OTHER]


def test_a_driver_that_names_the_reader_otherwise_is_believed_for_a_single_card_only(computer):
    computer.install(XPKI, views=[view("1", "Smart card slot 1")])
    computer.readers.put(READER, IDEMIA)
    assert computer.card.scan()[0].reader == READER
    computer.readers.put(OTHER, IDEMIA)
    with pytest.raises(DriverNeeded):
        computer.card.scan()


def test_processes_of_drivers_that_read_no_card_end(computer):
    idle = computer.install(IDPROTECT)
    used = computer.install(XPKI, views=[view("1")])
    computer.readers.put(READER, ATHENA)
    computer.card.scan()
    assert (idle.closed, used.closed) == (1, 0)
    computer.card.close()
    assert used.closed == 1


def test_a_card_that_was_not_seen_cannot_be_chosen(computer):
    computer.install(XPKI, views=[view("1")])
    with pytest.raises(CardRemoved):
        computer.card.choose("1")
    computer.readers.put(READER, IDEMIA)
    computer.card.scan()
    with pytest.raises(AnotherCard):
        computer.card.choose("2")


def test_a_locked_puk_is_final_only_where_the_driver_is_known_to_tell_it(computer):
    locked = replace(view("1"), pin=CodeState.LOCKED, puk=CodeState.LOCKED)
    computer.install(OPENSC, views=[locked])
    computer.readers.put(READER, COMMERCIAL)
    assert computer.card.scan()[0].final is None
    computer.install(XPKI, views=[locked])
    assert computer.card.scan()[0].final == "puk-locked"


def test_a_locked_pin_is_never_final(computer):
    computer.install(XPKI, views=[replace(view("1"), pin=CodeState.LOCKED)])
    computer.readers.put(READER, IDEMIA)
    assert computer.card.scan()[0].final is None


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Bit4id miniLector 00 00", "Bit4id miniLector 00 00"),
        ("Bit4id miniLector 00 00", "Bit4id miniLector"),
        ("R" * 70, "R" * 64),
        ("Alcor Micro AU9540 0", "Alcor Micro AU9540   "),
    ],
)
def test_a_drivers_name_for_a_reader_is_recognised(ours, theirs):
    assert is_same_reader(ours, theirs)


@pytest.mark.parametrize(("ours", "theirs"), [("Bit4id 00 00", "Bit4id 01 00"), ("A 00 00", "B"), ("A 00 00", "")])
def test_two_readers_are_not_taken_for_one(ours, theirs):
    assert not is_same_reader(ours, theirs)


@pytest.mark.parametrize(
    ("name", "interface"),
    [
        ("ACS ACR1281 1S Dual Reader ICC 00 00", Interface.CONTACT),
        ("ACS ACR1281 1S Dual Reader PICC 01 00", Interface.CONTACTLESS),
        ("HID Global OMNIKEY 5422CL Smartcard Reader 01 00", Interface.CONTACTLESS),
        ("HID Global OMNIKEY 5422 Smartcard Reader 00 00", Interface.CONTACT),
        ("Identiv uTrust 3700 F Contactless Reader", Interface.CONTACTLESS),
        ("Bit4id miniLector CIE NFC", Interface.CONTACTLESS),
    ],
)
def test_the_two_sides_of_a_dual_reader_are_told_apart(name, interface):
    assert interface_of(name) is interface
