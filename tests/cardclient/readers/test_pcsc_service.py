"""The real PC/SC service with a virtual reader: a card is seen in time, and a service that dies is a named state."""

from __future__ import annotations

import threading
import time

import pytest

from cardclient.errors import DriverNeeded
from cardclient.readers.cards import ReaderCards
from cardclient.readers.pcsc import PcscReaders, Service
from tests.cardclient.readers import virtual_reader
from tests.cardclient.readers.fake_modules import IDEMIA
from tests.cardclient.readers.virtual_reader import VirtualCard

LACK = virtual_reader.missing()
pytestmark = pytest.mark.skipif(LACK is not None, reason=f"package missing: {LACK}")


def later(action):
    """Do something soon, and tell when it was done."""
    done = []

    def act():
        done.append(time.monotonic())
        action()

    threading.Timer(0.7, act).start()
    return done


def test_cards_are_seen_in_time_and_a_service_that_dies_is_told(tmp_path):
    with virtual_reader.service(tmp_path) as process:
        readers, cards = PcscReaders.of_this_computer(), []
        assert readers.service() is Service.RUNNING
        assert {each.atr for each in readers.snapshot()} == {None}

        put_in = later(lambda: cards.append(VirtualCard(IDEMIA)))
        assert readers.wait(10)
        assert time.monotonic() - put_in[0] < 2
        assert ("Virtual PCD 00 00", IDEMIA) in {(each.name, each.atr) for each in readers.snapshot()}
        with pytest.raises(DriverNeeded):
            ReaderCards(PcscReaders.of_this_computer(), find_modules=tuple).scan()

        pulled = later(cards[0].out)
        assert readers.wait(10)
        assert time.monotonic() - pulled[0] < 2
        assert {each.atr for each in readers.snapshot()} == {None}

        died = later(process.kill)
        assert readers.wait(10)
        assert time.monotonic() - died[0] < 2
        assert readers.snapshot() == ()
        assert readers.service() is Service.STOPPED


def test_a_twin_put_in_between_two_looks_is_another_card(tmp_path):
    """The service counts what came and went: same reader, same ATR, and yet not the same."""
    with virtual_reader.service(tmp_path):
        readers, watch = PcscReaders.of_this_computer(), PcscReaders.of_this_computer()
        watch.snapshot()
        first = VirtualCard(IDEMIA)
        assert watch.wait(10)
        before = readers.snapshot()
        first.out()
        assert watch.wait(10)
        second = VirtualCard(IDEMIA)
        assert watch.wait(10)

        assert [(each.name, each.atr) for each in readers.snapshot()] == [(each.name, each.atr) for each in before]
        assert readers.snapshot() != before
        second.out()
