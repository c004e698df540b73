"""Answers of the enrollment API. Only what is named here leaves the server, whatever a view hands over."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

from cms.states import ApprovalMode
from renewals.api.fields import Action, CaseFlow, Digest, Slot, Verdict
from renewals.states import Authorisation, CaseState, Step, TextKind


class FamilyOut(Schema):
    """Card family."""

    code: str
    name: str
    reinsert_after: bool = Field(description="The card must be taken out and put in again after the keys are made.")
    replaces: bool | None = Field(description="Whether old keys leave cards of this family; null: as the flow has it.")
    refusal: str | None = Field(
        description="Why cards of this family are not renewed, in Italian; null where they are."
    )


class ScannedCertificate(Schema):
    """Verdict on one certificate."""

    fingerprint: str = Field(description="Empty for bytes that are no certificate.")
    type: Slot | None
    verdict: Verdict
    code: str | None
    message: str | None
    not_after: datetime | None


class Offer(Schema):
    """A pair that can be renewed now, and with which keys."""

    login_with: Digest = Field(description="Fingerprint of the certificate that logs in.")
    sign_with: Digest | None = Field(description="Fingerprint of the certificate that signs the form, if there is one.")
    flow: CaseFlow
    service: str
    old_not_after: datetime
    new_not_after: datetime = Field(description="Last second of the new certificates.")
    replaces: bool = Field(description="Whether the old keys leave the card at the end; else they stay beside the new.")
    campaign: str | None = Field(description="Of an extension: the campaign's name.")
    steps: list[Step]


class ScanOut(Schema):
    """Verdict on a card; names no person."""

    verdict: Verdict = Field(description="The best verdict among the certificates.")
    code: str | None = Field(description="Why the card is not renewable, as a stable code.")
    message: str | None = Field(description="The sentence to show, word for word.")
    advice: str | None = Field(description="What to tell the holder beside it, in Italian.")
    family: FamilyOut | None
    secrets: list[Literal["pin", "puk"]] = Field(description="Codes that the client will have to ask for.")
    certificates: list[ScannedCertificate]
    offers: list[Offer]
    purchase_url: str | None


class ChallengeOut(Schema):
    """A text to be signed once. The client checks it line by line before a key touches it."""

    id: UUID
    text: str = Field(description="ASCII; every line ends with a line feed.")
    expires_at: datetime


class AddressOut(Schema):
    """Postal address."""

    street: str
    postcode: str
    town: str
    province: str


class HolderOut(Schema):
    """The holder's own data, to himself."""

    given_name: str
    surname: str
    tax_code: str
    email: str | None
    mobile: str | None
    address: AddressOut


class PendingContactsOut(Schema):
    """Contacts given, not yet the holder's."""

    email: str
    mobile: str
    address: AddressOut


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
    old_certificate: Digest = Field(description="Fingerprint of the certificate that is renewed.")
    key: KeyOut
    requested: bool
    issued: bool
    installed: bool


class ApprovalOut(Schema):
    """Whether and until when the centre must authorise."""

    mode: ApprovalMode | None = Field(description="Fixed at the signature of the form; null before.")
    authorise_by: datetime | None


class ResultOut(Schema):
    """How it ended."""

    concluded: bool = Field(description="False while the centre has yet to authorise.")
    message: str
    authorise_by: datetime | None
    new_not_after: datetime | None


class CaseView(Schema):
    """A case as its holder's client sees it; `next_step` is what to do now."""

    code: str = Field(description="Tell it to support; stands in every signed text.")
    state: CaseState
    state_label: str
    authorisation: Authorisation
    flow: CaseFlow
    next_step: Step
    steps: list[Step] = Field(description="All steps of this flow, for a progress bar.")
    old_not_after: datetime = Field(description="Last second at which this renewal is possible.")
    nonce: str = Field(description="Stands in the keys text; changes with every login.")
    host: str = Field(description="Stands in every signed text; must be the host that the client talks to.")
    card_serial: str
    holder: HolderOut
    pending_contacts: PendingContactsOut | None = Field(
        default=None,
        description="Wait for the code mailed to the new mailbox; PUT /case/contacts replaces them and mails another.",
    )
    centre: CentreOut
    slots: list[SlotOut]
    approval: ApprovalOut
    result: ResultOut | None = Field(description="Null until the renewal is completed.")


class SessionOut(Schema):
    """A bearer token, told once, and the case it is bound to."""

    token: str
    expires_at: datetime
    case: CaseView


class TextOut(Schema):
    """A text to be accepted."""

    kind: TextKind
    version: str
    sha256: Digest = Field(description="SHA-256 of `text` as UTF-8.")
    title: str
    text: str


class TextsOut(Schema):
    """Texts in force for a flow."""

    texts: list[TextOut]


class FormOut(Schema):
    """What the card signs, and which PDF it belongs to."""

    document_sha256: Digest = Field(description="SHA-256 of the bytes of `GET /case/form.pdf`.")
    signed_attributes: str = Field(description="CMS signed attributes, DER of the SET (tag 0x31), in base64.")
    certificate: Digest = Field(description="Fingerprint of the certificate whose key signs.")


class CertificateOut(Schema):
    """A certificate to be written to the card."""

    type: Slot
    certificate: str = Field(description="DER in base64.")
    chain: list[str] = Field(description="Issuers, nearest first, DER in base64.")


class CertificatesOut(Schema):
    """What has been issued; empty while the CA is still at it."""

    certificates: list[CertificateOut]


class FailureOut(Schema):
    """How support finds the report."""

    reference: str


class Problem(Schema):
    """A refusal (RFC 9457) with a stable code, what to do, and a guide's message where one exists."""

    type: str
    title: str
    status: int
    code: str = Field(description="Stable; what programs decide by.")
    detail: str = Field(description="For the holder, in Italian.")
    action: Action = Field(description="What the client does next.")
    message: str | None = Field(description="The guide's own words, to be shown word for word.")
