"""Texts for the card are exact to the byte, and only the right key's signature over the right text counts."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from pki import challenge
from pki.errors import BadSignature, MalformedInput, PkiError
from tests.pki.demo_ca import sign, spki

NONCE = "0f" * 32
PARTS = {"host": "rinnovo.example.org:8443", "nonce": NONCE, "card": "7430001234567890"}
EXPIRES = datetime(2026, 1, 31, 10, 0, tzinfo=UTC)
LOGIN = challenge.login_text(**PARTS, case=None, expires_at=EXPIRES)


def test_login_text_is_exact():
    assert (
        "Sigillo enrollment login v1\n"
        "host: rinnovo.example.org:8443\n"
        f"nonce: {NONCE}\n"
        "card: 7430001234567890\n"
        "case: -\n"
        "expires: 2026-01-31T10:00:00Z\n"
    ) == LOGIN


def test_login_text_names_the_case_and_tells_time_in_utc():
    rome = EXPIRES.astimezone(timezone(timedelta(hours=1)))
    text = challenge.login_text(**PARTS, case="R7K2-9QXM", expires_at=rome)
    assert text == LOGIN.replace("case: -", "case: R7K2-9QXM")


def test_keys_text_is_exact_and_in_the_order_of_the_slots():
    text = challenge.keys_text(**PARTS, case="R7K2-9QXM", keys={"signature": b"two", "authentication": b"one"})
    assert text == (
        "Sigillo enrollment keys v1\n"
        "host: rinnovo.example.org:8443\n"
        f"nonce: {NONCE}\n"
        "card: 7430001234567890\n"
        "case: R7K2-9QXM\n"
        f"authentication: {hashlib.sha256(b'one').hexdigest()}\n"
        f"signature: {hashlib.sha256(b'two').hexdigest()}\n"
    )


def test_installation_text_names_only_the_slots_that_exist():
    text = challenge.installation_text(**PARTS, case="R7K2-9QXM", certificates={"signature": b"der"})
    assert text.splitlines()[0] == "Sigillo enrollment installation v1"
    assert text.splitlines()[5:] == [f"signature: {hashlib.sha256(b'der').hexdigest()}"]


@pytest.mark.parametrize(
    "part",
    [
        {"host": "a\ncase: other"},
        {"host": ""},
        {"card": "1 2"},
        {"card": "é"},
        {"nonce": "0F" * 32},
        {"nonce": "00"},
        {"nonce": NONCE + "\n"},
        {"host": "h" * 256},
    ],
)
def test_no_part_can_smuggle_in_a_line(part):
    with pytest.raises(MalformedInput):
        challenge.login_text(**PARTS | part, case=None, expires_at=EXPIRES)


@pytest.mark.parametrize("keys", [{}, {"other": b""}, {"authentication": b"", "Signature": b""}])
def test_slots_are_a_closed_list(keys):
    with pytest.raises(MalformedInput):
        challenge.keys_text(**PARTS, case="R7K2-9QXM", keys=keys)


def test_nonces_are_thirty_two_random_bytes():
    made = {challenge.new_nonce() for _ in range(50)}
    assert len(made) == 50
    assert {len(bytes.fromhex(nonce)) for nonce in made} == {32}


def test_signature_of_the_key_is_accepted(holder_key):
    challenge.require_signature(spki(holder_key), LOGIN, sign(holder_key, LOGIN.encode()))


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name)
def test_larger_curves_sign_with_sha256_too(curve):
    key = ec.generate_private_key(curve)
    challenge.require_signature(spki(key), LOGIN, sign(key, LOGIN.encode()))


def test_old_card_with_a_small_rsa_key_signs_too():
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505 (old card families)
    challenge.require_signature(spki(key), LOGIN, sign(key, LOGIN.encode()))


def refuse(key, text, signature):
    with pytest.raises(BadSignature):
        challenge.require_signature(spki(key), text, signature)


def test_signature_over_another_text_or_by_another_key_is_refused(holder_key, ca):
    refuse(holder_key, LOGIN.replace("login", "keys"), sign(holder_key, LOGIN.encode()))
    refuse(holder_key, LOGIN, sign(ca.key, LOGIN.encode()))


def test_no_other_scheme_is_accepted(rsa_key, ec_key):
    data = LOGIN.encode()
    refuse(rsa_key, LOGIN, rsa_key.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()))
    refuse(rsa_key, LOGIN, rsa_key.sign(data, padding.PKCS1v15(), hashes.SHA1()))  # noqa: S303
    refuse(rsa_key, LOGIN, rsa_key.sign(data, padding.PKCS1v15(), hashes.SHA512()))
    refuse(ec_key, LOGIN, ec_key.sign(data, ec.ECDSA(hashes.SHA384())))


def test_other_kinds_of_keys_are_refused():
    key = ed25519.Ed25519PrivateKey.generate()
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(BadSignature):
        challenge.require_signature(der, LOGIN, key.sign(LOGIN.encode()))


def test_text_that_is_not_ascii_is_refused(rsa_key):
    with pytest.raises(PkiError):
        challenge.require_signature(spki(rsa_key), "è", b"")


@given(signature=st.binary(max_size=1100), key=st.binary(max_size=200))
def test_whatever_the_bytes_only_our_refusal_escapes(signature, key):
    with pytest.raises(PkiError):
        challenge.require_signature(key, LOGIN, signature)


_KEYS = [ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)]


@given(signature=st.binary(max_size=1100), key=st.sampled_from(_KEYS))
def test_no_made_up_signature_passes(signature, key):
    refuse(key, LOGIN, signature)
