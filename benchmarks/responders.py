"""What the OCSP benchmark needs of the product before it is served (imported once the settings stand)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from authority.models import CertificationAuthority
from authority.services import ceremony
from authority.services.ocsp_der import issuer_hashes
from authority.states import Role
from benchmarks import ledger
from benchmarks.services import Servers
from runtime import clock

CA_AGE = timedelta(days=3650)
NONCE_OCTETS = 16
LISTED_SHARE = 10  # one in ten is revoked


def found(servers: Servers, database: str, key_type: str, size: int) -> Callable[..., bytes]:
    """Make a database with a CA and its ledger; returns what writes the question about its n-th certificate."""
    servers.copy_database(database)
    with ledger.working_on(database):
        at = clock.now()
        ceremony.hold_ceremony(key_type=key_type, valid_from=at - CA_AGE, at=at)
        listed = size // LISTED_SHARE
        ledger.fill(servers.postgres.address, database, listed={at.year: listed}, good=size - listed)
        issuer = CertificationAuthority.objects.get(role=Role.CNS)
    hashed = issuer_hashes(bytes(issuer.certificate), "sha1")

    def question(number: int, *, has_nonce: bool) -> bytes:
        asked = ocsp.OCSPRequestBuilder().add_certificate_by_hash(*hashed, ledger.serial(number), hashes.SHA1())  # noqa: S303
        if has_nonce:
            asked = asked.add_extension(x509.OCSPNonce(secrets.token_bytes(NONCE_OCTETS)), critical=False)
        return asked.build().public_bytes(Encoding.DER)

    return question
