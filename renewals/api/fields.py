"""Types of the enrollment API's fields. What a pattern says is what the server checks: nothing narrows it unsaid."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StrictBool, StringConstraints

# RFC 4648 §4 with padding. `$` is the very end in pydantic and ECMAScript, not in Python: never match these with `re`.
_BASE64 = r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
# No field of a person or a report holds control characters, and PostgreSQL cannot store NUL.
_PRINTABLE = r"^[^\x00-\x1F\x7F]*$"
_ENCODED: dict[str, Any] = {"contentEncoding": "base64"}

CERTIFICATE_BYTES, CSR_BYTES, SIGNATURE_BYTES = 16 * 1024, 8 * 1024, 1024


def _require_true(said: bool) -> bool:  # noqa: FBT001 (pydantic's shape)
    if not said:
        raise ValueError("not confirmed")
    return said


def _base64_length(size: int) -> int:
    """Characters that so many bytes take in base64."""
    return -(-size // 3) * 4


CertificateBytes = Annotated[
    str,
    StringConstraints(min_length=4, max_length=_base64_length(CERTIFICATE_BYTES), pattern=_BASE64),
    Field(description="A certificate as the card holds it: DER in base64, at most 16 kB.", json_schema_extra=_ENCODED),
]
CsrBytes = Annotated[
    str,
    StringConstraints(min_length=4, max_length=_base64_length(CSR_BYTES), pattern=_BASE64),
    Field(description="A PKCS #10 request: DER in base64, at most 8 kB.", json_schema_extra=_ENCODED),
]
SignatureBytes = Annotated[
    str,
    StringConstraints(min_length=4, max_length=_base64_length(SIGNATURE_BYTES), pattern=_BASE64),
    Field(
        description="A signature in base64, at most 1 kB. The key decides the algorithm: PKCS #1 v1.5 with SHA-256 for "
        "RSA, ECDSA with SHA-256 in DER for elliptic curves.",
        json_schema_extra=_ENCODED,
    ),
]

Line10 = Annotated[str, StringConstraints(max_length=10, pattern=_PRINTABLE)]
Line40 = Annotated[str, StringConstraints(max_length=40, pattern=_PRINTABLE)]
Line80 = Annotated[str, StringConstraints(max_length=80, pattern=_PRINTABLE)]
Line120 = Annotated[str, StringConstraints(max_length=120, pattern=_PRINTABLE)]
Line300 = Annotated[str, StringConstraints(max_length=300, pattern=_PRINTABLE)]
Line500 = Annotated[str, StringConstraints(max_length=500, pattern=_PRINTABLE)]
EmailText = Annotated[str, StringConstraints(min_length=3, max_length=254, pattern=_PRINTABLE)]
MobileText = Annotated[str, StringConstraints(min_length=3, max_length=32, pattern=_PRINTABLE)]

Fingerprint = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{64}$"),
    Field(description="SHA-256 of the certificate's DER, lowercase hexadecimal."),
]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
CardSerial = Annotated[
    str, StringConstraints(pattern=r"^[0-9A-Za-z]{1,32}$"), Field(description="Serial number as the card tells it.")
]
Atr = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9A-Fa-f]{2,128}$"),
    Field(description="Answer to reset, hexadecimal; tells the card's family."),
]
ChallengeId = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"),
    Field(json_schema_extra={"format": "uuid"}),
]
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
ConfirmationCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
# Not Literal[True]: pydantic takes the number 1 for it.
Confirmed = Annotated[StrictBool, AfterValidator(_require_true), Field(json_schema_extra={"const": True})]

Slot = Literal["authentication", "signature"]
CaseFlow = Annotated[
    Literal["enroll", "extend"],
    Field(description="How a card renews: Enroll signs a form and adds a term, Extend moves to a campaign's date."),
]
Verdict = Literal["renewable", "already-renewed", "expired", "not-renewable"]
Action = Literal[
    "retry-later",
    "restart",
    "change-card",
    "unblock-pin",
    "contact-centre",
    "new-purchase",
    "correct-data",
    "wait",
    "update-client",
    "none",
]
