"""One signature against the trusted lists: valid, qualified, made on a qualified device, not revoked.

The verdict follows ETSI EN 319 102-1 §5.3 (basic signatures: most holders sign without a timestamp). Qualification is
assessed here at the given instant, since the library asks the clock; nothing is fetched. What cannot be answered now (a
list is missing or outdated, nobody has told of revocation) is pending, never yes.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from asn1crypto import x509
from pyhanko.sign.ades.report import AdESFailure, AdESIndeterminate, AdESPassed
from pyhanko.sign.general import extract_certificate_info
from pyhanko.sign.validation.ades import AdESBasicValidationResult, ades_basic_validation
from pyhanko.sign.validation.policy_decl import (
    CertificateFetchingRule,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
    bootstrap_validation_data_handlers,
)
from pyhanko.sign.validation.qualified.assess import QualificationAssessor
from pyhanko.sign.validation.qualified.q_status import QcPrivateKeyManagementType, QualifiedStatus
from pyhanko.sign.validation.qualified.tsp import QcCertType, TSPTrustManager
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.poe import POEManager
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.policy_decl import (
    CertRevTrustPolicy,
    RevocationCheckingPolicy,
    RevocationCheckingRule,
)

from pki import embedded_evidence, qualified_revocation, trust_lists
from pki.qualified_files import Layer, sha256
from pki.qualified_revocation import Known, Trust
from pki.status_answers import Question

_DEVICES = frozenset({QcPrivateKeyManagementType.QSCD, QcPrivateKeyManagementType.QSCD_DELEGATED})
# The library names signers (name, tax code) in its log lines; what went wrong is in our code.
for _logger in ("pyhanko", "pyhanko_certvalidator"):
    logging.getLogger(_logger).setLevel(logging.CRITICAL)


class Verdict(StrEnum):
    """What is said of a file; only `ACCEPTED` proves anything."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    PENDING = "pending"
    FOR_OFFICER = "for-officer"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is said of one signature, what a report keeps of it, and where missing revocation lists are published.

    `questions` are those to responders whose answers would do as well.
    """

    verdict: Verdict
    code: str
    entry: dict[str, Any] = field(repr=False)
    wanted: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()


def judge_layer(layer: Layer, trust: Trust, *, at: datetime) -> Judgement:
    """Validate one signature: mathematics, chain to a listed service, revocation, qualification, device, in this order.

    `SignatureValidationError` and others of the libraries come through for structures that they do not understand.
    """
    known, result = _validated(layer, trust, at)
    entry: dict[str, Any] = {
        "kind": layer.kind,
        "claimed_at": layer.claimed_at,
        "signer_sha256": sha256(signer_of(layer).dump()),
        "indication": str(result.ades_subindic),
        **known.report(),
    }
    if result.ades_subindic is not AdESPassed.OK:
        return _not_passed(layer, result, trust, entry, at)
    status = result.api_status
    path = status.validation_path if status is not None else None
    if status is None or path is None or status.bottom_line is not True or path.pkix_len == 0:
        return Judgement(Verdict.REFUSED, "signature-invalid", entry)
    qualification = QualificationAssessor(trust.services).check_entity_cert_qualified(path, at)
    entry.update(_evidence(path, qualification.status))
    objection = _unqualified(path, trust, at)
    if objection:
        return Judgement(Verdict.REFUSED, objection, entry)
    return Judgement(Verdict.ACCEPTED, "signature-qualified", entry)


def _validated(layer: Layer, trust: Trust, at: datetime) -> tuple[Known, AdESBasicValidationResult[Any]]:
    """Validate with our own knowledge, then with what the file brings along as well: the first certain word counts.

    A revocation counts whoever brings it: a newer list in the file may know what ours does not know yet.
    """
    found = None
    for known in qualified_revocation.in_turn(layer, trust, at):
        result = asyncio.run(_basic_validation(layer, trust, known, at))
        indication = result.ades_subindic
        if found is None or found[1].ades_subindic not in _CERTAIN or indication in _REVOKED:
            found = known, result
        if indication in _CERTAIN and indication is not AdESPassed.OK:
            break
    assert found is not None  # noqa: S101 - our own knowledge is always there, however little it is
    return found


async def _basic_validation(layer: Layer, trust: Trust, known: Known, at: datetime) -> AdESBasicValidationResult[Any]:
    specification = SignatureValidationSpec(
        cert_validation_policy=CertValidationPolicySpec(
            trust_manager=TSPTrustManager(trust.services),
            # An answer is younger than the instant at which the work on it began; how young, was looked at before.
            revinfo_policy=CertRevTrustPolicy(
                _checking(RevocationCheckingRule.CRL_OR_OCSP_REQUIRED), retroactive_revinfo=True
            ),
        ),
        # Addresses in an unknown signer's certificate are the attacker's: nothing is fetched here, ever.
        revinfo_gathering_policy=RevocationInfoGatheringSpec(
            online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY,
            certificate_fetching_rule=CertificateFetchingRule.NEVER_FETCH,
        ),
        local_knowledge=known.local(),
        key_usage_settings=KeyUsageConstraints(key_usage={"non_repudiation"}),
    )
    timing = ValidationTimingInfo(validation_time=at, best_signature_time=at, point_in_time_validation=True)
    # Without the instant the library would say that today's revocation lists did not exist `at` that time.
    handlers = bootstrap_validation_data_handlers(
        specification, timing, poe_manager_override=POEManager(current_dt_override=at)
    )
    return await ades_basic_validation(
        layer.signed_data,
        specification,
        timing_info=timing,
        raw_digest=layer.raw_digest,
        validation_data_handlers=handlers,
    )


def _checking(rule: RevocationCheckingRule) -> RevocationCheckingPolicy:
    return RevocationCheckingPolicy(ee_certificate_rule=rule, intermediate_ca_cert_rule=rule)


_REFUSALS = {
    AdESIndeterminate.REVOKED_NO_POE: "certificate-revoked",
    AdESFailure.REVOKED: "certificate-revoked",
    AdESIndeterminate.REVOKED_CA_NO_POE: "certificate-revoked",
    AdESIndeterminate.OUT_OF_BOUNDS_NO_POE: "certificate-expired",
    AdESIndeterminate.OUT_OF_BOUNDS_NOT_REVOKED: "certificate-expired",
    AdESIndeterminate.EXPIRED: "certificate-expired",
    AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE: "algorithm-weak",
    AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE_NO_POE: "algorithm-weak",
    AdESFailure.HASH_FAILURE: "document-changed",
    AdESFailure.SIG_CRYPTO_FAILURE: "signature-broken",
    AdESIndeterminate.SIG_CONSTRAINTS_FAILURE: "certificate-not-for-signing",
    AdESIndeterminate.CHAIN_CONSTRAINTS_FAILURE: "certificate-not-for-signing",
}


_REVOKED = frozenset(cause for cause, code in _REFUSALS.items() if code == "certificate-revoked")
_CERTAIN = frozenset({AdESPassed.OK, AdESIndeterminate.NO_CERTIFICATE_CHAIN_FOUND, *_REFUSALS})


def _not_passed(
    layer: Layer, result: AdESBasicValidationResult[Any], trust: Trust, entry: dict[str, Any], at: datetime
) -> Judgement:
    indication = result.ades_subindic
    if indication in _REFUSALS:
        return Judgement(Verdict.REFUSED, _REFUSALS[indication], entry)
    if indication is AdESIndeterminate.NO_CERTIFICATE_CHAIN_FOUND:
        if trust_lists.territory_of(signer_of(layer)) in trust.uncertain:
            return Judgement(Verdict.PENDING, "list-outdated", entry)
        return Judgement(Verdict.REFUSED, "issuer-unlisted", entry)
    path = asyncio.run(_path_to_a_listed_service(layer, trust, at))
    if path is None:
        return Judgement(Verdict.REFUSED, "signature-invalid", entry)
    objection = _unqualified(path, trust, at)
    if objection:
        return Judgement(Verdict.REFUSED, objection, entry)
    wanted, questions = qualified_revocation.published_at(path), qualified_revocation.questions_on(path)
    return Judgement(Verdict.PENDING, "revocation-unknown", entry, wanted, questions)


async def _path_to_a_listed_service(layer: Layer, trust: Trust, at: datetime) -> ValidationPath | None:
    """Give the path where nothing but the answer about revocation is missing; so somebody listed has signed it all."""
    context = ValidationContext(
        trust_manager=TSPTrustManager(trust.services),
        moment=at,
        allow_fetching=False,
        revinfo_policy=CertRevTrustPolicy(_checking(RevocationCheckingRule.NO_CHECK)),
    )
    found = extract_certificate_info(layer.signed_data)
    brought = embedded_evidence.certificates(layer.evidence)
    validator = CertificateValidator(
        found.signer_cert, intermediate_certs=[*found.other_certs, *brought], validation_context=context
    )
    try:
        path: ValidationPath = await validator.async_validate_usage(key_usage={"non_repudiation"})
    except Exception:  # noqa: BLE001 - the library names no closed list of exceptions; no path is no path
        return None
    return path


def _unqualified(path: ValidationPath, trust: Trust, at: datetime) -> str | None:
    """Say what the certificate lacks now, or lacked when it was issued (ETSI TS 119 615 §4.4 asks for both)."""
    assessor = QualificationAssessor(trust.services)
    status = assessor.check_entity_cert_qualified(path, at).status
    if not status.qualified:
        return "certificate-unqualified"
    if status.qc_type is not QcCertType.QC_ESIGN:
        return "certificate-not-personal"
    if status.qc_key_security not in _DEVICES:
        return "device-unqualified"
    leaf = path.leaf
    if leaf is None or not assessor.check_entity_cert_qualified(path, leaf.not_valid_before).status.qualified:
        return "certificate-unqualified"
    return None


def _evidence(path: ValidationPath, status: QualifiedStatus) -> dict[str, Any]:
    """Keep what the verdict rests on; the signer's own certificate stays in the sealed file, since it names him."""
    issuers = list(path.iter_certs(include_root=True))[:-1]
    return {
        "qualified": status.qualified,
        "type": status.qc_type.name,
        "device": status.qc_key_security.name,
        "issuers": [base64.b64encode(certificate.dump()).decode() for certificate in issuers],
    }


def signer_of(layer: Layer) -> x509.Certificate:
    """Give the signer's certificate; nothing about it is proven by that."""
    return extract_certificate_info(layer.signed_data).signer_cert
