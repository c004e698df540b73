"""Readers through PC/SC on three systems' layouts: what is seen, how soon, and what survives a service that goes."""

from __future__ import annotations

import ctypes
import ctypes.util

import pytest

from cardclient.ports import ReaderState
from cardclient.readers.pcsc import PcscReaders, Service
from cardclient.readers.pcsc_library import LAYOUTS, open_library, state_type
from cardclient.readers.systems import System, this_system
from tests.cardclient.readers.fake_pcsc import FakeClock, FakePcsc

ATHENA = bytes.fromhex("3BDF18008131FE7D006B020C0182011101434E53103180FC")
IDEMIA = bytes.fromhex("3BFF1800008131FE45006B05052000012101434E5310318079")
READER, OTHER = "Bit4id miniLector 00 00", "OMNIKEY 5422 · Città 01 00"
NO_SERVICE, SERVICE_STOPPED, INVALID_HANDLE, NO_ACCESS = 0x8010001D, 0x8010001E, 0x80100003, 0x8010006A
WITHIN = 2.0  # seconds, the bound for a card seen


@pytest.fixture(params=list(System))
def desk(request):
    clock = FakeClock()
    library = FakePcsc(request.param, clock)
    return library, PcscReaders(library, request.param, sleep=clock.sleep, clock=clock), clock


@pytest.mark.parametrize(("system", "size"), [(System.WINDOWS, 64), (System.MACOS, 61), (System.LINUX, 80)])
@pytest.mark.skipif(ctypes.sizeof(ctypes.c_long) != 8, reason="sizes of 64-bit Linux")
def test_the_structure_has_the_size_that_each_system_expects(system, size):
    assert ctypes.sizeof(state_type(LAYOUTS[system])) == size


def test_readers_and_their_cards_are_seen_whatever_the_names(desk):
    library, readers, _ = desk
    library.plug(READER)
    library.plug(OTHER, ATHENA)
    assert readers.snapshot() == (ReaderState(READER, None), ReaderState(OTHER, ATHENA, 1))
    assert readers.service() is Service.RUNNING
    assert library.contexts == 0


def test_no_reader_is_an_empty_list_and_no_error(desk):
    _, readers, _ = desk
    assert readers.snapshot() == ()


def test_a_card_that_does_not_answer_is_there_without_atr(desk):
    library, readers, _ = desk
    library.plug(READER, b"")
    assert readers.snapshot() == (ReaderState(READER, b"", 1),)


@pytest.mark.parametrize(
    ("code", "service"),
    [(NO_SERVICE, Service.STOPPED), (SERVICE_STOPPED, Service.STOPPED), (NO_ACCESS, Service.REFUSED)],
)
def test_a_service_that_does_not_run_is_a_named_state(desk, code, service):
    library, readers, _ = desk
    library.refusal = code
    assert readers.service() is service
    assert readers.snapshot() == ()
    assert readers.wait(3.0) is False


def test_a_computer_without_the_library_is_a_named_state():
    clock = FakeClock()
    readers = PcscReaders(None, System.LINUX, sleep=clock.sleep, clock=clock)
    assert readers.service() is Service.MISSING
    assert readers.snapshot() == ()
    assert readers.wait(2.0) is False
    assert clock.now >= 2.0


@pytest.mark.parametrize("announces", [True, False])
def test_a_card_that_goes_in_and_out_is_seen_in_time(desk, announces):
    library, readers, clock = desk
    library.announces = announces
    library.plug(READER)
    readers.snapshot()
    clock.at(3.3, lambda: library.insert(READER, ATHENA))
    assert readers.wait(10.0)
    assert clock.now == pytest.approx(3.3, abs=0.01)
    clock.at(5.1, lambda: library.eject(READER))
    assert readers.wait(10.0)
    assert clock.now == pytest.approx(5.1, abs=0.01)


@pytest.mark.parametrize("announces", [True, False])
def test_a_reader_that_is_plugged_in_or_pulled_out_is_seen_in_time(desk, announces):
    library, readers, clock = desk
    library.announces = announces
    readers.snapshot()
    clock.at(2.5, lambda: library.plug(READER))
    assert readers.wait(10.0)
    assert clock.now - 2.5 < WITHIN
    clock.at(7.5, lambda: library.unplug(READER))
    assert readers.wait(10.0)
    assert clock.now - 7.5 < WITHIN


def test_nothing_happening_is_said_at_the_time_limit_without_a_busy_loop(desk):
    library, readers, clock = desk
    library.plug(READER, ATHENA)
    readers.snapshot()
    assert readers.wait(5.0) is False
    assert clock.now == pytest.approx(5.0, abs=0.3)
    assert len(library.calls) <= 2 * 7


def test_what_happened_between_two_waits_is_not_missed(desk):
    library, readers, _ = desk
    library.plug(READER)
    readers.snapshot()
    library.insert(READER, ATHENA)
    assert readers.wait(5.0)
    assert readers.wait(0.0) is False


def test_a_twin_put_in_quickly_is_another_card(desk):
    """Same reader, same ATR: only the count of insertions tells, to whoever waits and to whoever only looks."""
    library, readers, _ = desk
    library.plug(READER, IDEMIA)
    before = readers.snapshot()
    library.eject(READER)
    library.insert(READER, IDEMIA)
    assert readers.wait(1.0)
    assert readers.snapshot() != before
    assert [each.atr for each in readers.snapshot()] == [IDEMIA]


@pytest.mark.parametrize("code", [INVALID_HANDLE, SERVICE_STOPPED])
def test_handles_lost_in_a_suspended_computer_are_not_noticed(desk, code):
    library, readers, clock = desk
    library.plug(READER, ATHENA)
    before = readers.snapshot()
    library.broken = code
    assert readers.wait(1.0) is False
    library.broken = code
    assert readers.snapshot() == before
    assert clock.now < WITHIN


def test_a_service_that_stops_with_the_last_reader_is_seen_and_comes_back(desk):
    library, readers, clock = desk
    library.plug(READER, ATHENA)
    readers.snapshot()
    clock.at(1.5, lambda: setattr(library, "refusal", SERVICE_STOPPED))
    assert readers.wait(10.0)
    assert readers.snapshot() == ()
    clock.at(6.5, lambda: setattr(library, "refusal", None))
    assert readers.wait(10.0)
    assert clock.now - 6.5 < WITHIN
    assert readers.snapshot() == (ReaderState(READER, ATHENA, 1),)


@pytest.mark.skipif(this_system() is not System.LINUX, reason="Linux's library")
def test_the_real_library_answers_or_is_named_missing():
    readers = PcscReaders.of_this_computer()
    expected = {Service.MISSING} if open_library(System.LINUX) is None else set(Service) - {Service.MISSING}
    assert readers.service() in expected
    assert isinstance(readers.snapshot(), tuple)
