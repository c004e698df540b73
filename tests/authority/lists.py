"""Published lists, as the tests read them."""

from __future__ import annotations

from cryptography import x509

from authority import queries


def der(role: str = "cns", year: int | None = None) -> bytes:
    """The bytes that are published now."""
    found = queries.crl_with_bytes(role, year)
    assert found is not None
    return found[1]


def crl(role: str = "cns", year: int | None = None) -> x509.CertificateRevocationList:
    """The same, read."""
    return x509.load_der_x509_crl(der(role, year))
