"""What a register asks of the certification authorities that the contracts try, and what they should say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from pki.gateway import (
    CertificateRef,
    CertificateStatus,
    IssueRequest,
    Profile,
    StatusKind,
    Subject,
    Validity,
)
from pki.smime_profiles import term
from tests.pki.mail import MAIL_PROFILES, subject_of

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
LATEST = AT + timedelta(days=120)
LIFE = Validity(AT, datetime(2029, 4, 30, 21, 59, 59, tzinfo=UTC))
SUBJECTS = {
    Profile.QUALIFIED_SIGNATURE: Subject(
        common_name="Mario Rossi",
        given_name="Mario",
        surname="Rossi",
        serial_number="TINIT-RSSMRA80A01H501U",
        dn_qualifier="2026000123",
    ),
    Profile.CNS_AUTHENTICATION: Subject(
        common_name="RSSMRA80A01H501U/7430001234567890.4hG+x1b/Zq0dJf8lq2W3c7T5u9A=",
        serial_number="TINIT-RSSMRA80A01H501U",
        organizational_unit="Ente emettitore di prova",
    ),
}
SUBJECTS |= {profile: subject_of(profile) for profile in MAIL_PROFILES}
MAIL, STRICT_MAIL = Profile.SMIME_SPONSOR_MULTIPURPOSE, Profile.SMIME_MAILBOX_STRICT
HELD = CertificateStatus(StatusKind.HELD, "certificateHold", LATER)
GOOD = CertificateStatus(StatusKind.GOOD)
FOREIGN_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a name of the requester's own choice")])


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key on P-256: quick to make."""
    return ec.generate_private_key(ec.SECP256R1())


def spki_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Its public half."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def csr_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A request for it, under a name that no CA may take over."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(FOREIGN_NAME)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def wish(profile: Profile = Profile.QUALIFIED_SIGNATURE, *, key=None, request_id: UUID | None = None) -> IssueRequest:
    """A request that every CA must grant."""
    return IssueRequest(request_id or uuid4(), csr_of(key or new_key()), profile, SUBJECTS[profile], life_of(profile))


def life_of(profile: Profile) -> Validity:
    """A life that the profile allows: certificates for mail live two years at most."""
    return term(AT, 730) if profile in MAIL_PROFILES else LIFE


class Certified:
    """One certificate to try things with."""

    @pytest.fixture
    def issued(self, gateway):
        return gateway.issue(wish(), at=AT)

    @pytest.fixture
    def ref(self, issued) -> CertificateRef:
        return issued.ref
