"""The port to a certification authority: what is asked, what is answered, and what an adapter declares it can do."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


class Profile(enum.StrEnum):
    """Certificate profiles that a CA behind this port must offer."""

    CNS_AUTHENTICATION = "cns-authentication"
    QUALIFIED_SIGNATURE = "qualified-signature"
    # S/MIME: types and generations of the CA/B Forum S/MIME Baseline Requirements (SBR 1.1, 7.1.6.1).
    SMIME_MAILBOX_MULTIPURPOSE = "smime-mv-multipurpose"
    SMIME_MAILBOX_STRICT = "smime-mv-strict"
    SMIME_ORGANISATION_MULTIPURPOSE = "smime-ov-multipurpose"
    SMIME_ORGANISATION_STRICT = "smime-ov-strict"
    SMIME_SPONSOR_MULTIPURPOSE = "smime-sv-multipurpose"
    SMIME_SPONSOR_STRICT = "smime-sv-strict"
    SMIME_INDIVIDUAL_MULTIPURPOSE = "smime-iv-multipurpose"
    SMIME_INDIVIDUAL_STRICT = "smime-iv-strict"

    @property
    def may_be_held(self) -> bool:
        """Whether its certificates can be suspended; strict S/MIME certificates cannot (SBR 4.9.13)."""
        return not self.value.endswith("-strict")


class RevocationReason(enum.StrEnum):
    """RFC 5280 §5.3.1 reasons that we ever ask for; `unspecified` is absent on purpose."""

    KEY_COMPROMISE = "keyCompromise"
    AFFILIATION_CHANGED = "affiliationChanged"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessationOfOperation"
    PRIVILEGE_WITHDRAWN = "privilegeWithdrawn"


class StatusKind(enum.StrEnum):
    """What the CA says of a serial."""

    GOOD = "good"
    HELD = "held"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Subject:
    """Subject attributes as the registration authority's record states them; never taken from a CSR.

    `serial_number` is `TINIT-<codice fiscale>` (AgID §4.1), `dn_qualifier` the holder's code at the provider.
    The last block is S/MIME's: `email` is the one mailbox of the certificate and stands in its alternative name;
    `organization_identifier` is scheme, country and number (`VATIT-...`). `pki.smime_subject` makes such subjects.
    """

    common_name: str
    given_name: str = ""
    surname: str = ""
    serial_number: str = ""
    dn_qualifier: str = ""
    organizational_unit: str = ""
    country: str = "IT"
    organization: str = ""
    organization_identifier: str = ""
    email: str = ""
    title: str = ""
    street: str = ""
    locality: str = ""
    state: str = ""
    postal_code: str = ""


@dataclass(frozen=True, slots=True)
class Validity:
    """Aware UTC instants, whole seconds, both inclusive (RFC 5280 §4.1.2.5)."""

    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class IssueRequest:
    """One wish for one certificate. The same `id` never yields two certificates. `csr` is DER (PKCS #10)."""

    id: UUID
    csr: bytes
    profile: Profile
    subject: Subject
    validity: Validity


@dataclass(frozen=True, slots=True)
class CertificateRef:
    """Names one certificate at its CA: issuer key identifier (RFC 5280 §4.2.1.1, raw bytes) and serial number."""

    issuer_key_id: bytes
    serial: int


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """A certificate as the CA returned it (DER) and the chain up to, without, the root."""

    request_id: UUID
    ref: CertificateRef
    certificate: bytes
    chain: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class CertificateStatus:
    """Status at the CA; `since` is the instant of the present hold or revocation, else None."""

    kind: StatusKind
    reason: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One line of the CA's own ledger, for reconciliation."""

    request_id: UUID
    ref: CertificateRef
    spki_sha256: bytes
    status: CertificateStatus


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this CA can do; the register asks before it plans. `batch`: it is a `pki.batch.BatchGateway`."""

    hold: bool
    release: bool
    hold_then_revoke: bool
    find_by_request_id: bool
    find_by_public_key: bool
    enumerate: bool
    batch: bool = False


class CertificateGateway(Protocol):
    """A certification authority. Every call may raise the six kinds of `pki.errors.GatewayError`, nothing else.

    `at` is the instant that the caller's door read; an external CA may use its own clock instead.
    `hold`, `release` and `revoke` carry the id of the stored intent: repeating a call with the same id changes nothing.
    """

    capabilities: Capabilities

    def issue(self, request: IssueRequest, *, at: datetime) -> IssuedCertificate:
        """Issue, or return what this request id has already been given. Same id with other content is a conflict."""
        ...

    def find_issued(
        self, *, request_id: UUID | None = None, spki_sha256: bytes | None = None, ref: CertificateRef | None = None
    ) -> IssuedCertificate | None:
        """Look a certificate up by exactly one key; None when the CA surely never issued it."""
        ...

    def status(self, ref: CertificateRef) -> CertificateStatus:
        """Say what the CA's record says now; `UNKNOWN` for a serial that it never issued."""
        ...

    def hold(self, ref: CertificateRef, *, request_id: UUID, at: datetime) -> None:
        """Suspend (certificateHold). Already held: no change. Revoked: `GatewayConflict`.

        `GatewayRefused` (hold-not-allowed) for a profile whose certificates cannot be suspended (`may_be_held`).
        """
        ...

    def release(self, ref: CertificateRef, *, request_id: UUID, at: datetime) -> None:
        """Lift the hold. Not held: no change. Revoked: `GatewayConflict`."""
        ...

    def revoke(self, ref: CertificateRef, *, reason: RevocationReason, request_id: UUID, at: datetime) -> None:
        """Revoke for good, also from hold. Already revoked: no change (the first date and reason stay)."""
        ...

    def issuers(self) -> tuple[bytes, ...]:
        """Certificates (DER) of the issuing CAs."""
        ...

    def trust_anchors(self) -> tuple[bytes, ...]:
        """Certificates (DER) of the roots."""
        ...

    def ledger(self) -> Iterator[LedgerLine]:
        """Every certificate ever issued, in order of issuance."""
        ...
