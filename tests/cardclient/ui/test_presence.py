"""Whether the followed card is in: its reader may be emptied, or be unplugged with the card in it."""

from __future__ import annotations

from cardclient.ports import ReaderState
from cardclient.ui.presence import Presence
from tests.cardclient.ui.samples import VIEW

ATR = b"\x3b\x00"


def following(*states):
    presence = Presence()
    presence.see(tuple(states))
    presence.follow(VIEW)
    return presence


def test_a_reader_that_is_unplugged_takes_the_card_with_it():
    presence = following(ReaderState(VIEW.reader, ATR))
    assert presence.is_in
    presence.see(())
    assert not presence.is_in
    assert "rimossa" in presence.text
    presence.see((ReaderState(VIEW.reader, ATR),))
    assert presence.is_in


def test_where_no_reader_was_ever_seen_nothing_is_said_to_be_out():
    presence = following()  # a module named by its path, on a computer without the system's card service
    presence.see(())
    assert presence.is_in
