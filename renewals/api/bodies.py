"""Bodies that the enrollment API takes. They are strict: what is not named here is refused."""

from __future__ import annotations

from typing import Literal

from ninja import Schema
from pydantic import ConfigDict, Field, StrictBool

from renewals.api.fields import (
    Atr,
    CardSerial,
    CertificateBytes,
    ChallengeId,
    ConfirmationCode,
    Confirmed,
    CsrBytes,
    Digest,
    EmailText,
    Fingerprint,
    Line10,
    Line40,
    Line80,
    Line120,
    Line300,
    Line500,
    MobileText,
    SignatureBytes,
    Slot,
    Word,
)


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
    certificates: list[CertificateBytes] = Field(max_length=8, description="Every certificate found on the card.")


class ChallengeIn(Strict):
    """Which certificate wants to log in."""

    card_serial: CardSerial
    certificate: Fingerprint = Field(description="`login_with` of the scan's offer.")


class SessionIn(Strict):
    """The answer to a login challenge."""

    challenge: ChallengeId = Field(description="`id` of the challenge.")
    signature: SignatureBytes = Field(description="Over the challenge's `text`, by the certificate's key.")


class DiagnosisIn(Strict):
    """What the client found; the verdict is the server's."""

    atr: Atr | None = None
    pin: Literal["ok", "locked"] = Field(description="Whether the card still takes a PIN.")
    puk: Literal["ok", "locked", "not-asked"] = Field(description="Whether the card still takes a PUK.")
    login_key_matches: StrictBool = Field(description="The authentication key signs what its certificate verifies.")
    sign_key_matches: StrictBool | None = Field(
        None, description="The same for the signature key; null if there is none."
    )
    certificates_readable: StrictBool = Field(description="All certificates could be read and parsed.")
    can_generate: StrictBool = Field(description="The card can make new keys of the kind asked for.")
    driver: Line120 = Field("", description="Module and version, for support.")


class AddressIn(Strict):
    """Postal address; nothing of it stands in a certificate."""

    street: Line120 = ""
    postcode: Line10 = ""
    town: Line80 = ""
    province: Line40 = ""


class ContactsIn(Strict):
    """What a holder may change at renewal."""

    email: EmailText = Field(description="Mailbox, ordinary or PEC; another one than before is confirmed by code.")
    mobile: MobileText = Field(description="Mobile number, E.164 or Italian national form.")
    address: AddressIn = Field(default_factory=AddressIn)


class ConfirmationIn(Strict):
    """The code mailed to the new mailbox."""

    code: ConfirmationCode = Field(description="Six digits; five tries, one hour.")


class AcceptedText(Strict):
    """A text as the holder saw it."""

    kind: Word
    version: Word
    sha256: Digest = Field(description="SHA-256 of the text's UTF-8 bytes as shown.")


class AcceptanceIn(Strict):
    """All texts at once."""

    texts: list[AcceptedText] = Field(min_length=1, max_length=8, description="Every text of `GET /case/texts`.")


class FormSignatureIn(Strict):
    """The signature value over the signed attributes."""

    signature: SignatureBytes = Field(description="Over the DER of `signed_attributes`, by the old signature key.")


class RequestIn(Strict):
    """A certificate request."""

    type: Slot
    csr: CsrBytes = Field(description="PKCS #10, DER in base64, at most 8 kB. Its subject is ignored.")


class RequestsIn(Strict):
    """One request per slot, and the old key's statement about the new keys."""

    requests: list[RequestIn] = Field(min_length=1, max_length=2, description="Every slot of the case, once.")
    binding: SignatureBytes = Field(description="By the old login key, over the keys text of exactly these requests.")


class ProofIn(Strict):
    """A new key's signature over the installation text."""

    type: Slot
    signature: SignatureBytes


class InstallationIn(Strict):
    """One proof per slot."""

    challenge: ChallengeId = Field(description="`id` of the installation challenge.")
    proofs: list[ProofIn] = Field(min_length=1, max_length=2, description="Every slot of the case, once.")


class FailureIn(Strict):
    """What went wrong at the card; never a code of the card, never a name."""

    step: Word = Field(description="The step at which it happened.")
    code: Word = Field(description="The client's own code of the fault.")
    detail: Line500 = Field("", description="One line for support.")


class CancellationIn(Strict):
    """The holder stops the case."""

    reason: Literal["data-incorrect", "holder-data-wrong", "holder-declines"]
    note: Line300 = Field("", description="What is wrong with the data, in the holder's words, for the centre alone.")
    confirm: Confirmed
