"""What a card holds, in the order a person reads it: each certificate with its keys, then keys without a certificate.

Certificate and keys belong together by their public key where the card tells it, else by CKA_ID (PKCS#11 v2.40 §4.6:
the id is equal for a pair and its certificate, by convention only, so a key that says otherwise is believed).
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cardclient import certificates
from cardclient.contract import Slot
from cardclient.errors import CardError
from cardclient.ports import CardCertificate, CardKey, CardView, KeyKind, ObjectKind

LAST_SECOND = timedelta(seconds=1)  # the second of notAfter still counts, as OpenSSL counts it


class Validity(enum.StrEnum):
    """Where an instant lies in a certificate's time."""

    VALID = "valid"
    EXPIRED = "expired"
    NOT_YET = "not-yet"


class Match(enum.StrEnum):
    """Whether a certificate and the private key of the same id belong together."""

    CERTAIN = "certain"  # the public keys are equal
    BY_ID = "by-id"  # same id, and the card does not tell the key's public half
    OTHER_KEY = "other-key"  # same id, another key: the certificate cannot be used
    NO_KEY = "no-key"


class Usage(enum.StrEnum):
    """What a certificate says its key is for (RFC 5280 §4.2.1.3 and §4.2.1.12), as far as cards of ours use it."""

    SIGNING = "digital-signature"
    NON_REPUDIATION = "non-repudiation"
    KEY_ENCIPHERMENT = "key-encipherment"
    DATA_ENCIPHERMENT = "data-encipherment"
    KEY_AGREEMENT = "key-agreement"
    CLIENT_LOGIN = "client-auth"
    MAIL = "email-protection"
    SMART_CARD_LOGON = "smart-card-logon"


_KEY_USAGES = {
    Usage.SIGNING: "digital_signature",
    Usage.NON_REPUDIATION: "content_commitment",
    Usage.KEY_ENCIPHERMENT: "key_encipherment",
    Usage.DATA_ENCIPHERMENT: "data_encipherment",
    Usage.KEY_AGREEMENT: "key_agreement",
}
_EXTENDED_USAGES = {
    Usage.CLIENT_LOGIN: ExtendedKeyUsageOID.CLIENT_AUTH,
    Usage.MAIL: ExtendedKeyUsageOID.EMAIL_PROTECTION,
    Usage.SMART_CARD_LOGON: ExtendedKeyUsageOID.SMARTCARD_LOGON,
}


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """A readable certificate. Names are the certificate's own (CN, else the whole name); for the holder's eyes only."""

    holder: str
    issuer: str
    serial: str  # hexadecimal, lower case
    fingerprint: str  # SHA-256, hexadecimal
    slot: Slot | None
    not_before: datetime
    not_after: datetime
    validity: Validity
    key: KeyKind | None
    usages: tuple[Usage, ...]


@dataclass(frozen=True, slots=True)
class ContentEntry:
    """One line of the card: a certificate with its keys, or keys alone. `facts` is None where the DER is unreadable."""

    id: bytes
    label: str
    has_certificate: bool
    facts: CertificateFacts | None
    private_keys: int
    public_keys: int
    match: Match | None  # None where there is no certificate
    key: KeyKind | None  # as the key itself tells, else as the certificate tells


def content_of(view: CardView, keys: Sequence[CardKey], *, now: datetime) -> tuple[ContentEntry, ...]:
    """Join what a card showed without PIN (`view`) with the keys it showed after one."""
    with_certificate = tuple(_entry(each, keys, now) for each in view.certificates)
    named = {entry.id for entry in with_certificate}
    lonely = {key.id: key for key in keys if key.id not in named}
    return (*with_certificate, *(_keys_alone(each, keys) for each in lonely.values()))


def facts_of(der: bytes, *, now: datetime) -> CertificateFacts:
    """Read one certificate; raises CardError("certificate-unreadable")."""
    certificate = certificates.load(der)
    ends = certificate.not_valid_after_utc
    validity = Validity.EXPIRED if now >= ends + LAST_SECOND else Validity.VALID
    return CertificateFacts(
        holder=_name(certificate.subject),
        issuer=_name(certificate.issuer),
        serial=f"{certificate.serial_number:x}",
        fingerprint=CardCertificate(b"", "", der).fingerprint,
        slot=certificates.slot_of(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=ends,
        validity=Validity.NOT_YET if now < certificate.not_valid_before_utc else validity,
        key=_kind(certificates.spki(certificate)),
        usages=_usages(certificate),
    )


def _entry(certificate: CardCertificate, keys: Sequence[CardKey], now: datetime) -> ContentEntry:
    facts, spki = None, None
    try:
        facts = facts_of(certificate.der, now=now)
        spki = certificates.spki(certificates.load(certificate.der))
    except CardError:
        pass  # shown as an unreadable object: the rest of the card is still worth seeing
    private, public = _of_id(certificate.id, keys)
    return ContentEntry(
        id=certificate.id,
        label=certificate.label,
        has_certificate=True,
        facts=facts,
        private_keys=len(private),
        public_keys=len(public),
        match=_match(spki, private, public),
        key=facts.key if facts else None,
    )


def _keys_alone(first: CardKey, keys: Sequence[CardKey]) -> ContentEntry:
    private, public = _of_id(first.id, keys)
    told = next((each.spki for each in (*public, *private) if each.spki), None)
    return ContentEntry(
        id=first.id,
        label=first.label,
        has_certificate=False,
        facts=None,
        private_keys=len(private),
        public_keys=len(public),
        match=None,
        key=_kind(told) if told else None,
    )


def _of_id(key_id: bytes, keys: Sequence[CardKey]) -> tuple[list[CardKey], list[CardKey]]:
    """Private and public keys that carry an id."""
    of_id = [each for each in keys if each.id == key_id]
    private = [each for each in of_id if each.kind is ObjectKind.PRIVATE_KEY]
    return private, [each for each in of_id if each.kind is ObjectKind.PUBLIC_KEY]


def _match(spki: bytes | None, private: Sequence[CardKey], public: Sequence[CardKey]) -> Match:
    if not private:
        return Match.NO_KEY
    told = {each.spki for each in (*private, *public) if each.spki}
    if not told or spki is None:
        return Match.BY_ID
    return Match.CERTAIN if spki in told else Match.OTHER_KEY


def _kind(spki: bytes) -> KeyKind | None:
    try:
        return certificates.key_kind(spki)
    except (CardError, ValueError):
        return None


def _name(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(common[0].value) if common else name.rfc4514_string()


def _usages(certificate: x509.Certificate) -> tuple[Usage, ...]:
    found: list[Usage] = []
    try:
        bits = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        found += [usage for usage, attribute in _KEY_USAGES.items() if getattr(bits, attribute)]
    except x509.ExtensionNotFound:
        pass
    try:
        extended = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        found += [usage for usage, oid in _EXTENDED_USAGES.items() if oid in extended]
    except x509.ExtensionNotFound:
        pass
    return tuple(found)
