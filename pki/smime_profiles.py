"""S/MIME certificate profiles (CA/B Forum S/MIME Baseline Requirements, SBR 7.1): what they add to a certificate."""

from __future__ import annotations

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from pki.errors import WeakKey
from pki.extensions import key_usage
from pki.gateway import Profile, Subject, Validity
from pki.keys import require_new_key
from pki.mailbox import require_ascii_mailbox

RESERVED_ARC = "2.23.140.1.5."  # SBR 7.1.6.1: type, then generation; of these a certificate has exactly one
POLICIES = {
    profile: x509.ObjectIdentifier(f"{RESERVED_ARC}{numbers}")
    for profile, numbers in {
        Profile.SMIME_MAILBOX_MULTIPURPOSE: "1.2",
        Profile.SMIME_MAILBOX_STRICT: "1.3",
        Profile.SMIME_ORGANISATION_MULTIPURPOSE: "2.2",
        Profile.SMIME_ORGANISATION_STRICT: "2.3",
        Profile.SMIME_SPONSOR_MULTIPURPOSE: "3.2",
        Profile.SMIME_SPONSOR_STRICT: "3.3",
        Profile.SMIME_INDIVIDUAL_MULTIPURPOSE: "4.2",
        Profile.SMIME_INDIVIDUAL_STRICT: "4.3",
    }.items()
}
# SBR 1.0.16: from 1 July 2027 no other purposes than this and clientAuth; ours have this alone since the first day.
PURPOSES = (ExtendedKeyUsageOID.EMAIL_PROTECTION,)
LONGEST_LIFE = timedelta(days=825)  # SBR 6.3.2 for multipurpose and strict; a day is 86 400 seconds
TERMS = (365, 730)
RSA_SIZES = (2048, 3072, 4096)


def term(not_before: datetime, days: int) -> Validity:
    """Give a certificate's life of so many days of 86 400 seconds, whole seconds, one of `TERMS`.

    Both ends of a validity count, so the last second is left out: with it, 730 days would be 731 (SBR 6.3.2).
    """
    if days not in TERMS:
        msg = f"a term of {days} days is not offered"
        raise ValueError(msg)
    begins = not_before.replace(microsecond=0)
    return Validity(begins, begins + timedelta(days=days, seconds=-1))


def dual_use(key: CertificatePublicKeyTypes) -> frozenset[str]:
    """Key usage bits of a key that signs mail and receives encrypted mail (SBR 7.1.2.3 e).

    Never nonRepudiation: with keys that we make, nobody could promise it.
    """
    transport = "key_encipherment" if isinstance(key, rsa.RSAPublicKey) else "key_agreement"
    return frozenset({"digital_signature", transport})


def require_mail_key(spki_der: bytes) -> None:
    """Refuse a public key that mail programs or the linter would refuse, beyond `pki.keys`. `WeakKey` with a code.

    RSA of 2048, 3072 or 4096 bits (what Gmail takes), P-256 and P-384: a P-521 key fails the linter at issuance.
    """
    require_new_key(spki_der)
    key = load_der_public_key(spki_der)
    if isinstance(key, rsa.RSAPublicKey) and key.key_size not in RSA_SIZES:
        raise WeakKey("an RSA key of a size that mail programs do not take", code="key-size")
    if isinstance(key, ec.EllipticCurvePublicKey) and not isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1):
        raise WeakKey("a curve that mail programs do not take", code="key-type")


def extended(
    builder: x509.CertificateBuilder, profile: Profile, subject: Subject, key: CertificatePublicKeyTypes
) -> x509.CertificateBuilder:
    """Add what makes an S/MIME certificate; `MalformedInput` for a mailbox that we do not certify.

    A certificate without a subject names its holder by the alternative name alone, which is critical then (RFC 5280
    §4.2.1.6).
    """
    mailbox = x509.RFC822Name(require_ascii_mailbox(subject.email))
    is_nameless = subject == Subject(common_name="", country="", email=subject.email)
    return (
        builder.add_extension(key_usage(*dual_use(key)), critical=True)
        .add_extension(x509.ExtendedKeyUsage(PURPOSES), critical=False)
        .add_extension(x509.CertificatePolicies([x509.PolicyInformation(POLICIES[profile], None)]), critical=False)
        .add_extension(x509.SubjectAlternativeName([mailbox]), critical=is_nameless)
    )
