"""Certificates are read into plain facts, and only our issuers' signatures count."""

from __future__ import annotations

import dataclasses
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from pki.errors import BadSignature, MalformedInput, PkiError
from pki.gateway import Profile
from pki.x509 import LARGEST_CERTIFICATE, read_certificate, require_issued_by, subject_key_id
from tests.pki.demo_ca import CARD_HOLDER, SIGNER, THREE_YEARS, make_ca, spki


def test_facts_of_a_cns_certificate(ca, holder_key):
    der = ca.issue(Profile.CNS_AUTHENTICATION, holder_key, serial=4711)
    facts = read_certificate(der)
    assert facts.der == der
    assert facts.fingerprint == hashlib.sha256(der).digest()
    assert facts.serial == 4711
    assert facts.issuer_key_id == ca.facts.key_id
    assert facts.spki_der == spki(holder_key)
    assert facts.spki_sha256 == hashlib.sha256(spki(holder_key)).digest()
    assert (facts.not_before, facts.not_after) == (THREE_YEARS.not_before, THREE_YEARS.not_after)
    assert facts.subject_cn == CARD_HOLDER.common_name
    assert facts.subject_serial_number == SIGNER.serial_number
    assert (facts.is_authentication, facts.is_signature) == (True, False)
    assert (facts.key_kind, facts.key_bits) == (
        ("rsa", 2048) if isinstance(holder_key, rsa.RSAPrivateKey) else ("ec", 256)
    )


def test_facts_of_a_signature_certificate(ca, holder_key):
    facts = read_certificate(ca.issue(Profile.QUALIFIED_SIGNATURE, holder_key))
    assert (facts.is_authentication, facts.is_signature) == (False, True)
    assert facts.subject_cn == "Mario Rossi"


def bare(key, hash_algorithm=hashes.SHA256(), subject=()):  # noqa: B008 (stateless)
    """A certificate without extensions."""
    name = x509.Name([x509.NameAttribute(kind, value) for kind, value in subject])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(THREE_YEARS.not_before).not_valid_after(THREE_YEARS.not_after)
    return builder.sign(key, hash_algorithm).public_bytes(Encoding.DER)


def test_absent_attributes_and_extensions_are_empty(ec_key):
    facts = read_certificate(bare(ec_key))
    assert (facts.subject_cn, facts.subject_serial_number, facts.issuer_key_id) == ("", "", b"")
    assert (facts.is_authentication, facts.is_signature) == (False, False)


def test_first_of_several_common_names_counts(ec_key):
    names = [(NameOID.COMMON_NAME, "first"), (NameOID.COMMON_NAME, "second")]
    assert read_certificate(bare(ec_key, subject=names)).subject_cn == "first"


def test_certificate_with_another_kind_of_key_is_refused():
    refuse(bare(ed25519.Ed25519PrivateKey.generate(), None))


def refuse(der):
    with pytest.raises(MalformedInput) as refusal:
        read_certificate(der)
    assert refusal.value.code == "certificate-malformed"


def test_oversized_certificate_and_trailing_bytes_are_refused(ca, ec_key):
    refuse(b"\x30" * (LARGEST_CERTIFICATE + 1))
    refuse(ca.issue(Profile.CNS_AUTHENTICATION, ec_key) + b"\x00")


def test_facts_cannot_be_changed(ca, ec_key):
    facts = read_certificate(ca.issue(Profile.CNS_AUTHENTICATION, ec_key))
    with pytest.raises(dataclasses.FrozenInstanceError):
        facts.serial = 1


def test_certificate_of_our_issuer_is_accepted(ca, ec_ca, holder_key):
    for issuer in (ca, ec_ca):
        require_issued_by(issuer.issue(Profile.CNS_AUTHENTICATION, holder_key), [ca.certificate, ec_ca.certificate])


def refuse_issuer(der, issuers, code):
    with pytest.raises(BadSignature) as refusal:
        require_issued_by(der, issuers)
    assert refusal.value.code == code


def test_certificate_of_another_issuer_is_refused(ca, ec_ca, ec_key):
    refuse_issuer(ec_ca.issue(Profile.CNS_AUTHENTICATION, ec_key), [ca.certificate], "issuer-unknown")
    refuse_issuer(ec_ca.issue(Profile.CNS_AUTHENTICATION, ec_key), [], "issuer-unknown")


def test_certificate_without_key_identifier_is_refused(ca, ec_key):
    refuse_issuer(bare(ec_key), [ca.certificate], "issuer-unknown")


def test_issuer_that_only_borrows_the_key_identifier_is_refused(ca, ec_key):
    """The name and key identifier are ours, the signing key is not."""
    thief = dataclasses.replace(ca, key=rsa.generate_private_key(65537, 2048))
    refuse_issuer(thief.issue(Profile.CNS_AUTHENTICATION, ec_key), [ca.certificate], "certificate-signature-invalid")


def test_issuer_of_another_name_with_the_same_key_is_refused(ca, ec_key):
    other = make_ca(ec.generate_private_key(ec.SECP256R1()), ca.key, name="Sigillo Demo Altra CA")
    refuse_issuer(other.issue(Profile.CNS_AUTHENTICATION, ec_key), [ca.certificate], "issuer-unknown")


def test_changed_certificate_is_refused(ca, ec_key):
    der = ca.issue(Profile.CNS_AUTHENTICATION, ec_key)
    changed = der.replace(b"Mario", b"Maria")
    refuse_issuer(changed, [ca.certificate], "certificate-signature-invalid")


def test_key_identifier_of_an_issuer_is_read_and_must_be_there(ca, ec_key):
    assert subject_key_id(ca.certificate) == ca.facts.key_id
    for der in (bare(ec_key), b"", b"no certificate"):
        with pytest.raises(MalformedInput):
            subject_key_id(der)


@given(st.binary(max_size=600))
@settings(max_examples=300, deadline=None)
def test_whatever_the_bytes_only_our_refusal_escapes(junk):
    with pytest.raises(PkiError):
        read_certificate(junk)


_MADE = []


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_no_changed_byte_passes_for_issued_by_us(data):
    if not _MADE:
        small = make_ca(ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1()))
        _MADE.append((small, small.issue(Profile.QUALIFIED_SIGNATURE, small.key)))
    issuer, der = _MADE[0]
    at, change = data.draw(st.integers(0, len(der) - 1)), data.draw(st.integers(1, 255))
    with pytest.raises(PkiError):
        require_issued_by(der[:at] + bytes((der[at] ^ change,)) + der[at + 1 :], [issuer.certificate])
