"""What the flow needs from outside: a card, a screen, an office. Adapters implement these protocols.

Value types are frozen; secrets travel as arguments only and are held by nobody.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cardclient.contract import (
    Acceptance,
    Capabilities,
    Case,
    Challenge,
    ChangeContacts,
    Contacts,
    DataWrong,
    Diagnosis,
    Offer,
    PreparedForm,
    ScanAnswer,
    Slot,
    SupportReceipt,
    SupportRequest,
    Text,
)
from cardclient.secret import Secret


class CodeState(enum.StrEnum):
    """What a card tells of a PIN or PUK; PKCS#11 gives flags, never a number (PKCS#11 v2.40 §3.2, CK_TOKEN_INFO)."""

    OK = "ok"
    TRIED = "tried"
    LAST_TRY = "last-try"
    LOCKED = "locked"


class ObjectKind(enum.StrEnum):
    """The three kinds of object a renewal touches."""

    CERTIFICATE = "certificate"
    PUBLIC_KEY = "public-key"
    PRIVATE_KEY = "private-key"


@dataclass(frozen=True, slots=True)
class KeyKind:
    """What to generate: `rsa` with a modulus length, or `ec` with 256 (P-256) or 384 (P-384) bits."""

    kind: str
    bits: int


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """One object on the card: kind, CKA_ID, and SHA-256 of its certificate or SubjectPublicKeyInfo DER where known."""

    kind: ObjectKind
    id: bytes
    digest: bytes | None = None


@dataclass(frozen=True, slots=True)
class CardCertificate:
    """A certificate object as read without PIN."""

    id: bytes
    label: str
    der: bytes

    @property
    def fingerprint(self) -> str:
        """Lowercase hexadecimal SHA-256 of the DER, as the API names certificates."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def ref(self) -> ObjectRef:
        """Exactly this object, even where another carries the same id."""
        return ObjectRef(ObjectKind.CERTIFICATE, self.id, hashlib.sha256(self.der).digest())


@dataclass(frozen=True, slots=True)
class CardKey:
    """A public or private key object as seen after login; `spki` is None where the card does not tell it."""

    kind: ObjectKind
    id: bytes
    label: str
    spki: bytes | None

    @property
    def ref(self) -> ObjectRef:
        """This object, by id and, where known, by its public key."""
        return ObjectRef(self.kind, self.id, hashlib.sha256(self.spki).digest() if self.spki else None)


@dataclass(frozen=True, slots=True)
class Lengths:
    """How many characters a code may have, both ends included."""

    shortest: int
    longest: int

    def allow(self, code: Secret) -> bool:
        """Tell whether a code is neither too short nor too long."""
        return self.shortest <= len(code.reveal()) <= self.longest


@dataclass(frozen=True, slots=True)
class CodeLengths:
    """What the PIN and the PUK of a card may be. The defaults are for a card of no known family: whatever a card takes.

    A new PIN has 5 to 8 digits everywhere else (SogeiExtend §2).
    """

    pin: Lengths = Lengths(4, 16)
    puk: Lengths = Lengths(4, 16)
    new_pin: Lengths = Lengths(5, 8)

    def of(self, kind: SecretKind) -> Lengths:
        """Return the lengths of one kind of code."""
        return {SecretKind.PIN: self.pin, SecretKind.PUK: self.puk, SecretKind.NEW_PIN: self.new_pin}[kind]


@dataclass(frozen=True, slots=True)
class CardView:
    """A card as read without PIN. `replaces` is its own setting: delete the old pair after renewal, or keep it.

    `family` is a guess by the ATR, `driver` the module that read the card (empty: none was needed or known). `final` is
    the code of a verdict that nothing done here can change, known before any PIN: `puk-locked`,
    `certificate-unreadable` (SogeiExtend: LOGIN inactive), `card-not-personalised`, `family-refused`. `lengths` are the
    family's: a code that cannot be right is refused before the card counts a try.
    """

    serial: str
    atr: bytes | None
    label: str
    reader: str
    pin: CodeState
    puk: CodeState
    certificates: tuple[CardCertificate, ...] = ()
    replaces: bool | None = None
    family: str | None = None
    driver: str = ""
    final: str | None = None
    lengths: CodeLengths = CodeLengths()


@dataclass(frozen=True, slots=True)
class ReaderState:
    """A reader by its name and the ATR of the card in it; None means that it is empty.

    `events` counts how often the system saw a card come or go there (PC/SC part 5, upper half of the event state), 0
    where nobody counts: it alone tells a card from its twin put in between two looks.
    """

    name: str
    atr: bytes | None
    events: int = 0


@dataclass(frozen=True, slots=True)
class CardReport:
    """What the driver says of itself and of what the card can do; no holder's data."""

    driver: str
    driver_version: str
    model: str
    can_generate: bool
    mechanisms: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)


class Card(Protocol):
    """Cards in the readers and the one chosen among them. Every call may raise a `CardError` of `errors.py`."""

    def scan(self) -> tuple[CardView, ...]:
        """Read every card present, without PIN; raises NoCard when there is none."""

    def choose(self, serial: str) -> None:
        """Make every other call speak to this card; raises AnotherCard or CardRemoved when it is not there."""

    def view(self) -> CardView:
        """Read the chosen card again, without PIN, with fresh counters and certificates."""

    def login(self, pin: Secret) -> None:
        """Open the private keys; raises WrongPin, PinLocked, PinLength. Uses up a try when wrong."""

    def verify_puk(self, puk: Secret) -> None:
        """Try the PUK and change nothing; afterwards a login is needed again. Raises WrongPuk, PukLocked."""

    def unblock(self, puk: Secret, new_pin: Secret) -> None:
        """Give the locked PIN a new value; raises WrongPuk, PukLocked, PinLength."""

    def change_pin(self, pin: Secret, new_pin: Secret) -> None:
        """Give the PIN a new value, knowing the old one; raises WrongPin, PinLocked, PinLength. Ends any login."""

    def keys(self) -> tuple[CardKey, ...]:
        """List public and private key objects; needs a login for the private ones."""

    def sign(self, key: ObjectRef, data: bytes, pin: Secret) -> bytes:
        """Sign with SHA-256: RSA PKCS#1 v1.5, or ECDSA as DER. `pin` serves keys that ask for it at each signature."""

    def generate(self, key_id: bytes, label: str, kind: KeyKind) -> bytes:
        """Make a key pair that cannot be read out; returns its SubjectPublicKeyInfo DER. Raises CardUpdateError."""

    def install(self, key_id: bytes, label: str, certificate: bytes) -> None:
        """Write a certificate object beside the key of the same id. Raises CardUpdateError."""

    def remove(self, target: ObjectRef) -> None:
        """Destroy the objects this reference names; nothing happens when there is none. Raises CardUpdateError."""

    def report(self) -> CardReport:
        """Tell what driver and card can do, without PIN."""

    def close(self) -> None:
        """Log out and let the reader go."""


class Readers(Protocol):
    """The readers of this computer, asked often and cheaply: no driver is loaded, no card is spoken to."""

    def snapshot(self) -> tuple[ReaderState, ...]:
        """Tell which readers there are and which hold a card; empty when the service or every reader is missing."""

    def wait(self, seconds: float) -> bool:
        """Wait until something changes, at most so long; True when it did."""


class Phase(enum.StrEnum):
    """Where a run is; the screen shows it, `--json` lists the ones passed. `TEXTS` are those asked before the PIN."""

    SCAN = "scan"
    TEXTS = "texts"
    LOGIN = "login"
    DIAGNOSIS = "diagnosis"
    CONTACTS = "contacts"
    CONFIRMATION = "contact-confirmation"
    ACCEPTANCE = "acceptance"
    FORM = "form-signature"
    KEYS = "requests"
    CERTIFICATES = "certificates"
    INSTALLATION = "installation"
    REMOVAL = "removal"
    DONE = "done"


class SecretKind(enum.StrEnum):
    """Which code is asked for."""

    PIN = "pin"
    PUK = "puk"
    NEW_PIN = "new-pin"


@dataclass(frozen=True, slots=True)
class Notice:
    """A text by key with its facts; the words are in `messages.py`."""

    key: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """One renewal the holder can choose: which card, which offer of the office."""

    view: CardView
    offer: Offer


class Screen(Protocol):
    """The holder, behind a terminal, a window or a script. None always means "no answer": the flow stops politely."""

    def phase(self, phase: Phase) -> None:
        """Show where the run is."""

    def say(self, notice: Notice) -> None:
        """Show a text."""

    def choose(self, choices: Sequence[Choice]) -> int | None:
        """Ask which of several renewals is meant."""

    def ask_secret(self, kind: SecretKind, problem: str | None) -> Secret | None:
        """Ask for a code; `problem` is the code of what was wrong with the one given before."""

    def confirm_last_try(self, kind: SecretKind) -> bool:
        """Warn that a wrong code now locks the card, before the code is asked for."""

    def wants_unblock(self) -> bool:
        """Ask whether to open a locked PIN with the PUK."""

    def show_diagnosis(self, case: Case) -> bool:
        """Show that card and certificates passed, and what will be renewed; False stops the run."""

    def ask_contacts(self, case: Case, current: Contacts, problem: str | None) -> Contacts | DataWrong | None:
        """Show the holder's data, of which only the contacts change; `problem` says why the last ones were refused.

        DataWrong is the holder's "I dati non sono corretti".
        """

    def ask_confirmation_code(self, email: str, problem: str | None) -> str | ChangeContacts | None:
        """Ask for the code mailed to the new mailbox, or whether the contacts shall be given again; None stops."""

    def warn_encryption(self, text: Text) -> bool:
        """Warn, before the PIN, that what was encrypted for the old key can no longer be read; False stops."""

    def accept_texts(self, texts: Sequence[Text]) -> bool:
        """Show the texts, each to be opened and ticked, and ask to accept all."""

    def writing(self, active: bool) -> None:  # noqa: FBT001 - a state, not an option
        """Say that the card is being written and must stay where it is: while True, nothing closes."""

    def sign_form(self, pdf: bytes, case: Case) -> bool:
        """Show the form, the very bytes that are signed, and ask to sign it."""


class Office(Protocol):
    """The enrollment API as the flow sees it. Raises OfficeRefusal, OfficeUnreachable, Distrusted."""

    @property
    def host(self) -> str:
        """host[:port] of the address the user gave; every signed text must name it."""

    @property
    def clock_difference(self) -> float | None:
        """Seconds this computer's clock is ahead of the office's, by its last answer; None before the first."""

    def capabilities(self) -> Capabilities | None:
        """GET /capabilities; None where an older office has none. Raises ClientOutdated below its minimum."""

    def public_texts(self, flow: str) -> tuple[Text, ...]:
        """GET /texts: the texts of a flow before any login; empty where an older office has none."""

    def cancel(self, reason: str, note: str) -> None:
        """POST /case/cancellation by the holder; `note` (≤ 300 characters) is for the centre."""

    def open_support_request(self, request: SupportRequest) -> SupportReceipt:
        """POST /support-requests, with the case's session where there is one; the same request_id is one request."""

    def scan(self, card: CardView) -> ScanAnswer: ...  # noqa: D102 - POST /scan
    def challenge(self, card_serial: str, certificate: str) -> Challenge: ...  # noqa: D102 - POST /challenges
    def open_session(self, challenge: str, signature: bytes) -> Case: ...  # noqa: D102 - POST /sessions
    def case(self) -> Case: ...  # noqa: D102 - GET /case
    def diagnose(self, diagnosis: Diagnosis) -> Case: ...  # noqa: D102 - POST /case/diagnosis
    def put_contacts(self, contacts: Contacts) -> Case: ...  # noqa: D102 - PUT /case/contacts
    def confirm_contact(self, code: str) -> Case: ...  # noqa: D102 - POST /case/contact-confirmation
    def texts(self) -> tuple[Text, ...]: ...  # noqa: D102 - GET /case/texts
    def accept(self, texts: Sequence[Acceptance]) -> Case: ...  # noqa: D102 - PUT /case/acceptance
    def prepare_form(self) -> PreparedForm: ...  # noqa: D102 - POST /case/form
    def form_pdf(self) -> bytes: ...  # noqa: D102 - GET /case/form.pdf
    def put_form_signature(self, signature: bytes) -> Case: ...  # noqa: D102 - POST /case/form-signature
    def put_requests(self, requests: Mapping[Slot, bytes], binding: bytes) -> Case: ...  # noqa: D102 - PUT /case/requests

    def certificates(self) -> Mapping[Slot, tuple[bytes, ...]]:
        """GET /case/certificates, waiting as long as the office asks: per slot the certificate and its chain (DER)."""

    def installation_challenge(self) -> Challenge: ...  # noqa: D102 - POST /case/installation-challenge
    def prove_installation(self, challenge: str, proofs: Mapping[Slot, bytes]) -> Case: ...  # noqa: D102

    def report_failure(self, step: str, code: str, detail: str) -> str:
        """POST /case/failures; returns the reference to quote to the support desk."""

    def close(self) -> None:
        """End the conversation and forget its token."""
