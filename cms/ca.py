"""The one place that knows which certification authority is configured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from authority.gateway import EmbeddedGateway
from pki.gateway import CertificateGateway
from pki.published import PublicationReader
from pki.x509 import serves_mail_only

_installed: list[CertificateGateway] = []


def gateway() -> CertificateGateway:
    """Return the CA that this installation uses."""
    return _installed[-1] if _installed else _configured()


def card_issuers() -> list[bytes]:
    """Certificates (DER) of this CA's issuers for cards: one for mail alone vouches for no card."""
    return [issuer for issuer in gateway().issuers() if not serves_mail_only(issuer)]


def mail_issuers() -> list[bytes]:
    """Certificates (DER) of this CA's issuers for mail alone."""
    return [issuer for issuer in gateway().issuers() if serves_mail_only(issuer)]


def publications() -> PublicationReader | None:
    """Return what reads CRL and OCSP of that CA; None where it cannot be asked in this way."""
    configured = gateway()
    return configured if isinstance(configured, PublicationReader) else None


@contextmanager
def installed(other: CertificateGateway) -> Iterator[CertificateGateway]:
    """Let another CA answer inside the block: fakes in tests, rehearsals."""
    _installed.append(other)
    try:
        yield other
    finally:
        _installed.remove(other)


@cache
def _configured() -> CertificateGateway:
    return EmbeddedGateway()
