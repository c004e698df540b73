"""Sealed secrets open only where they were sealed for, under a key of the ring."""

from __future__ import annotations

import os

import pytest

from runtime.sealing import SealBroken, seal, unseal

SECRET = b"codice utente 12345678"


def test_what_was_sealed_opens_again_in_its_context():
    assert unseal(seal(SECRET, context="outbox:1"), context="outbox:1") == SECRET


def test_the_same_secret_never_looks_the_same_twice():
    assert seal(SECRET, context="outbox:1") != seal(SECRET, context="outbox:1")


def test_a_value_moved_to_another_row_does_not_open():
    with pytest.raises(SealBroken):
        unseal(seal(SECRET, context="outbox:1"), context="outbox:2")


@pytest.mark.parametrize("position", range(0, 60, 3))
def test_one_flipped_bit_anywhere_breaks_the_seal(position):
    sealed = bytearray(seal(SECRET, context="outbox:1"))
    sealed[position % len(sealed)] ^= 1

    with pytest.raises(SealBroken):
        unseal(bytes(sealed), context="outbox:1")


@pytest.mark.parametrize("cut", [0, 1, 5, 16, 17, 32])
def test_a_cut_off_value_is_refused_without_another_error(cut):
    with pytest.raises(SealBroken):
        unseal(seal(SECRET, context="outbox:1")[:cut], context="outbox:1")


def test_after_a_rotation_the_first_key_seals_and_the_old_one_still_opens(settings):
    old, new = os.urandom(32), os.urandom(32)
    settings.SEALING_KEYS = (old,)
    before = seal(SECRET, context="x")

    settings.SEALING_KEYS = (new, old)
    after = seal(SECRET, context="x")

    assert unseal(before, context="x") == SECRET
    settings.SEALING_KEYS = (new,)
    assert unseal(after, context="x") == SECRET
    with pytest.raises(SealBroken, match="ring"):
        unseal(before, context="x")


def test_a_refusal_tells_nothing_of_the_value():
    with pytest.raises(SealBroken) as refusal:
        unseal(seal(SECRET, context="a"), context="b")

    assert "12345678" not in repr(refusal.value)
    assert refusal.value.__cause__ is None
