"""What officers decide about a person: the comparison of face, document and data, and the signed form.

Number, issuer and validity of the document are recorded (SBR 3.2.4.2), sealed: nobody but an officer's page reads them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from django.utils import translation
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables

from cms.errors import NotFound
from cms.models import User
from cms.policy import rome_date
from runtime import sealing
from runtime.transactions import use_case
from smime import policy, policy_desk, policy_signature
from smime.errors import desk as errors
from smime.models import Check, Finding, IdentificationAttempt, Order, SignatureReport
from smime.policy_desk import Document
from smime.services import checks, consent, identification, identity_evidence, letters, signature, signature_verdicts
from smime.services.desk_trail import found_check, locked, locked_check, noting_refusal, record
from smime.states import CheckState, FindingOutcome, IdentityPath, Verdict

_VALID = frozenset({Verdict.ACCEPTED, Verdict.FOR_OFFICER})


@sensitive_variables("document")
def decide_identification(
    attempt_id: int,
    *,
    outcome: str,
    document: Document,
    ticked: Collection[str],
    operator: User,
    now: datetime,
    note: str = "",
) -> Finding:
    """Accept the provider's outcome after comparing face, document and data, or refuse it: then the attempt failed.

    Raises `IdentityPhotosMissing`, `FieldsNotCompared`, `DocumentIncomplete`, `DocumentExpired`,
    `AttemptUndecidable`, `OfficerIsParty`.
    """
    attempt = IdentificationAttempt.objects.select_related("order__buyer").filter(pk=attempt_id).first()
    if attempt is None:
        raise NotFound
    with noting_refusal(attempt.order, f"identification-{outcome}", operator=operator, now=now):
        return _decide_attempt(attempt, FindingOutcome(outcome), document, ticked, note, operator, now)


@sensitive_variables("document")
def decide_signature(
    report_id: int,
    *,
    outcome: str,
    document: Document,
    ticked: Collection[str],
    operator: User,
    now: datetime,
    reason: str = "",
    note: str = "",
) -> Finding:
    """Accept a valid signed form together with a document that the officer has seen, or refuse it with a reason.

    After a refusal the recipient may send another file by the same link. Raises as above, `SignatureNotInReview`,
    `ReasonMissing`, `CheckChanged` if the order's data are not the form's any more.
    """
    report = SignatureReport.objects.select_related("form__order__buyer").filter(pk=report_id).first()
    if report is None:
        raise NotFound
    order = report.form.order
    with noting_refusal(order, f"signature-{outcome}", operator=operator, now=now):
        return _decide_report(report, FindingOutcome(outcome), document, ticked, reason, note, operator, now)


def reopen_biometric(check_id: int, *, reason: str, operator: User, now: datetime) -> Check:
    """Lead an order back from the alternative to the biometric way, for two further attempts at most; `reason`: why.

    Form and signed file of the alternative are void; earlier attempts stay on record. The recipient is invited anew,
    or asked for his consent first where he had refused or withdrawn it: nobody of the office gives it for him.
    Raises `BiometricNotClosed`, `ReopeningUnexplained`, `OfficerIsParty`, `OrderClosed`.
    """
    seen = found_check(check_id)
    with noting_refusal(seen.order, "biometric-reopen", operator=operator, now=now):
        return _reopen(seen, reason, operator, now)


@sensitive_variables()
def document_of(finding: Finding) -> dict[str, str]:
    """What was recorded of an identity document, for the officer's page alone; empty where there is none."""
    sealed = finding.facts.get("document_sealed")
    if not sealed:
        return {}
    plain = sealing.unseal(base64.b64decode(sealed), context=_context(finding.uid))
    found: dict[str, str] = json.loads(plain)
    return found


@use_case
@sensitive_variables("document")
def _decide_attempt(
    seen: IdentificationAttempt,
    outcome: FindingOutcome,
    document: Document,
    ticked: Collection[str],
    note: str,
    operator: User,
    now: datetime,
) -> Finding:
    order = locked(seen.order_id)
    policy_desk.require_officer(order, operator)
    policy.require_open(order)
    check = signature.identity_of(order)
    if outcome == FindingOutcome.ACCEPTED:
        policy_desk.require_photos(identity_evidence.photos_of(seen))
        _require_seen(document, ticked, rome_date(now))
    facts = {"attempt": str(seen.pk), "ticked": sorted(ticked)}
    finding = _kept(check, outcome, facts, document, note, operator, now)
    if outcome == FindingOutcome.ACCEPTED:
        identification.accept_attempt(seen.pk, by=operator.pk, at=now)
    else:
        identification.refuse_attempt(seen.pk, by=operator.pk, at=now)
    return finding


@use_case
@sensitive_variables("document")
def _decide_report(
    seen: SignatureReport,
    outcome: FindingOutcome,
    document: Document,
    ticked: Collection[str],
    reason: str,
    note: str,
    operator: User,
    now: datetime,
) -> Finding:
    order = locked(seen.form.order_id)
    policy_desk.require_officer(order, operator)
    policy.require_open(order)
    check = locked_check(signature.identity_of(order).pk, order)
    policy_signature.require_of_now(seen.form, check, signature.data_now(seen.form, order))
    _require_in_review(order, check, seen)
    said = policy_desk.require_reason(outcome, reason)
    if outcome == FindingOutcome.ACCEPTED:
        _require_seen(document, ticked, rome_date(now))
    facts = {"report": str(seen.pk), "ticked": sorted(ticked)}
    finding = _kept(check, outcome, facts, document, note, operator, now)
    if outcome == FindingOutcome.ACCEPTED:
        checks.pass_check(check, at=now, method=signature_verdicts.method(), by=operator.pk)
        letters.post_identification_passed(order, at=now)
    else:
        _send_back(order, check, said, now)
    return finding


@use_case
def _reopen(seen: Check, reason: str, operator: User, now: datetime) -> Check:
    order = locked(seen.order_id)
    policy_desk.require_officer(order, operator)
    policy.require_open(order)
    check = locked_check(seen.pk, order)
    said = policy_desk.require_reopenable(check, reason)
    signature.close_alternative(order, at=now)
    check.path = IdentityPath.BIOMETRIC
    check.save(update_fields=["path"])
    consent.renew(order, at=now)
    facts = {"check": check.kind, "round": str(check.round)}
    record("smime.biometric-reopened", order, operator=operator, now=now, reason=said, **facts)
    return checks.restart(check, at=now)


def _require_seen(document: Document, ticked: Collection[str], today: date) -> None:
    policy_desk.require_compared(ticked, policy_desk.COMPARED)
    policy_desk.require_document(document, today=today)


def _require_in_review(order: Order, check: Check, report: SignatureReport) -> None:
    newest = signature.newest_report(order, check)
    is_waiting = check.state == CheckState.IN_REVIEW and check.path == IdentityPath.SIGNATURE
    if not is_waiting or newest is None or newest.pk != report.pk or newest.verdict not in _VALID:
        raise errors.SignatureNotInReview


def _send_back(order: Order, check: Check, reason: str, now: datetime) -> None:
    """As after a file that proves nothing: the way stays open."""
    with translation.override(order.language):
        again = gettext("Può caricare un altro file dal collegamento dell'e-mail «Usa il processo alternativo».")
    check.ask_customer(at=now, reason=reason)
    check.save()
    letters.post_papers_missing(order, check, f"{reason} {again}", at=now)


@sensitive_variables("document")
def _kept(
    check: Check,
    outcome: FindingOutcome,
    facts: dict[str, Any],
    document: Document,
    note: str,
    operator: User,
    now: datetime,
) -> Finding:
    uid = uuid4()
    if document.number:
        facts["document_sealed"] = _sealed(document, uid)
    finding = Finding.objects.create(
        uid=uid,
        check_row=check,
        round=check.round,
        officer_id=operator.pk,
        at=now,
        outcome=outcome.value,
        facts=facts,
        note=" ".join(note.split())[:500],
    )
    told = {"check": check.kind, "finding": str(finding.pk), "outcome": outcome.value}
    record("smime.finding-recorded", check.order, operator=operator, now=now, **told)
    return finding


@sensitive_variables()
def _sealed(document: Document, uid: object) -> str:
    said = {
        "kind": document.kind,
        "number": document.number.strip(),
        "issuer": document.issuer.strip(),
        "valid_until": document.valid_until.isoformat() if document.valid_until else "",
    }
    plain = json.dumps(said, ensure_ascii=False).encode()
    return base64.b64encode(sealing.seal(plain, context=_context(uid))).decode()


def _context(uid: object) -> str:
    return f"smime.finding:{uid}"
