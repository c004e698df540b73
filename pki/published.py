"""What relying parties read of a certificate: the newest CRL and the OCSP responder, apart from the CA's own record.

A port of its own, since not every CA can be asked in this way; a gateway offers it by having the method.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from pki.gateway import CertificateRef, CertificateStatus


@dataclass(frozen=True, slots=True)
class Published:
    """Answers of both sources. None: this source gives none, because nothing is published yet or it does not answer.

    `crl_at` is the instant at which the CRL was published.
    """

    crl: CertificateStatus | None = None
    crl_at: datetime | None = None
    ocsp: CertificateStatus | None = None


@runtime_checkable
class PublicationReader(Protocol):
    """A CA whose publications can be read."""

    def published(self, ref: CertificateRef, *, at: datetime) -> Published:
        """Say what its newest CRL and its OCSP responder tell relying parties at this instant."""
        ...
