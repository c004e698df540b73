"""The linter in front of every signature: pkilint (blocking at WARNING) and the assertions that it lacks.

It reads the structure under a dummy signature, so it stands before the signature, not after (SBR 4.3.1.2). Validators
are made once per process and hold no state of a document.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable
from importlib import metadata
from typing import Any

from cryptography import x509
from cryptography.x509 import ocsp as x509_ocsp
from pkilint import etsi, finding_filter, loader, pkix
from pkilint.cabf import smime
from pkilint.cabf.smime import smime_constants
from pkilint.etsi.etsi_constants import CertificateType
from pkilint.pkix import certificate, crl, extension, name, ocsp
from pkilint.validation import ValidationFindingSeverity

from pki import assertions, crl_entries, smime_assertions
from pki.assertions import Finding
from pki.errors import LintFailed
from pki.gateway import Profile
from pki.smime_profiles import POLICIES

_Results = list[Any]
# The linter logs exceptions with parts of the document in them; here they become findings.
logging.getLogger("pkilint").setLevel(logging.CRITICAL)
UNREADABLE = Finding("document.unreadable")


@functools.cache
def linter() -> str:
    """Name the linter with its version, for the record of what it let pass (SBR 4.3.1.2, 5.4.1)."""
    return f"pkilint {metadata.version('pkilint')}"


def require_clean_certificate(der: bytes, profile: Profile) -> None:
    """Refuse a certificate that the holder's profile does not allow. `LintFailed` names codes and places only."""
    _require_none(findings_in_certificate(der, profile))


def require_clean_authority(der: bytes) -> None:
    """Refuse a certificate of a root, an issuing CA or an OCSP signer in the same way."""
    _require_none(findings_in_authority(der))


def require_clean_crl(der: bytes) -> None:
    """Refuse a CRL in the same way.

    Whether a number is listed twice is not looked for here: with a million entries it would cost more than all the
    rest. The ledger has each number once, and `manage.py invariants` compares; `findings_in_crl` looks.
    """
    _require_none(_findings(lambda: _in_crl(der)))


def require_clean_ocsp(der: bytes) -> None:
    """Refuse an OCSP response in the same way."""
    _require_none(findings_in_ocsp(der))


def findings_in_certificate(der: bytes, profile: Profile) -> list[Finding]:
    """List what is wrong with a holder's certificate."""
    return _findings(lambda: [*_linter_of(profile)(der), *_own(x509.load_der_x509_certificate(der), profile)])


def _linter_of(profile: Profile) -> Callable[[bytes], list[Finding]]:
    if profile in POLICIES:
        return _smime_linter(profile)
    return _etsi_linter() if profile is Profile.QUALIFIED_SIGNATURE else _pkix_linter()


def _own(certificate: x509.Certificate, profile: Profile) -> Iterable[Finding]:
    yield from assertions.of_leaf(certificate, profile)
    if profile in POLICIES:
        yield from smime_assertions.of_mail_certificate(certificate, profile)


def findings_in_authority(der: bytes) -> list[Finding]:
    """List what is wrong with a certificate of our own authorities."""
    return _findings(lambda: [*_pkix_linter()(der), *assertions.of_authority(x509.load_der_x509_certificate(der))])


def findings_in_crl(der: bytes) -> list[Finding]:
    """List what is wrong with a CRL. All entries pass our own check; pkilint sees the first few, with all the rest."""
    return _findings(lambda: [*_in_crl(der), *crl_entries.repetitions(der)])


def _in_crl(der: bytes) -> list[Finding]:
    return [*crl_entries.findings(der), *_crl_linter()(crl_entries.shortened(der))]


def findings_in_ocsp(der: bytes) -> list[Finding]:
    """List what is wrong with an OCSP response."""
    return _findings(lambda: [*_ocsp_linter()(der), *_of_response(x509_ocsp.load_der_ocsp_response(der))])


def _of_response(response: x509_ocsp.OCSPResponse) -> Iterable[Finding]:
    if response.response_status is not x509_ocsp.OCSPResponseStatus.SUCCESSFUL:
        return [Finding("ocsp.not-successful")]
    checks = (
        ("ocsp.no-single-response", any(response.responses)),
        (
            "ocsp.hash",
            response.signature_hash_algorithm is not None and response.signature_hash_algorithm.digest_size >= 32,
        ),
        ("ocsp.responder-key-not-hashed", response.responder_key_hash is not None),
    )
    return [Finding(code) for code, is_fine in checks if not is_fine]


def _findings(look: Callable[[], list[Finding]]) -> list[Finding]:
    """Give what was found; a document that breaks the linter is a finding, never an exception."""
    try:
        return look()
    except Exception:  # noqa: BLE001 (pkilint, pyasn1 and cryptography raise what they like)
        return [UNREADABLE]


def _require_none(found: list[Finding]) -> None:
    if found:
        raise LintFailed("; ".join(f"{finding.code} {finding.path}".strip() for finding in found))


def _blocking(results: _Results) -> list[Finding]:
    return [
        Finding(described.finding.code, result.node.path)
        for result in results
        for described in result.finding_descriptions
        if described.finding.severity <= ValidationFindingSeverity.WARNING
    ]


def _linter(load: Any, validator: Any, filters: list[Any]) -> Callable[[bytes], list[Finding]]:
    def lint(der: bytes) -> list[Finding]:
        results, _ = finding_filter.filter_results(filters, validator.validate(load.load_der_document(der).root))
        return _blocking(results)

    return lint


@functools.cache
def _etsi_linter() -> Callable[[bytes], list[Finding]]:
    kind = CertificateType.QCP_N_QSCD_EIDAS_FINAL_CERTIFICATE
    validator = certificate.create_pkix_certificate_validator_container(
        etsi.create_decoding_validators(kind), etsi.create_validators(kind)
    )
    return _linter(loader.RFC5280CertificateDocumentLoader(), validator, etsi.create_etsi_finding_filters(kind))


@functools.cache
def _smime_linter(profile: Profile) -> Callable[[bytes], list[Finding]]:
    """One container for each type and generation: made in 0.3 s, then a few milliseconds a certificate.

    It is chosen by the profile that was asked for, not by what the certificate says of itself.
    """
    pair = next(
        (level, generation)
        for level in smime_constants.ValidationLevel
        for generation in smime_constants.Generation
        if str(smime_constants.get_policy_oid(level, generation)) == POLICIES[profile].dotted_string
    )
    validator = certificate.create_pkix_certificate_validator_container(
        smime.create_decoding_validators(), smime.create_subscriber_validators(*pair)
    )
    return _linter(loader.RFC5280CertificateDocumentLoader(), validator, [])


@functools.cache
def _pkix_linter() -> Callable[[bytes], list[Finding]]:
    validator = certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
        [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ],
    )
    return _linter(loader.RFC5280CertificateDocumentLoader(), validator, [])


@functools.cache
def _crl_linter() -> Callable[[bytes], list[Finding]]:
    """The PKIX profile: the CA/B one refuses certificateHold, which our certificates may have."""
    validator = crl.create_pkix_crl_validator_container(
        [
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [
            crl.create_issuer_validator_container([]),
            crl.create_validity_validator_container([]),
            crl.create_extensions_validator_container([]),
        ],
    )
    return _linter(loader.RFC5280CertificateListDocumentLoader(), validator, [])


@functools.cache
def _ocsp_linter() -> Callable[[bytes], list[Finding]]:
    validator = ocsp.create_pkix_ocsp_response_validator_container(
        [
            ocsp.create_response_decoder(),
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [],
    )
    return _linter(loader.RFC6960OCSPResponseDocumentLoader(), validator, [])
