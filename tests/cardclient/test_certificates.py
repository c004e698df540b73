"""Which certificate may take an old one's place, and requests whose key never leaves the card."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from cardclient import certificates, csr
from cardclient.contract import Slot
from cardclient.errors import CardError, Distrusted
from cardclient.simulator import SimulatedCard
from tests.cardclient.fake_authority import NEW_END, OLD_END, TAX_CODE, FakeAuthority
from tests.cardclient.fake_office import spki

KEY = ec.generate_private_key(ec.SECP256R1())
SUBJECT = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "RSSMRA85T10A562S/1.x+/=")])


def require(new, card, authority, *, slot=Slot.SIGNATURE, key=KEY, chain=None):
    chain = (authority.der,) if chain is None else chain
    certificates.require_successor(new, chain, old=card.old[slot], slot=slot, public_key=spki(key.public_key()))


@pytest.mark.parametrize("slot", list(Slot))
def test_the_honest_successor_is_taken(card, authority, slot):
    require(authority.issue(slot, KEY.public_key()), card, authority, slot=slot)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"tax_code": "VRDLGI60A01H501X"}, "tax-code"),
        ({"surname": "ROSSINI"}, "surname"),
        ({"end": OLD_END}, "not-after"),
        ({"end": datetime(2026, 2, 1, tzinfo=UTC)}, "not-after"),
    ],
)
def test_a_certificate_of_another_person_or_time_is_refused(card, authority, change, why):
    with pytest.raises(Distrusted, match=why):
        require(authority.issue(Slot.SIGNATURE, KEY.public_key(), **change), card, authority)


def test_a_certificate_of_another_key_is_refused(card, authority):
    other = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(Distrusted, match="public-key"):
        require(authority.issue(Slot.SIGNATURE, other.public_key()), card, authority)


def test_a_certificate_of_the_other_slot_is_refused(card, authority):
    with pytest.raises(Distrusted, match="slot"):
        require(authority.issue(Slot.AUTHENTICATION, KEY.public_key()), card, authority)


def test_a_certificate_that_its_chain_did_not_sign_is_refused(card, authority):
    lookalike = FakeAuthority()
    with pytest.raises(Distrusted, match="issuer"):
        require(authority.issue(Slot.SIGNATURE, KEY.public_key()), card, authority, chain=(lookalike.der,))


@pytest.mark.parametrize("der", [b"", b"\x30\x00", b"not a certificate"])
def test_bytes_that_are_no_certificate_are_refused(card, authority, der):
    with pytest.raises(Distrusted, match="parse"):
        require(der, card, authority)


def test_a_refused_certificate_is_not_written(card, office, renew, authority):
    before = {each.der for each in SimulatedCard(card.path).view().certificates}
    honest = office.authority.issue
    office.authority = FakeAuthority()
    office.authority.issue = lambda slot, key: honest(slot, key, tax_code="VRDLGI60A01H501X")
    with pytest.raises(Distrusted, match="certificate-refused"):
        renew()
    assert {each.der for each in SimulatedCard(card.path).view().certificates} == before
    assert office.failures[-1]["code"] == "certificate-refused"


def test_slots_are_told_by_key_usage(card):
    assert {slot: certificates.slot_of(certificates.load(der)) for slot, der in card.old.items()} == {
        each: each for each in Slot
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ([(NameOID.COMMON_NAME, f"{TAX_CODE}/743.a/b+c=")], TAX_CODE),
        ([(NameOID.SERIAL_NUMBER, f"TINIT-{TAX_CODE}"), (NameOID.COMMON_NAME, "MARIO ROSSI")], TAX_CODE),
        ([(NameOID.COMMON_NAME, f"{TAX_CODE.lower()}/743")], TAX_CODE),
        ([(NameOID.COMMON_NAME, "MARIO ROSSI")], None),
    ],
)
def test_the_tax_code_is_read_from_the_attribute_and_not_from_a_printed_name(name, expected):
    subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in name])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(KEY.public_key())
    builder = builder.serial_number(1).not_valid_before(OLD_END).not_valid_after(NEW_END)
    assert certificates.tax_code(builder.sign(KEY, hashes.SHA256())) == expected


def sign_with(key):
    if isinstance(key, rsa.RSAPrivateKey):
        return lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    return lambda data: key.sign(data, ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize(
    "key",
    [KEY, ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)],
    ids=["p256", "p384", "rsa"],
)
def test_openssl_agrees_with_the_request(key, tmp_path):
    request = csr.build_request(spki(key.public_key()), SUBJECT, sign_with(key))
    (tmp_path / "request.der").write_bytes(request)
    command = ["openssl", "req", "-inform", "DER", "-in", str(tmp_path / "request.der"), "-verify", "-noout"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "verify OK" in told.stdout + told.stderr


def test_a_request_signed_by_another_key_is_noticed():
    other = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(CardError, match="signature-broken"):
        csr.build_request(spki(KEY.public_key()), SUBJECT, sign_with(other))


def test_the_cards_key_signs_and_does_nothing_else():
    key = csr.CardEcKey(KEY.public_key(), sign_with(KEY))
    for refused in (key.private_numbers, key.private_bytes, key.exchange):
        with pytest.raises(CardError):
            refused()
    with pytest.raises(CardError, match="algorithm-unsupported"):
        key.sign(b"data", ec.ECDSA(hashes.SHA1()))  # noqa: S303 - the very thing that is refused


def test_an_rsa_key_takes_no_other_padding():
    private = rsa.generate_private_key(65537, 2048)
    key = csr.CardRsaKey(private.public_key(), sign_with(private))
    with pytest.raises(CardError, match="algorithm-unsupported"):
        key.sign(b"data", padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())


def test_a_key_of_a_kind_no_card_makes_is_refused():
    from cryptography.hazmat.primitives.asymmetric import ed25519

    der = (
        ed25519.Ed25519PrivateKey.generate()
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    with pytest.raises(CardError, match="key-unsupported"):
        certificates.key_kind(der)
