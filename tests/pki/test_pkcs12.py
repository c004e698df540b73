"""Bundles open with their password, in OpenSSL too, and with no other."""

from __future__ import annotations

import re
import subprocess
from collections import Counter

import pytest
from asn1crypto import pkcs12 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from pki import pkcs12
from pki.errors import MalformedInput
from pki.gateway import Profile
from tests.pki.mail import MAILBOX

ROUNDS = 2000
FORMATS = list(pkcs12.BundleFormat)


def clear(key) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture(scope="module")
def password():
    return pkcs12.new_password()


@pytest.fixture
def made(ca, holder_key, password):
    """A bundle of each format, and what is in it."""
    certificate = ca.issue(Profile.SMIME_SPONSOR_MULTIPURPOSE, holder_key)
    return certificate, {
        each: pkcs12.bundle(
            clear(holder_key), certificate, [ca.certificate], password, format=each.value, iterations=ROUNDS
        )
        for each in FORMATS
    }


def openssl(path, password, *options):
    command = ["openssl", "pkcs12", "-in", str(path), "-passin", f"pass:{password}", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("form", FORMATS)
def test_openssl_opens_it_with_the_password_and_finds_key_certificate_and_chain(made, tmp_path, password, form):
    certificate, bundles = made
    path = tmp_path / "posta.p12"
    path.write_bytes(bundles[form])

    opened = openssl(path, password, "-nodes")

    assert opened.returncode == 0, opened.stderr
    blocks = re.findall(r"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", opened.stdout, re.DOTALL)
    kinds = Counter(block.splitlines()[0].strip("-") for block in blocks)
    assert kinds == {"BEGIN PRIVATE KEY": 1, "BEGIN CERTIFICATE": 2}
    leaf = next(block for block in blocks if "CERTIFICATE" in block)
    assert x509.load_pem_x509_certificate(leaf.encode()).public_bytes(Encoding.DER) == certificate
    assert MAILBOX in opened.stdout


@pytest.mark.parametrize("form", FORMATS)
def test_another_password_opens_nothing_and_says_so(made, tmp_path, password, form):
    path = tmp_path / "posta.p12"
    path.write_bytes(made[1][form])

    for wrong in ("", password.lower(), password[:-1], pkcs12.new_password()):
        refused = openssl(path, wrong, "-nodes")
        assert refused.returncode != 0
        assert "PRIVATE KEY" not in refused.stdout
        with pytest.raises(ValueError, match="password"):
            load_pkcs12(made[1][form], wrong.encode())


def test_the_modern_one_is_aes_under_hmac_sha256_and_the_other_what_old_programs_read(made, tmp_path, password):
    told = {}
    for form, der in made[1].items():
        path = tmp_path / form
        path.write_bytes(der)
        told[form] = openssl(path, password, "-info", "-noout").stderr

    assert "MAC: sha256" in told["modern"]
    assert told["modern"].count(f"PBES2, PBKDF2, AES-256-CBC, Iteration {ROUNDS}, PRF hmacWithSHA256") == 2
    assert "MAC: sha1" in told["compatible"]
    assert told["compatible"].count(f"pbeWithSHA1And3-KeyTripleDES-CBC, Iteration {ROUNDS}") == 2


def test_neither_key_nor_certificate_lies_open(made, holder_key):
    certificate, bundles = made
    for der in bundles.values():
        assert asn1.Pfx.load(der, strict=True)
        assert clear(holder_key)[40:72] not in der
        assert certificate[100:132] not in der


def test_a_password_has_125_random_bits_that_nobody_misreads():
    passwords = [pkcs12.new_password() for _ in range(200)]

    assert len(set(pkcs12.ALPHABET)) == 32
    assert not set(pkcs12.ALPHABET) & set("IO01l")
    assert all(re.fullmatch(r"([A-HJ-NP-Z2-9]{5}-){4}[A-HJ-NP-Z2-9]{5}", each) for each in passwords)
    assert len(set(passwords)) == 200
    assert set("".join(passwords)) == set(pkcs12.ALPHABET) | {"-"}


def test_a_key_of_another_certificate_is_refused(ca, rsa_key, ec_key, password):
    certificate = ca.issue(Profile.SMIME_MAILBOX_STRICT, rsa_key)
    with pytest.raises(MalformedInput) as refused:
        pkcs12.bundle(clear(ec_key), certificate, [], password, format="modern", iterations=ROUNDS)
    assert refused.value.code == "key-not-the-certificate's"


def test_an_unreadable_key_shows_nowhere_in_the_refusal(ca, rsa_key, password):
    certificate = ca.issue(Profile.SMIME_MAILBOX_STRICT, rsa_key)
    with pytest.raises(MalformedInput) as refused:
        pkcs12.bundle(b"secret bytes of a key", certificate, [], password, format="modern", iterations=ROUNDS)
    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(("form", "password"), [("weak", "ABCDE"), ("modern", ""), ("compatible", "pässwort")])
def test_no_other_format_and_no_bundle_without_a_plain_password(ca, rsa_key, form, password):
    certificate = ca.issue(Profile.SMIME_MAILBOX_STRICT, rsa_key)
    with pytest.raises(ValueError):
        pkcs12.bundle(clear(rsa_key), certificate, [], password, format=form, iterations=ROUNDS)
