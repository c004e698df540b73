"""A root and an issuing CA with invented names, made once per test session, that sign what the profiles build."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pki import profiles
from pki.assembly import SignatureAlgorithm, Unsigned, assemble, to_be_signed
from pki.gateway import Profile, Subject, Validity
from tests.pki.mail import MAIL_PROFILES, TWO_YEARS, subject_of

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
LIFE_OF_A_CA = Validity(datetime(2016, 1, 1, tzinfo=UTC), datetime(2046, 1, 1, tzinfo=UTC) - timedelta(seconds=1))
THREE_YEARS = Validity(datetime(2026, 1, 15, 9, 30, tzinfo=UTC), datetime(2029, 3, 1, 12, 0, tzinfo=UTC))
SIGNER = Subject(
    common_name="Mario Rossi",
    given_name="Mario",
    surname="Rossi",
    serial_number="TINIT-RSSMRA80A01H501U",
    dn_qualifier="2026000123",
)
CARD_HOLDER = Subject(
    common_name="RSSMRA80A01H501U/7430001234567890.4hG+x1b/Zq0dJf8lq2W3c7T5u9A=",
    given_name="Mario",
    surname="Rossi",
    serial_number="TINIT-RSSMRA80A01H501U",
    organizational_unit="Ente emettitore di prova",
)
SUBJECTS = {
    Profile.QUALIFIED_SIGNATURE: SIGNER,
    Profile.CNS_AUTHENTICATION: CARD_HOLDER,
    **{profile: subject_of(profile) for profile in MAIL_PROFILES},
}
CRL_URL = "http://pki.example.org/crl/firma/2026.crl"


def spki(key: PrivateKey) -> bytes:
    """SubjectPublicKeyInfo of a key, DER."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def sign(key: PrivateKey, data: bytes) -> bytes:
    """SHA-256 with PKCS #1 v1.5 or ECDSA, as cards do."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def algorithm_of(key: PrivateKey) -> SignatureAlgorithm:
    """Algorithm that a CA with this key signs with."""
    if isinstance(key, rsa.RSAPrivateKey):
        return SignatureAlgorithm.RSA_SHA256
    return SignatureAlgorithm.ECDSA_P256_SHA256


@dataclass(frozen=True)
class DemoCA:
    """An issuing CA under a root."""

    root: bytes
    certificate: bytes
    key: PrivateKey

    @property
    def facts(self) -> profiles.IssuerFacts:
        """What its certificates say of it."""
        return profiles.issuer_facts(
            self.certificate, ocsp_url="http://pki.example.org/ocsp/firma", ca_url="http://pki.example.org/ca/firma.crt"
        )

    def unsigned(self, builder: x509.CertificateBuilder) -> Unsigned:
        """To-be-signed bytes of a certificate of this CA."""
        return to_be_signed(builder, algorithm_of(self.key))

    def signed(self, unsigned: Unsigned) -> bytes:
        """The same, signed."""
        return assemble(unsigned, sign(self.key, unsigned.tbs))

    def issue(
        self,
        profile: Profile,
        key: PrivateKey,
        subject: Subject | None = None,
        validity: Validity | None = None,
        serial: int | None = None,
    ) -> bytes:
        """Issue a holder's certificate."""
        validity = validity or (TWO_YEARS if profile in MAIL_PROFILES else THREE_YEARS)
        subject = subject or SUBJECTS[profile]
        serial = serial or x509.random_serial_number()
        builder = profiles.build_leaf(profile, subject, spki(key), validity, serial, self.facts, CRL_URL)
        return self.signed(self.unsigned(builder))


def make_ca(root_key: PrivateKey, key: PrivateKey, name: str = "Sigillo Demo Firma Qualificata") -> DemoCA:
    """Make a root and an issuing CA under it."""
    organization = {"organization": "Sigillo Demo S.p.A.", "organization_identifier": "VATIT-00000000000"}
    root_name = profiles.authority_name("Sigillo Demo Root", **organization)
    builder = profiles.build_root(root_name, spki(root_key), LIFE_OF_A_CA, x509.random_serial_number())
    unsigned = to_be_signed(builder, algorithm_of(root_key))
    root = assemble(unsigned, sign(root_key, unsigned.tbs))
    facts = profiles.issuer_facts(root, ocsp_url="", ca_url="http://pki.example.org/ca/root.crt")
    builder = profiles.build_issuing_ca(
        profiles.authority_name(name, **organization),
        spki(key),
        LIFE_OF_A_CA,
        x509.random_serial_number(),
        facts,
        "http://pki.example.org/crl/root.crl",
    )
    unsigned = to_be_signed(builder, algorithm_of(root_key))
    return DemoCA(root, assemble(unsigned, sign(root_key, unsigned.tbs)), key)
