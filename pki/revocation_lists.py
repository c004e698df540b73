"""What a published revocation list (RFC 5280 §5) says of itself; whether it is genuine shows when it is used."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from asn1crypto import crl, pem

from pki.errors import MalformedInput

LARGEST = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ListFacts:
    """Whose list it is (SHA-256 of the CA's name, DER), and the span it is for."""

    der: bytes = field(repr=False)
    issuer_sha256: str
    sha256: str
    this_update_at: datetime
    next_update_at: datetime


def read_revocation_list(content: bytes) -> ListFacts:
    """Read DER or PEM; `MalformedInput` for anything else, and for a list without an end."""
    if len(content) > LARGEST:
        raise MalformedInput("larger than any revocation list", code="crl-malformed")
    try:
        der = pem.unarmor(content)[2] if pem.detect(content) else content
        found = crl.CertificateList.load(der, strict=True)["tbs_cert_list"]
        issuer, since, until = found["issuer"].dump(), found["this_update"].native, found["next_update"].native
    except (ValueError, TypeError, KeyError) as unreadable:
        raise MalformedInput("no revocation list", code="crl-malformed") from unreadable
    if not isinstance(since, datetime) or not isinstance(until, datetime):
        raise MalformedInput("a revocation list without a span", code="crl-malformed")
    name, digest = hashlib.sha256(issuer).hexdigest(), hashlib.sha256(der).hexdigest()
    return ListFacts(der, name, digest, since, until)
