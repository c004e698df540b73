"""Keys that others could own are refused, good ones never (SBR 6.1.1.3, 6.1.5, 6.1.6)."""

from __future__ import annotations

import base64
import contextlib
import json
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from pki import keys, weakness
from pki.blocklist import BlockList, debian_fingerprint
from pki.errors import WeakKey
from tests.pki.demo_ca import spki

VECTORS = json.loads((Path(__file__).parent / "data" / "weak_keys.json").read_text())
WEAK = [(vector["name"], vector["code"], base64.b64decode(vector["spki"])) for vector in VECTORS["weak"]]
SOUND = [(vector["name"], base64.b64decode(vector["spki"])) for vector in VECTORS["sound"]]
OLD_CARDS = [(vector["family"], base64.b64decode(vector["spki"])) for vector in VECTORS["old_cards"]]
ONLY_FOR_NEW_KEYS = {"exponent-3", "exponent-17", "exponent-65535", "exponent-2-256-plus-1"}
# A small modulus meets the size first; with the size allowed its weakness must still be found.
SMALL_AND_WEAK = [(name, code, key) for name, code, key in WEAK if name.startswith(("roca-1024", "close-primes-1024"))]

RFC_9500_RSA_2048 = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAsPnoGUOnrpiSqt4XynxA+HRP7S+BSObI6qJ7fQAVSPtRkqsotWxQYLEYzNEx5ZSH"
    "TGypibVsJylvCfuToDTfMul8b/CZjP2Ob0LdpYrNH6l5hvFE89FU1nZQF15oVLOpUgA7wGiHuEVawrGfey92UE68mOyUVXGweJIVDdxqdMoP"
    "vNNUl86BU02vlBiESxOuox+dWmuVV7vfYZ79Toh/LUK43YvJh+rhv4nKuF7iHjVjBd9sB6iDjj70HFldzOQ9r8SRI+9NirupPTkF5AKNe6kU"
    "hKJ1luB7S27ZkvB3tSTT3P593VVJvnzOjaA1z6Cz+4+eRvcysqhrRgFlwI9TEwIDAQAB"
)


def refusal_of(key: bytes, **limits) -> str:
    with pytest.raises(WeakKey) as refusal:
        keys.require_sound_key(key, **limits)
    return refusal.value.code


def test_there_are_more_than_forty_bad_keys():
    assert len(WEAK) > 60


@pytest.mark.parametrize(("name", "code", "key"), WEAK, ids=[name for name, _, _ in WEAK])
def test_bad_key_gets_no_certificate(name, code, key):
    with pytest.raises(WeakKey) as refusal:
        keys.require_new_key(key)
    assert refusal.value.code == ("key-size" if "-1024" in name else code)


@pytest.mark.parametrize(("name", "code", "key"), SMALL_AND_WEAK, ids=[name for name, _, _ in SMALL_AND_WEAK])
def test_weakness_of_an_old_small_key_is_found(name, code, key):
    assert refusal_of(key, smallest_rsa=1024) == code


@pytest.mark.parametrize(("name", "code", "key"), WEAK, ids=[name for name, _, _ in WEAK])
def test_bad_key_does_not_log_in_either(name, code, key):
    if name in ONLY_FOR_NEW_KEYS:
        keys.require_sound_key(key)
    elif not name.startswith("size-"):
        assert refusal_of(key, smallest_rsa=1024) == code


@pytest.mark.parametrize(("name", "key"), SOUND, ids=[name for name, _ in SOUND])
def test_good_key_passes(name, key):
    keys.require_new_key(key)
    keys.require_sound_key(key)


@pytest.mark.parametrize(("family", "key"), OLD_CARDS, ids=[family for family, _ in OLD_CARDS])
def test_old_card_family_still_logs_in_but_gets_no_new_certificate_for_its_key(family, key):
    keys.require_sound_key(key, smallest_rsa=1024)
    assert refusal_of(key) == "key-size"
    with pytest.raises(WeakKey):
        keys.require_new_key(key)


def test_fresh_keys_are_never_refused():
    for _ in range(12):
        keys.require_new_key(spki(rsa.generate_private_key(65537, 2048)))


def test_a_key_costs_less_than_five_milliseconds_of_cpu():
    _, key = SOUND[0]
    keys.require_new_key(key)
    started = time.process_time()
    for _ in range(20):
        keys.require_new_key(key)
    assert (time.process_time() - started) / 20 < 0.005


def test_products_of_random_odd_numbers_are_hardly_ever_taken_for_roca_keys():
    """The test tells a form, not luck: no modulus of a deterministic sequence of 20,000 has it."""
    modulus = int.from_bytes(b"\xa5" * 256, "big")
    assert not any(weakness.has_roca_form(modulus + 2 * step) for step in range(20_000))


@given(root=st.integers(weakness.SMALLEST_FACTOR, 1 << 300), exponent=st.integers(2, 12))
@settings(max_examples=150, deadline=None)
def test_every_power_is_recognised(root, exponent):
    assert weakness.is_perfect_power(root**exponent)


@given(root=st.integers(1 << 100, 1 << 300), exponent=st.integers(2, 7), step=st.sampled_from([-2, -1, 1, 2]))
@settings(max_examples=150, deadline=None)
def test_neighbours_of_powers_are_not_powers(root, exponent, step):
    assert not weakness.is_perfect_power(root**exponent + step)


@given(base=st.integers(1 << 200, 1 << 400), half_gap=st.integers(0, 1 << 60))
@settings(max_examples=100, deadline=None)
def test_close_factors_are_always_found(base, half_gap):
    assert weakness.has_close_primes((2 * base + 1) * (2 * base + 1 + 2 * half_gap))


@given(st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_whatever_the_bytes_only_our_refusal_escapes(junk):
    with pytest.raises(WeakKey):
        keys.require_new_key(junk)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_key_with_a_changed_byte_never_breaks_the_gate(data):
    _, key = data.draw(st.sampled_from(SOUND))
    at, value = data.draw(st.integers(0, len(key) - 1)), data.draw(st.integers(0, 255))
    changed = key[:at] + bytes((value,)) + key[at + 1 :]
    with contextlib.suppress(WeakKey):
        keys.require_sound_key(changed)


def test_listed_key_is_refused_in_both_spellings_of_the_list(tmp_path, rsa_key, ec_key):
    blocked = tmp_path / "blocked.txt"
    modulus = rsa_key.public_key().public_numbers().n
    blocked.write_text(
        f"# ours\n{keys.spki_sha256(spki(ec_key)).hex()}  # published\n\n{debian_fingerprint(modulus).hex()}\n"
    )
    blocklist = BlockList.read(blocked)
    for key in (rsa_key, ec_key):
        assert refusal_of(spki(key), blocklist=blocklist) == "key-blocklisted"
        with pytest.raises(WeakKey):
            keys.require_new_key(spki(key), blocklist=blocklist)
    _, other = SOUND[0]
    keys.require_new_key(other, blocklist=blocklist)


def test_key_that_everybody_can_read_in_an_rfc_is_refused():
    assert refusal_of(base64.b64decode(RFC_9500_RSA_2048)) == "key-blocklisted"


def test_block_list_with_a_broken_line_is_not_read_halfway(tmp_path):
    blocked = tmp_path / "blocked.txt"
    blocked.write_text("abcdef\n")
    with pytest.raises(ValueError, match="line 1"):
        BlockList.read(blocked)


def test_debian_fingerprint_is_that_of_the_published_lists():
    """`openssl rsa -modulus | sha1sum | cut -c 21-40`, worked out by hand for a modulus of 15."""
    import hashlib

    assert debian_fingerprint(15).hex() == hashlib.sha1(b"Modulus=F\n").hexdigest()[20:]  # noqa: S324
