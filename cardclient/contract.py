"""The values of the enrollment API (base /api/enrollment/v1), named as its description names them. No behaviour."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

SERIAL = re.compile(r"[0-9A-Za-z]{1,32}")
"""A card's serial as every call takes it; signed texts name the card by it."""


class Slot(enum.StrEnum):
    """The places a pair has on a card; order of definition is the order in signed texts."""

    AUTHENTICATION = "authentication"
    SIGNATURE = "signature"


class Verdict(enum.StrEnum):
    """What the office says of a card or certificate."""

    RENEWABLE = "renewable"
    ALREADY_RENEWED = "already-renewed"
    EXPIRED = "expired"
    NOT_RENEWABLE = "not-renewable"


class Step(enum.StrEnum):
    """What the office says is next; the client asks after each step and follows."""

    DIAGNOSIS = "diagnosis"
    CONTACTS = "contacts"
    CONFIRMATION = "contact-confirmation"
    ACCEPTANCE = "acceptance"
    FORM = "form-signature"
    REQUESTS = "requests"
    CERTIFICATES = "certificates"
    INSTALLATION = "installation"
    DONE = "done"
    CLOSED = "closed"


class TextKind(enum.StrEnum):
    """The texts a holder accepts."""

    CONTRACT = "contract"
    CLAUSES = "clauses"
    PRIVACY = "privacy"
    ENCRYPTION_WARNING = "encryption-warning"


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address, all parts as the holder writes them."""

    street: str
    postcode: str
    town: str
    province: str


@dataclass(frozen=True, slots=True)
class Contacts:
    """What the holder may change: nothing of it stands in the certificate."""

    email: str
    mobile: str
    address: Address


@dataclass(frozen=True, slots=True)
class DataWrong:
    """The holder says that the data shown are not his or not right ("I dati non sono corretti"): the case stops.

    `reason` goes to the centre, at most 300 characters; it is shown and logged nowhere else.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class ChangeContacts:
    """In place of the mailed code: the holder wants to correct his contacts, or to have another code."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A renewal the office offers: which certificate logs in, which signs the form, in which flow.

    `replaces` tells whether the old keys go (None: an older office does not say), `new_not_after` the end the new
    certificate will have, `campaign` the extension campaign it belongs to.
    """

    login_with: str
    sign_with: str | None
    flow: str
    service: str
    old_not_after: str
    replaces: bool | None = None
    new_not_after: str | None = None
    campaign: str | None = None


@dataclass(frozen=True, slots=True)
class CertificateVerdict:
    """The office's word on one certificate of the card."""

    fingerprint: str
    slot: Slot | None
    verdict: Verdict
    code: str | None
    message: str | None
    not_after: str | None


@dataclass(frozen=True, slots=True)
class ScanAnswer:
    """POST /scan."""

    verdict: Verdict
    code: str | None
    message: str | None
    advice: str | None
    family: str | None
    reinsert_after: bool
    secrets: tuple[str, ...]
    certificates: tuple[CertificateVerdict, ...]
    offers: tuple[Offer, ...]
    purchase_url: str | None
    family_code: str | None = None
    family_replaces: bool | None = None
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """A text to be signed; its `text` is parsed by `texts.py` before any key sees it."""

    id: str
    text: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the client found on the card, as POST /case/diagnosis takes it."""

    atr: str | None
    pin: str
    puk: str
    login_key_matches: bool
    sign_key_matches: bool | None
    certificates_readable: bool
    can_generate: bool
    driver: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text to accept; `sha256` is of the UTF-8 text and is checked before it is shown."""

    kind: TextKind
    version: str
    sha256: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Which version of which text was accepted."""

    kind: TextKind
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class PreparedForm:
    """POST /case/form: digest of the PDF as served, the attributes to sign, the certificate they name."""

    document_sha256: str
    signed_attributes: bytes
    certificate: str


@dataclass(frozen=True, slots=True)
class CaseSlot:
    """One certificate of the pair being renewed."""

    slot: Slot
    old_certificate: str
    key_kind: str
    key_bits: int
    requested: bool
    issued: bool
    installed: bool


@dataclass(frozen=True, slots=True)
class Result:
    """How the case ended for the holder."""

    concluded: bool
    message: str
    authorise_by: str | None
    new_not_after: str | None


@dataclass(frozen=True, slots=True)
class Centre:
    """The registration centre to turn to."""

    name: str
    email: str
    phone: str
    purchase_url: str


@dataclass(frozen=True, slots=True)
class Case:
    """CaseView: the office's present view of the renewal; `next_step` is the truth the client follows.

    `pending_contacts` are those whose new mailbox waits for its code (None: none wait, or an older office).
    """

    code: str
    state: str
    state_label: str
    authorisation: str
    flow: str
    next_step: Step
    old_not_after: str
    nonce: str
    host: str
    card_serial: str
    given_name: str
    surname: str
    tax_code: str
    contacts: Contacts
    centre: Centre
    slots: tuple[CaseSlot, ...]
    result: Result | None
    pending_contacts: Contacts | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """GET /capabilities: the office's clock, the oldest client served, the newest, where to get it, the hosts used."""

    now: datetime
    minimum: str
    current: str
    download: str | None
    hosts: tuple[str, ...]
    support: bool


@dataclass(frozen=True, slots=True)
class SupportRequest:
    """What a holder sends when he asks for help; `log` only where he ticked it. `request_id` makes it one request.

    `email` may be empty when the case knows one; `card` holds serial, family, reader and driver, each or None.
    """

    request_id: str
    code: str
    step: str
    message: str
    email: str
    language: str
    client: str
    system: str
    card: Mapping[str, str | None]
    log: str | None = None


@dataclass(frozen=True, slots=True)
class SupportReceipt:
    """The number to quote, and the masked mailbox the answer goes to (None: no mailbox of the holder is known)."""

    number: str
    answer_to: str | None
