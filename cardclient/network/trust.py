"""Whom the client believes: the system's trust store, or one file in its place. What is not trusted is named.

A company's inspecting proxy presents certificates of its own authority. They hold only where the administrator has put
that authority into the system's store; there is no way here to go on without.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import truststore
from cryptography import x509
from cryptography.x509.oid import NameOID

from cardclient.errors import ClientError
from cardclient.network.failures import NetworkFailure

LONGEST_NAME = 120
OTHER_NAME, EXPIRED, EARLY, UNTRUSTED = "tls-other-name", "tls-expired", "tls-early", "tls-untrusted"
# Verdicts by number: OpenSSL (x509_vfy.h), Windows (winerror.h, CERT_E_…), macOS (SecBase.h, errSec…).
_VERDICTS: Mapping[int, str] = {
    9: EARLY,
    10: EXPIRED,
    62: OTHER_NAME,
    64: OTHER_NAME,
    0x800B0101: EXPIRED,
    0x800B010F: OTHER_NAME,
    -67818: EXPIRED,
    -67819: EARLY,
    -67602: OTHER_NAME,
}
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"})


def context(ca_file: str | None = None) -> ssl.SSLContext:
    """Trust what the system trusts, or only the authorities in a PEM file; ClientError("usage") for a bad one."""
    if ca_file is None:
        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError:  # SSLError is one
        raise ClientError("usage", operation="ca-file") from None


def explain(
    problem: ssl.SSLError, name: str, *, presented: Callable[[], bytes | None], now: Callable[[], datetime]
) -> NetworkFailure:
    """Say why a handshake with the server of this name failed; `presented` fetches the certificate to be named."""
    if isinstance(problem, ssl.SSLCertVerificationError):
        return _distrust(problem.verify_code, name, presented(), now())
    if isinstance(problem, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return NetworkFailure("connection-lost")
    return NetworkFailure("tls-absent" if problem.reason in _NOT_TLS else "tls-failed")


def look_only() -> ssl.SSLContext:
    """Make a context that shakes hands with anybody, to read a refused certificate; nothing is ever sent through it."""
    looking = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    looking.check_hostname = False
    looking.verify_mode = ssl.CERT_NONE
    return looking


def _distrust(verdict: int, name: str, der: bytes | None, now: datetime) -> NetworkFailure:
    facts = {"host": name, "issuer": "?", "subject": "?", "until": "?", "since": "?"}
    code = _VERDICTS.get(verdict, UNTRUSTED)
    if der:
        try:
            leaf = x509.load_der_x509_certificate(der)
            facts |= {
                "issuer": _title(leaf.issuer),
                "subject": _title(leaf.subject),
                "since": f"{leaf.not_valid_before_utc.astimezone(UTC):%d/%m/%Y}",
                "until": f"{leaf.not_valid_after_utc.astimezone(UTC):%d/%m/%Y}",
            }
        except ValueError:
            return NetworkFailure(code, facts)
        if code == EXPIRED and now < leaf.not_valid_before_utc:  # Windows has one number for both
            code = EARLY
    return NetworkFailure(code, facts)


def _title(name: x509.Name) -> str:
    """Return the name people know an authority by; only printable characters, as it comes from a stranger."""
    for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        for each in name.get_attributes_for_oid(kind):
            text = "".join(mark for mark in str(each.value) if mark.isprintable())
            return text[:LONGEST_NAME]
    return "?"
