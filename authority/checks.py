"""Key check of `manage.py check --database default`: every key opens, is sound, and fits its certificate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from authority import signer
from authority.errors import KeyUnusable
from authority.models import CertificationAuthority, OcspSigner


@register(Tags.database)
def require_sound_keys(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Load every CA key with all checks that normal loading leaves out, and verify the chain of certificates."""
    del app_configs
    if not databases or "default" not in databases:
        return []
    if CertificationAuthority._meta.db_table not in connections["default"].introspection.table_names():
        return []  # before the first migration there is no key
    return [message for row, issuer in _rows() for message in _findings(row, issuer)]


def _rows() -> list[tuple[CertificationAuthority | OcspSigner, CertificationAuthority]]:
    authorities = list(CertificationAuthority.objects.select_related("key", "issuer"))
    signers = list(OcspSigner.objects.select_related("key", "authority"))
    return [(row, row.issuer or row) for row in authorities] + [(row, row.authority) for row in signers]


def _findings(row: CertificationAuthority | OcspSigner, issuer: CertificationAuthority) -> Iterator[CheckMessage]:
    try:
        signer.full_check(row.key)
        certificate = x509.load_der_x509_certificate(bytes(row.certificate))
        certificate.verify_directly_issued_by(x509.load_der_x509_certificate(bytes(issuer.certificate)))
        if certificate.public_key() != signer.public_key_of(bytes(row.key.spki)):
            yield Error(f"The certificate of {row} is for another key.", id="authority.E002")
    except (KeyUnusable, InvalidSignature, ValueError, TypeError) as broken:
        yield Error(f"The key or certificate of {row} is unusable: {type(broken).__name__}.", id="authority.E001")
