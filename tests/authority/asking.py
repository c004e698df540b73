"""What a register asks of a CA: requests, keys and names, made up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pki.gateway import IssueRequest, Profile, Subject, Validity
from pki.smime_profiles import term
from tests.pki.mail import MAIL_PROFILES, subject_of

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
THREE_YEARS = Validity(AT, datetime(2029, 4, 30, 21, 59, 59, tzinfo=UTC))
SIGNER = Subject(
    common_name="Mario Rossi",
    given_name="Mario",
    surname="Rossi",
    serial_number="TINIT-RSSMRA80A01H501U",
    dn_qualifier="2026000123",
)
CARD_HOLDER = Subject(
    common_name="RSSMRA80A01H501U/7430001234567890.4hG+x1b/Zq0dJf8lq2W3c7T5u9A=",
    organizational_unit="Ente emettitore di prova",
)
SUBJECTS = {
    Profile.QUALIFIED_SIGNATURE: SIGNER,
    Profile.CNS_AUTHENTICATION: CARD_HOLDER,
    **{profile: subject_of(profile) for profile in MAIL_PROFILES},
}
MAIL, STRICT_MAIL = Profile.SMIME_SPONSOR_MULTIPURPOSE, Profile.SMIME_MAILBOX_STRICT
ROLES = {Profile.CNS_AUTHENTICATION: "cns", Profile.QUALIFIED_SIGNATURE: "signature", MAIL: "smime"}
"""One profile of each issuing CA, all of which can be held."""
_keys: dict[str, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey] = {}


def key(kind: str = "rsa-2048"):
    """A key of this kind, the same one throughout the session."""
    if kind not in _keys:
        family, _, bits = kind.partition("-")
        _keys[kind] = (
            ec.generate_private_key(ec.SECP256R1())
            if family == "p"
            else rsa.generate_private_key(65537, int(bits.split("#")[0]))
        )
    return _keys[kind]


def csr(private_key=None, common_name: str = "whoever asks") -> bytes:
    """A signing request under a name that nobody should read."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    return builder.sign(private_key or key(), hashes.SHA256()).public_bytes(Encoding.DER)


def request(
    profile: Profile = Profile.CNS_AUTHENTICATION,
    *,
    request_id: UUID | None = None,
    private_key=None,
    subject: Subject | None = None,
    validity: Validity | None = None,
) -> IssueRequest:
    """A wish for a certificate."""
    validity = validity or (term(AT, 730) if profile in MAIL_PROFILES else THREE_YEARS)
    return IssueRequest(request_id or uuid4(), csr(private_key), profile, subject or SUBJECTS[profile], validity)


def later(**delta: float) -> datetime:
    """The tests' instant and something."""
    return AT + timedelta(**delta)
