"""A certification request is read once, and only with proof that the requester owns the key."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from pki import der as encoding
from pki.csr import LARGEST_REQUEST, read_request
from pki.errors import BadSignature, MalformedInput, PkiError
from pki.keys import spki_sha256
from tests.pki.demo_ca import sign, spki

NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "any subject, never used")])


def request_of(key, hash_algorithm=hashes.SHA256(), **options):  # noqa: B008 (stateless)
    builder = x509.CertificateSigningRequestBuilder().subject_name(NAME)
    return builder.sign(key, hash_algorithm, **options).public_bytes(Encoding.DER)


def test_good_request_yields_key_and_digest(holder_key):
    der = request_of(holder_key)
    request = read_request(der)
    assert request.der == der
    assert request.spki_der == spki(holder_key)
    assert request.spki_sha256 == spki_sha256(spki(holder_key))
    assert request.public_key == holder_key.public_key()


@pytest.mark.parametrize("hash_algorithm", [hashes.SHA384(), hashes.SHA512()], ids=lambda choice: choice.name)
def test_stronger_hashes_are_accepted(holder_key, hash_algorithm):
    assert read_request(request_of(holder_key, hash_algorithm)).spki_der == spki(holder_key)


def test_request_signed_by_another_key_is_refused(rsa_key, ca):
    der = request_of(rsa_key)
    info = x509.load_der_x509_csr(der).tbs_certrequest_bytes
    algorithm = encoding.sequence(encoding.oid("1.2.840.113549.1.1.11"), b"\x05\x00")
    foreign = encoding.tlv(encoding.BIT_STRING, b"\x00" + sign(ca.key, info))
    refuse_signature(encoding.sequence(info, algorithm, foreign))


def refuse_signature(der):
    with pytest.raises(BadSignature) as refusal:
        read_request(der)
    assert refusal.value.code == "csr-signature-invalid"


@pytest.mark.parametrize("hash_algorithm", [hashes.SHA224(), hashes.SHA3_256()], ids=lambda choice: choice.name)
def test_other_hashes_are_refused(holder_key, hash_algorithm):
    refuse_signature(request_of(holder_key, hash_algorithm))


def test_sha1_is_refused(rsa_key):
    info = x509.load_der_x509_csr(request_of(rsa_key)).tbs_certrequest_bytes
    algorithm = encoding.sequence(encoding.oid("1.2.840.113549.1.1.5"), b"\x05\x00")
    value = rsa_key.sign(info, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303
    refuse_signature(encoding.sequence(info, algorithm, encoding.tlv(encoding.BIT_STRING, b"\x00" + value)))


def test_other_signature_schemes_are_refused(rsa_key):
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    refuse_signature(request_of(rsa_key, rsa_padding=scheme))
    refuse_signature(request_of(ed25519.Ed25519PrivateKey.generate(), None))


def test_algorithm_that_does_not_fit_the_key_is_refused(ec_key, rsa_key):
    info = x509.load_der_x509_csr(request_of(ec_key)).tbs_certrequest_bytes
    algorithm = encoding.sequence(encoding.oid("1.2.840.113549.1.1.11"), b"\x05\x00")
    value = encoding.tlv(encoding.BIT_STRING, b"\x00" + sign(rsa_key, info))
    refuse_signature(encoding.sequence(info, algorithm, value))


def refuse_form(der):
    with pytest.raises(MalformedInput) as refusal:
        read_request(der)
    assert refusal.value.code == "csr-invalid"


def test_oversized_request_is_not_even_parsed():
    refuse_form(b"\x30" * (LARGEST_REQUEST + 1))


def test_bytes_after_the_request_are_refused(holder_key):
    refuse_form(request_of(holder_key) + b"\x00")


def test_pem_is_not_der(holder_key):
    refuse_form(x509.load_der_x509_csr(request_of(holder_key)).public_bytes(Encoding.PEM))


@given(st.binary(max_size=600))
@settings(max_examples=300, deadline=None)
def test_whatever_the_bytes_only_our_refusal_escapes(junk):
    with pytest.raises(PkiError):
        read_request(junk)


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_no_changed_byte_of_what_was_signed_passes(data):
    der = data.draw(st.sampled_from(_some_requests()))
    signed = x509.load_der_x509_csr(der).tbs_certrequest_bytes
    at, change = data.draw(st.integers(0, len(signed) - 1)) + der.index(signed), data.draw(st.integers(1, 255))
    with pytest.raises(PkiError):
        read_request(der[:at] + bytes((der[at] ^ change,)) + der[at + 1 :])


_MADE: list[bytes] = []


def _some_requests():
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if not _MADE:
        keys = (rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1()))
        _MADE.extend(request_of(key) for key in keys)
    return _MADE
