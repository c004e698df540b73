"""Shapes of the enrollment API. Bodies are strict: what is not named here is refused."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from ninja import Schema
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

Slot = Literal["authentication", "signature"]


def _no_controls(text: str) -> str:
    """PostgreSQL cannot store NUL, and no field of a person or a report holds control characters."""
    if any(ord(char) < 32 or 0xD800 <= ord(char) <= 0xDFFF for char in text):
        message = "control characters are not allowed"
        raise ValueError(message)
    return text


def _is_base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        message = "not standard base64"
        raise ValueError(message) from error
    return text


_BASE64 = r"^[A-Za-z0-9+/]+={0,2}$"
Line10 = Annotated[str, StringConstraints(max_length=10), AfterValidator(_no_controls)]
Line40 = Annotated[str, StringConstraints(max_length=40), AfterValidator(_no_controls)]
Line80 = Annotated[str, StringConstraints(max_length=80), AfterValidator(_no_controls)]
Line120 = Annotated[str, StringConstraints(max_length=120), AfterValidator(_no_controls)]
Line500 = Annotated[str, StringConstraints(max_length=500), AfterValidator(_no_controls)]
EmailText = Annotated[str, StringConstraints(min_length=3, max_length=254), AfterValidator(_no_controls)]
MobileText = Annotated[str, StringConstraints(min_length=3, max_length=32), AfterValidator(_no_controls)]
# Lengths in base64 characters: 16 kB, 8 kB and 1 kB of bytes.
CertificateBytes = Annotated[
    str, StringConstraints(min_length=4, max_length=21_848, pattern=_BASE64), AfterValidator(_is_base64)
]
CsrBytes = Annotated[
    str, StringConstraints(min_length=4, max_length=10_924, pattern=_BASE64), AfterValidator(_is_base64)
]
SignatureBytes = Annotated[
    str, StringConstraints(min_length=4, max_length=1368, pattern=_BASE64), AfterValidator(_is_base64)
]
Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
CardSerial = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{1,32}$")]
Atr = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{2,128}$")]
LongToken = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Strict(Schema):
    """Base of request bodies."""

    model_config = ConfigDict(extra="forbid", strict=False)


class CardIn(Strict):
    """A card as the reader sees it, without any code."""

    serial: CardSerial
    atr: Atr | None = None


class ScanIn(Strict):
    """What is publicly readable on a card."""

    card: CardIn
    certificates: list[CertificateBytes] = Field(max_length=8)


class FamilyOut(Schema):
    """Card family."""

    code: str
    name: str
    reinsert_after: bool


Verdict = Literal["renewable", "already-renewed", "expired", "not-renewable"]


class ScannedCertificate(Schema):
    """Verdict on one certificate."""

    fingerprint: str
    type: Slot | None
    verdict: Verdict
    code: str | None
    message: str | None
    not_after: datetime | None


class Offer(Schema):
    """A pair that can be renewed now, and with which keys."""

    login_with: str
    sign_with: str | None
    flow: Literal["enroll", "extend"]
    service: str
    old_not_after: datetime
    steps: list[str]


class ScanOut(Schema):
    """Verdict on a card; names no person."""

    verdict: Verdict
    code: str | None
    message: str | None
    advice: str | None
    family: FamilyOut | None
    secrets: list[Literal["pin", "puk"]]
    certificates: list[ScannedCertificate]
    offers: list[Offer]
    purchase_url: str | None


class ChallengeIn(Strict):
    """Which certificate wants to log in."""

    card_serial: CardSerial
    certificate: Fingerprint


class ChallengeOut(Schema):
    """A text to be signed once."""

    id: UUID
    text: str
    expires_at: datetime


class SessionIn(Strict):
    """The answer to a login challenge."""

    challenge: UUID
    signature: SignatureBytes


class Address(Strict):
    """Postal address; nothing of it stands in a certificate."""

    street: Line120 = ""
    postcode: Line10 = ""
    town: Line80 = ""
    province: Line40 = ""


class HolderOut(Schema):
    """The holder's own data, to himself."""

    given_name: str
    surname: str
    tax_code: str
    email: str | None
    mobile: str | None
    address: Address


class CentreOut(Schema):
    """Whom to ask."""

    name: str
    email: str
    phone: str
    purchase_url: str


class KeyOut(Schema):
    """Which key the slot takes."""

    kind: Literal["rsa", "ec"]
    bits: int


class SlotOut(Schema):
    """One half of the pair."""

    type: Slot
    old_certificate: str
    key: KeyOut
    requested: bool
    issued: bool
    installed: bool


class ApprovalOut(Schema):
    """Whether and until when the centre must authorise."""

    mode: Literal["automatic", "authorisation"] | None
    authorise_by: datetime | None


class ResultOut(Schema):
    """How it ended."""

    concluded: bool
    message: str
    authorise_by: datetime | None
    new_not_after: datetime | None


class CaseView(Schema):
    """A case as its holder's client sees it; `next_step` is what to do now."""

    code: str
    state: str
    state_label: str
    authorisation: str
    flow: str
    next_step: str
    steps: list[str]
    old_not_after: datetime
    nonce: str
    host: str
    card_serial: str
    holder: HolderOut
    centre: CentreOut
    slots: list[SlotOut]
    approval: ApprovalOut
    result: ResultOut | None


class SessionOut(Schema):
    """A bearer token, told once, and the case it is bound to."""

    token: str
    expires_at: datetime
    case: CaseView


class DiagnosisIn(Strict):
    """What the client found; the verdict is the server's."""

    atr: Atr | None = None
    pin: Literal["ok", "locked"]
    puk: Literal["ok", "locked", "not-asked"]
    login_key_matches: bool
    sign_key_matches: bool | None = None
    certificates_readable: bool
    can_generate: bool
    driver: Line120 = ""


class ContactsIn(Strict):
    """What a holder may change at renewal."""

    email: EmailText
    mobile: MobileText
    address: Address = Field(default_factory=Address)


class ConfirmationIn(Strict):
    """The code mailed to the new mailbox."""

    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]


class TextOut(Schema):
    """A text to be accepted."""

    kind: str
    version: str
    sha256: str
    title: str
    text: str


class TextsOut(Schema):
    """Texts in force for the case's flow."""

    texts: list[TextOut]


class AcceptedText(Strict):
    """A text as the holder saw it."""

    kind: LongToken
    version: LongToken
    sha256: Fingerprint


class AcceptanceIn(Strict):
    """All texts at once."""

    texts: list[AcceptedText] = Field(min_length=1, max_length=8)


class FormOut(Schema):
    """What the card signs, and which PDF it belongs to."""

    document_sha256: str
    signed_attributes: str
    certificate: str


class FormSignatureIn(Strict):
    """The signature value over the signed attributes."""

    signature: SignatureBytes


class RequestIn(Strict):
    """A certificate request (PKCS #10, DER)."""

    type: Slot
    csr: CsrBytes


class RequestsIn(Strict):
    """One request per slot, and the old key's statement about the new keys."""

    requests: list[RequestIn] = Field(min_length=1, max_length=2)
    binding: SignatureBytes


class CertificateOut(Schema):
    """A certificate to be written to the card."""

    type: Slot
    certificate: str
    chain: list[str]


class CertificatesOut(Schema):
    """What has been issued so far; empty while the CA is still at it."""

    certificates: list[CertificateOut]


class ProofIn(Strict):
    """A new key's signature over the installation text."""

    type: Slot
    signature: SignatureBytes


class InstallationIn(Strict):
    """One proof per slot."""

    challenge: UUID
    proofs: list[ProofIn] = Field(min_length=1, max_length=2)


class FailureIn(Strict):
    """What went wrong at the card; never a code of the card, never a name."""

    step: LongToken
    code: LongToken
    detail: Line500 = ""


class FailureOut(Schema):
    """How support finds the report."""

    reference: str


class CancellationIn(Strict):
    """The holder stops the case."""

    reason: Literal["data-incorrect", "holder-declines"]
    confirm: Literal[True]


class Problem(Schema):
    """RFC 9457, plus a stable code, an action, and a guide's message where one exists."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    action: str
    message: str | None
