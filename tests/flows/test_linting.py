"""The linter of these stories does find faults: each of its tools is shown one, and ours and theirs both speak."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from pki.gateway import Profile
from tests.flows.linting import Linter

FROM = datetime(2024, 3, 4, 9, 0, tzinfo=UTC)
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "prova")])
KEY = ec.generate_private_key(ec.SECP256R1())


def bare_certificate() -> bytes:
    """Without any of the extensions that RFC 5280 wants."""
    builder = x509.CertificateBuilder(NAME, NAME, KEY.public_key(), x509.random_serial_number())
    return signed(builder.not_valid_before(FROM).not_valid_after(FROM + timedelta(days=1)))


def bare_crl() -> bytes:
    """Without number and authority key identifier."""
    builder = x509.CertificateRevocationListBuilder(NAME, FROM, FROM + timedelta(days=1))
    return signed(builder)


def signed(builder) -> bytes:
    return builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER)


PKIX, ETSI = "lint_pkix_cert", "lint_etsi_cert"
CASES = {
    "authority": (lambda linter: linter.authority(bare_certificate()), {PKIX}),
    "authentication": (lambda linter: linter.holders(bare_certificate(), Profile.CNS_AUTHENTICATION), {PKIX}),
    "signature": (lambda linter: linter.holders(bare_certificate(), Profile.QUALIFIED_SIGNATURE), {PKIX, ETSI}),
    "crl": (lambda linter: linter.crl(bare_crl()), {"lint_crl"}),
    "ocsp": (lambda linter: linter.ocsp(bare_crl()), {"lint_ocsp_response"}),
}


@pytest.mark.parametrize("case", CASES)
def test_every_tool_finds_a_planted_fault(tmp_path, case):
    linter, (show, tools) = Linter(tmp_path), CASES[case]
    show(linter)
    assert {tool for tool, _ in linter.found} == {"pki.lint", *tools}
