"""What officers do with orders: findings about checks, the last word, the rejection, papers that came by post.

Who decided what stands in `Finding`, in the check and in the events; attempts that were refused stand in the events
too. The order's row is locked first, then its checks.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from cms.actors import operator as operator_actor
from cms.errors import NotFound
from cms.models import User
from runtime import nudge
from runtime.transactions import use_case
from smime import policy, policy_desk
from smime.models import CaOrder, Check, EvidenceFile, Finding, Order
from smime.policy_desk import Found
from smime.services import attestation, checks, evidence, letters, orders, slots
from smime.services.desk_identity import decide_identification, decide_signature, reopen_biometric
from smime.services.desk_trail import found_check, locked, locked_check, noting_refusal, record
from smime.states import CaOrderKind, CaOrderState, CheckKind, FileKind, FindingOutcome, OrderState

__all__ = [
    "add_evidence",
    "approve_order",
    "decide_identification",
    "decide_signature",
    "leave_check",
    "record_finding",
    "reject_order",
    "reopen_biometric",
    "restart_check",
    "take_check",
]
_CARRY_OUT = "smime.tasks.carry_out_ca_order"


def record_finding(
    check_id: int, *, outcome: str, seen_round: int, found: Found, operator: User, now: datetime, reason: str = ""
) -> Finding:
    """Store what an officer found out, and let the check follow: accepted, refused, papers asked for, or as it was.

    `seen_round`: the round of the data that the officer had before him; `reason`: what the customer reads. Raises what
    is missing for a proof, `CheckChanged`, `CheckNotInReview`, `CheckNotForDesk`, `OfficerIsParty`, `ReasonMissing`.
    """
    seen = found_check(check_id)
    with noting_refusal(seen.order, f"{seen.kind}-{outcome}", operator=operator, now=now):
        return _record_finding(seen, FindingOutcome(outcome), seen_round, found, reason, operator, now)


@use_case
def take_check(check_id: int, *, operator: User, now: datetime) -> Check:
    """Put a check on one's own desk, also from another's; nobody is kept from deciding by it. Twice is once."""
    order = locked(found_check(check_id).order_id)
    check = locked_check(check_id, order)
    policy_desk.require_officer(order, operator)
    if check.held_by != operator.pk:
        check.held_by, check.held_since = operator.pk, now
        check.save(update_fields=["held_by", "held_since"])
        record("smime.check-taken", order, operator=operator, now=now, check=check.kind)
    return check


@use_case
def leave_check(check_id: int, *, operator: User, now: datetime) -> Check:
    """Leave a check to others. Twice is once."""
    order = locked(found_check(check_id).order_id)
    check = locked_check(check_id, order)
    policy_desk.require_officer(order, operator)
    if check.held_by is not None:
        check.held_by = check.held_since = None
        check.save(update_fields=["held_by", "held_since"])
        record("smime.check-left", order, operator=operator, now=now, check=check.kind)
    return check


def restart_check(check_id: int, *, operator: User, now: datetime) -> Check:
    """Ask for a proof anew, of a check that was decided: a mistake was found, or the customer has sent more."""
    seen = found_check(check_id)
    with noting_refusal(seen.order, f"{seen.kind}-restart", operator=operator, now=now):
        return _restart(seen, operator, now)


def approve_order(order_uid: UUID, *, operator: User, now: datetime) -> Order:
    """Say the last word before issuance (OV, SV): everything is proven and fresh, and somebody else has proven it.

    Raises `SecondPersonNeeded`, `ApprovalNotAsked`, `ChecksOpen`, `OrderClosed`, `OfficerIsParty`.
    """
    seen = _found(order_uid)
    with noting_refusal(seen, "approve", operator=operator, now=now):
        return _approve(seen, operator, now)


def reject_order(order_uid: UUID, *, reason: str, operator: User, now: datetime) -> Order:
    """Refuse the order for good, with a reason for the recipient; the slot can be started again. Twice is once.

    A reissue that is refused leads back to the certificate that is there; its reason stands in the event.

    What was planned at the CA is given up by its worker; a certificate that is issued all the same is revoked at once.
    """
    seen = _found(order_uid)
    with noting_refusal(seen, "reject", operator=operator, now=now):
        return _reject(seen, reason, operator, now)


def add_evidence(
    order_uid: UUID, *, name: str, content: bytes, operator: User, now: datetime, sent_as: str = ""
) -> EvidenceFile:
    """Keep a paper that the officer has collected: an extract, a document that came by post. Scanned as any other.

    Opens the file before the transaction. Raises the refusals of files, `OrderClosed`, `OfficerIsParty`.
    """
    seen = _found(order_uid)
    with noting_refusal(seen, "evidence", operator=operator, now=now):
        policy_desk.require_officer(seen, operator)
        policy.require_open(seen)
        examined = evidence.examine(FileKind.OFFICER_EVIDENCE, name=name, content=content, sent_as=sent_as)
        return _add(seen, examined, operator, now)


@use_case
def _record_finding(
    seen: Check, outcome: FindingOutcome, seen_round: int, found: Found, reason: str, operator: User, now: datetime
) -> Finding:
    order = locked(seen.order_id)
    check = locked_check(seen.pk, order)
    policy_desk.require_officer(order, operator)
    policy.require_open(order)
    policy_desk.require_decidable(check)
    policy_desk.require_round(check, seen_round)
    said = policy_desk.require_reason(outcome, reason)
    finding = _stored(check, outcome, found, _facts_of(order, check, outcome, found, now), operator, now)
    facts = {"check": check.kind, "finding": str(finding.pk), "outcome": outcome.value}
    record("smime.finding-recorded", order, operator=operator, now=now, **facts)
    _act(order, check, outcome, said, operator, now)
    return finding


def _facts_of(order: Order, check: Check, outcome: FindingOutcome, found: Found, now: datetime) -> dict[str, Any]:
    """Require the proof of an acceptance and write what it verifies onto the order; else keep what was noted."""
    facts: dict[str, Any] = {"ticked": sorted(found.ticked), "call_outcome": found.call.outcome}
    if check.kind == CheckKind.ORGANISATION:
        facts |= asdict(found.registered)
    if outcome != FindingOutcome.ACCEPTED:
        policy_desk.require_call_sound(order, found.call, now=now)
        return facts
    letter = attestation.newest_letter(order, check) if check.kind == CheckKind.ATTESTATION else None
    policy_desk.require_proof(order, check, found, letter, now=now)
    if check.kind == CheckKind.ORGANISATION:
        order.organisation_name = policy_desk.verified_name(found.registered)
        order.organisation_identifier = policy_desk.verified_identifier(order, found.registered)
        order.save(update_fields=["organisation_name", "organisation_identifier"])
        facts |= {"name": order.organisation_name, "identifier": order.organisation_identifier}
    if letter is not None:
        order.role_title = str((order.attested or {}).get("function", ""))[:64]
        order.save(update_fields=["role_title"])
        facts |= {"file": str(letter.uid), "sha256": letter.sha256}
    return facts


def _stored(
    check: Check, outcome: FindingOutcome, found: Found, facts: dict[str, Any], operator: User, now: datetime
) -> Finding:
    call, longest = found.call, policy_desk.LONGEST
    return Finding.objects.create(
        check_row=check,
        round=check.round,
        officer_id=operator.pk,
        at=now,
        outcome=outcome.value,
        source=found.registered.source,
        reference=found.registered.reference.strip()[:longest],
        contact=policy_desk.require_independent(check.order, call.contact) if call.contact else "",
        contact_source=call.contact_source,
        called_at=call.called_at,
        answered_by=call.answered_by.strip()[:longest],
        facts=facts,
        note=" ".join(found.note.split())[:500],
    )


def _act(order: Order, check: Check, outcome: FindingOutcome, reason: str, operator: User, now: datetime) -> None:
    if outcome == FindingOutcome.ACCEPTED:
        checks.pass_check(check, at=now, method=policy_desk.method_of(check), by=operator.pk)
        if check.kind == CheckKind.ORGANISATION:
            letters.post_organisation_check(order, passed=True, at=now)
    elif outcome == FindingOutcome.REFUSED:
        failed = checks.fail_check(check, at=now, reason=reason, by=operator.pk)
        letters.post_papers_missing(order, failed, reason, at=now)
    elif outcome == FindingOutcome.PAPERS:
        check.ask_customer(at=now, reason=reason)
        check.save()
        record("smime.papers-asked", order, operator=operator, now=now, check=check.kind)
        letters.post_papers_missing(order, check, reason, at=now)


@use_case
def _restart(seen: Check, operator: User, now: datetime) -> Check:
    order = locked(seen.order_id)
    policy_desk.require_officer(order, operator)
    policy.require_open(order)
    return checks.restart(locked_check(seen.pk, order), at=now)


@use_case
def _approve(seen: Order, operator: User, now: datetime) -> Order:
    order = locked(seen.pk)
    policy_desk.require_officer(order, operator)
    policy.require_open(order)
    policy_desk.require_second_person(order, order.checks.all(), operator)
    return checks.approve(order, officer_id=operator.pk, at=now)


@use_case
def _reject(seen: Order, reason: str, operator: User, now: datetime) -> Order:
    order = locked(seen.pk)
    policy_desk.require_officer(order, operator)
    if order.state == OrderState.REJECTED:
        return order
    said = policy_desk.require_reason(FindingOutcome.REFUSED, reason)
    policy_desk.require_rejectable(order)
    if orders.keep_certificate(order, actor=operator_actor(operator), at=now, reason=said):
        letters.post_reissue_refused(order, said, at=now)
        return order
    order.reject(reason=said, at=now)
    order.save()
    if not CaOrder.objects.filter(order=order, kind=CaOrderKind.ISSUE, state=CaOrderState.SENT).exists():
        slots.free_slot(order)  # else the worker does, once it knows that the CA has issued nothing
    record("smime.order-rejected", order, operator=operator, now=now)
    letters.post_refused(order, said, at=now)
    for planned in CaOrder.objects.filter(order=order, kind=CaOrderKind.ISSUE, state=CaOrderState.PLANNED):
        nudge.after_commit(_CARRY_OUT, planned.pk)
    return order


@use_case
def _add(seen: Order, examined: evidence.Examined, operator: User, now: datetime) -> EvidenceFile:
    order = locked(seen.pk)
    policy.require_open(order)
    file = evidence.keep(order, FileKind.OFFICER_EVIDENCE, examined, by=operator.pk, at=now)
    record("smime.evidence-added", order, operator=operator, now=now, file=str(file.pk))
    return file


def _found(order_uid: UUID) -> Order:
    order = Order.objects.select_related("buyer").filter(uid=order_uid).first()
    if order is None:
        raise NotFound
    return order
