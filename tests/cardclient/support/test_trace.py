"""The detailed log: which call, how long, how it ended; nothing that was given or returned."""

from __future__ import annotations

import pytest

from cardclient.errors import WrongPin
from cardclient.secret import Secret
from cardclient.support.log import Logbook
from cardclient.support.trace import traced
from tests.cardclient.conftest import NOW, PIN, SERIAL


@pytest.fixture
def book(tmp_path):
    made = Logbook(tmp_path / "logs", now=NOW, debug=True)
    yield made
    made.close()


def ticking(*instants):
    left = list(instants)
    return lambda: left.pop(0)


def test_each_call_is_logged_with_its_time_and_end(card, book):
    watched = traced(card, clock=ticking(1.0, 1.25, 2.0, 2.003))
    watched.choose(SERIAL)
    with pytest.raises(WrongPin):
        watched.login(Secret("00000"))
    assert [entry.text for entry in book.entries()] == ["choose: done, 250 ms", "login: pin-wrong, 3 ms"]


def test_a_scan_tells_what_was_found_and_nothing_personal(card, book):
    traced(card).scan()
    (found,) = [entry.text for entry in book.entries(contains="found")]
    assert "pin ok, puk ok, certificates 2" in found
    assert "ROSSI" not in book.text()


def test_no_code_and_no_key_reaches_the_log(card, book):
    watched = traced(card)
    watched.login(Secret(PIN))
    assert watched.keys() == card.keys()
    assert PIN not in book.text()
    assert book.text().count("ms\n") == 2


def test_a_traced_card_is_the_card_in_all_else(card):
    assert traced(card).path == card.path


def test_without_the_switch_nothing_is_written(card, book):
    book.set_debug(False)
    traced(card).scan()
    assert book.text() == ""
