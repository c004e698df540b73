"""What was linted is what is signed; CRLs are joined from stored entries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509 import ocsp
from hypothesis import given, settings
from hypothesis import strategies as st

from pki import der
from pki.assembly import HOLD, assemble, crl_entry, passing_key, unsigned_crl
from pki.gateway import Profile, RevocationReason
from pki.profiles import build_leaf
from tests.pki.demo_ca import CRL_URL, SIGNER, THREE_YEARS, algorithm_of, make_ca, sign, spki

PUBLISHED = datetime(2026, 2, 2, 8, 0, tzinfo=UTC)
HELD_SINCE = datetime(2026, 2, 1, 7, 59, 58, tzinfo=UTC)


@pytest.fixture(params=["rsa", "ec"])
def issuer(request, ca, ec_ca):
    return {"rsa": ca, "ec": ec_ca}[request.param]


def leaf_builder(issuer, key):
    return build_leaf(Profile.QUALIFIED_SIGNATURE, SIGNER, spki(key), THREE_YEARS, 4711, issuer.facts, CRL_URL)


def crl(issuer, entries=(), *, shard_url=None, number=7, since=None, next_update=PUBLISHED + timedelta(days=1)):
    unsigned = unsigned_crl(
        issuer.facts.name.public_bytes(),
        issuer.facts.key_id,
        PUBLISHED,
        next_update,
        number,
        entries,
        shard_url=shard_url,
        expired_certs_since=since,
        algorithm=algorithm_of(issuer.key),
    )
    return unsigned, x509.load_der_x509_crl(issuer.signed(unsigned))


def test_signed_bytes_are_the_linted_bytes(issuer, ec_key):
    unsigned = issuer.unsigned(leaf_builder(issuer, ec_key))
    linted = x509.load_der_x509_certificate(unsigned.linted_der)

    signed = x509.load_der_x509_certificate(issuer.signed(unsigned))

    assert signed.tbs_certificate_bytes == linted.tbs_certificate_bytes == unsigned.tbs
    signed.verify_directly_issued_by(x509.load_der_x509_certificate(issuer.certificate))


def test_dummy_signature_does_not_verify(issuer, ec_key):
    unsigned = issuer.unsigned(leaf_builder(issuer, ec_key))
    with pytest.raises(Exception):  # noqa: B017 (the library raises what it likes)
        x509.load_der_x509_certificate(unsigned.linted_der).verify_directly_issued_by(
            x509.load_der_x509_certificate(issuer.certificate)
        )


def test_our_algorithm_identifiers_are_those_of_the_library(issuer, ec_key):
    unsigned = issuer.unsigned(leaf_builder(issuer, ec_key))
    assert unsigned.linted_der.count(unsigned.algorithm.identifier) == 2
    assert len(unsigned.linted_der) == len(assemble(unsigned, unsigned.linted_der[-len_of_signature(unsigned) :]))


def len_of_signature(unsigned):
    return len(x509.load_der_x509_certificate(unsigned.linted_der).signature)


def test_passing_key_signs_an_ocsp_answer(issuer, ec_key):
    certificate = x509.load_der_x509_certificate(issuer.issue(Profile.QUALIFIED_SIGNATURE, ec_key))
    authority = x509.load_der_x509_certificate(issuer.certificate)
    seen = []

    def signer(tbs):
        seen.append(tbs)
        return sign(issuer.key, tbs)

    answer = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            cert=certificate,
            issuer=authority,
            algorithm=hashes.SHA1(),  # noqa: S303 (RFC 6960 CertID)
            cert_status=ocsp.OCSPCertStatus.GOOD,
            this_update=PUBLISHED,
            next_update=None,
            revocation_time=None,
            revocation_reason=None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, authority)
        .sign(passing_key(authority.public_key(), signer), hashes.SHA256())
    )

    assert seen == [answer.tbs_response_bytes]


def test_passing_key_refuses_everything_but_signing(rsa_key, ec_key):
    for public_key in (rsa_key.public_key(), ec_key.public_key()):
        key = passing_key(public_key, lambda tbs: tbs)
        assert key.public_key() == public_key
        assert key.key_size == public_key.key_size
        with pytest.raises(NotImplementedError):
            key.private_numbers()


def test_entry_says_serial_instant_and_reason(issuer):
    reasons = [HOLD, *RevocationReason]
    entries = [crl_entry(1 << 100 | number, HELD_SINCE, reason) for number, reason in enumerate(reasons)]

    _, read = crl(issuer, entries)

    assert [entry.serial_number for entry in read] == [1 << 100 | number for number in range(len(reasons))]
    assert {entry.revocation_date_utc for entry in read} == {HELD_SINCE}
    said = [entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value for entry in read]
    assert said == [str(reason) for reason in reasons]


@pytest.mark.parametrize("reason", ["unspecified", "removeFromCRL", "", "no-such-reason"])
def test_entry_never_carries_another_reason(reason):
    with pytest.raises(ValueError, match="reason"):
        crl_entry(1, HELD_SINCE, reason)


def test_crl_verifies_and_carries_number_and_key_id(issuer):
    _, read = crl(issuer, [crl_entry(5, HELD_SINCE, HOLD)], number=1 << 100)

    assert read.is_signature_valid(load_der_public_key(spki(issuer.key)))
    assert read.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 1 << 100
    assert (
        read.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier == issuer.facts.key_id
    )
    assert (read.last_update_utc, read.next_update_utc) == (PUBLISHED, PUBLISHED + timedelta(days=1))


def test_shard_is_bound_to_its_address_critically(issuer):
    _, read = crl(issuer, shard_url=CRL_URL)
    point = read.extensions.get_extension_for_class(x509.IssuingDistributionPoint)
    assert point.critical
    assert [name.value for name in point.value.full_name] == [CRL_URL]


def test_complete_crl_has_no_distribution_point_and_an_empty_one_no_list(issuer):
    unsigned, read = crl(issuer)
    with pytest.raises(x509.ExtensionNotFound):
        read.extensions.get_extension_for_class(x509.IssuingDistributionPoint)
    assert list(read) == []
    assert der.sequence() not in unsigned.tbs


def test_expired_certificates_stay_listed_since_the_given_instant(issuer):
    _, read = crl(issuer, since=datetime(2020, 1, 1, tzinfo=UTC))
    value = read.extensions.get_extension_for_oid(x509.ObjectIdentifier("2.5.29.60")).value.value
    assert value == b"\x18\x0f20200101000000Z"


def test_last_crl_never_expires(issuer):
    end = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    _, read = crl(issuer, next_update=end)
    assert read.next_update_utc == end


@pytest.mark.parametrize("number", [-1, 1 << 159])
def test_crl_number_has_at_most_twenty_octets(issuer, number):
    with pytest.raises(ValueError, match="20 octets"):
        crl(issuer, number=number)


@given(serial=st.integers(1, (1 << 159) - 1), seconds=st.integers(0, 4_000_000_000))
@settings(max_examples=60, deadline=None)
def test_any_serial_and_any_instant_come_back(serial, seconds):
    instant = datetime(1990, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    issuer = _small_ca()
    _, read = crl(issuer, [crl_entry(serial, instant, HOLD)])
    assert [(entry.serial_number, entry.revocation_date_utc) for entry in read] == [(serial, instant)]


_CACHE = []


def _small_ca():
    from cryptography.hazmat.primitives.asymmetric import ec

    if not _CACHE:
        _CACHE.append(make_ca(ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())))
    return _CACHE[0]


@given(st.lists(st.integers(0, 1 << 80), min_size=1, max_size=6), st.integers(0, 39), st.integers(0, 2))
@settings(max_examples=80)
def test_object_identifiers_are_those_of_the_library(rest, second, first):
    dotted = ".".join(str(arc) for arc in (first, second, *[arc & ((1 << 27) - 1) for arc in rest]))
    try:
        known = x509.ObjectIdentifier(dotted)
    except ValueError:
        return
    usage = x509.ExtendedKeyUsage([known]).public_bytes()
    assert usage == der.sequence(der.oid(dotted))


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65535, 65536])
def test_lengths_are_in_their_shortest_form(size):
    from asn1crypto.core import OctetString

    assert der.tlv(der.OCTET_STRING, b"x" * size) == OctetString(b"x" * size).dump()
