"""Which refusals an operation knows. `config.openapi` makes responses of them, and tests hold them true."""

from __future__ import annotations

from typing import Any

from cms.errors import ContactInvalid, ContactTaken, DomainError, KeyConflict, KeyKnown, StockEmpty
from renewals import errors

Refusal = type[DomainError]
Refusals = tuple[Refusal, ...]

# Key under which an operation carries its refusals until the contract is written.
KEY = "x-refusals"

# Refusals that name their exact reason when they are raised (`pki.csr`, `pki.keys`), each with a sentence.
NARROWED: dict[Refusal, dict[str, str]] = {
    errors.RequestInvalid: {
        "csr-invalid": "Not a readable request of at most 8 kB, or not one for each slot of the case.",
        "csr-signature-invalid": "The request is not signed by its own key.",
    },
    errors.KeyUnfit: {
        "key-type": "Neither RSA nor an elliptic curve that we certify.",
        "key-size": "Fewer bits than a new key needs, or more than we certify.",
        "key-exponent": "The public exponent is not between 2^16+1 and 2^256-1.",
        "key-malformed": "Not the canonical encoding of a public key.",
        "key-small-factor": "The modulus has a small factor.",
        "key-prime-power": "The modulus is a power.",
        "key-fermat": "The primes of the modulus lie too close together.",
        "key-roca": "The key was made by a generator known to be broken (CVE-2017-15361).",
        "key-blocklisted": "The private key is publicly known.",
    },
}

ALIVE: Refusals = (errors.CertificateExpired, errors.CertificateWithdrawn, errors.CertificateHeld)
# Asked again at every step of an open case.
OPEN: Refusals = (errors.CaseEnded, *ALIVE)
# Asked when a challenge is made and again when it is answered.
LOGIN: Refusals = (
    errors.CertificateUnknown,
    errors.CertificateRemote,
    errors.CertificateRenewed,
    *ALIVE,
    errors.WindowNotOpen,
    errors.CampaignOver,
    errors.NotActivated,
    errors.FamilyRefused,
    errors.RenewalsExhausted,
    errors.CardUnfit,
    errors.DeviceEndOfLife,
    errors.CardMismatch,
    errors.NotLoginCertificate,
    errors.PairClosed,
    errors.OldKeyWeak,
)

CHALLENGE: Refusals = (errors.ClientOutdated, *LOGIN)
SESSION: Refusals = (
    errors.ClientOutdated,
    errors.ChallengeInvalid,
    errors.ChallengeExpired,
    errors.SignatureInvalid,
    *LOGIN,
    errors.AgreementMissing,
)
DIAGNOSIS: Refusals = (
    *OPEN,
    errors.PukLocked,
    errors.PinLocked,
    errors.CardUnfit,
    errors.NotActivated,
    errors.FamilyRefused,
    errors.RenewalsExhausted,
    errors.DeviceEndOfLife,
    StockEmpty,
)
CONTACTS: Refusals = (ContactInvalid, *OPEN, errors.StepNotOpen, ContactTaken)
CONFIRMATION: Refusals = (
    *OPEN,
    errors.StepNotOpen,
    errors.ConfirmationInvalid,
    errors.ConfirmationExpired,
    ContactTaken,
)
ACCEPTANCE: Refusals = (*OPEN, errors.StepNotOpen, errors.TextsOutdated, StockEmpty)
FORM: Refusals = (*OPEN, errors.StepNotOpen, errors.FormMissing)
FORM_FILE: Refusals = (errors.FormMissing,)
FORM_SIGNATURE: Refusals = (errors.FormSignatureInvalid, errors.FormMissing, *OPEN, errors.StepNotOpen, StockEmpty)
REQUESTS: Refusals = (
    errors.RequestInvalid,
    *OPEN,
    errors.StepNotOpen,
    errors.BindingInvalid,
    errors.KeyUnfit,
    KeyKnown,
    KeyConflict,
    errors.CardUnfit,
    errors.IssuanceRefused,
)
CERTIFICATES: Refusals = (errors.StepNotOpen, errors.CaseEnded, errors.IssuanceRefused)
INSTALLATION_CHALLENGE: Refusals = (errors.StepNotOpen,)
INSTALLATION: Refusals = (
    errors.ChallengeInvalid,
    errors.ChallengeExpired,
    *OPEN,
    errors.StepNotOpen,
    errors.ProofInvalid,
)
CANCELLATION: Refusals = (errors.CaseEnded,)
SUPPORT: Refusals = (ContactInvalid, errors.SupportRequestChanged)


def refusing(kinds: Refusals = ()) -> dict[str, Any]:
    """Return an operation's `openapi_extra` with what it can refuse."""
    return {KEY: kinds}


def answering(media_type: str) -> dict[str, Any]:
    """Return the `openapi_extra` of an operation that answers with a file."""
    return {"responses": {200: {"content": {media_type: {"schema": {"type": "string", "format": "binary"}}}}}}
