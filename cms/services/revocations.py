"""Revoking certificates at the panel, alone or under four eyes. It is final, so every rule is asked again under lock.

Doors that know of renewal cases call `renewals.services.revocations`, which lets the cases follow.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime

from django.db import IntegrityError, transaction

from cms import policy
from cms.errors import NotFound, ProposalWaiting, SecondPersonNeeded, SecondPersonNotNeeded
from cms.models import Certificate, RevocationProposal, User
from cms.services import certificates, deadlines, halves
from cms.services.halves import Choice, Chosen
from cms.states import CertificateStatus, ProposalState, RevocationCause
from notifications.catalog import Message
from runtime.transactions import use_case


@use_case
def revoke_certificates(choice: Choice, *, cause: str, note: str, operator: User, now: datetime) -> list[Certificate]:
    """Ask the CA to revoke the chosen halves, for good. Returns those whose revocation was not yet asked."""
    known = policy.require_operators_cause(cause)
    chosen = halves.locked(choice, operator)
    if chosen.pair.agreement.four_eyes_revocation:
        raise SecondPersonNeeded
    return _revoke(chosen, known, halves.clean_note(note), operator=operator, now=now)


@use_case
def propose_revocation(choice: Choice, *, cause: str, note: str, operator: User, now: datetime) -> RevocationProposal:
    """Let a revocation wait for a second person; nothing changes before. Proposed twice by the same person is once."""
    known = policy.require_operators_cause(cause)
    chosen = halves.locked(choice, operator)
    if not chosen.pair.agreement.four_eyes_revocation:
        raise SecondPersonNotNeeded
    for half in chosen.halves:
        policy.require_in_use(half, now)
    note = halves.clean_note(note)
    proposal = RevocationProposal(
        pair=chosen.pair,
        centre_id=chosen.pair.centre_id,
        service_id=chosen.pair.service_id,
        certificate_ids=sorted(choice.certificate_ids),
        cause=known,
        note=note,
        proposed_by=operator.pk,
        proposed_at=now,
    )
    try:
        with transaction.atomic():
            proposal.save()
    except IntegrityError:
        return _same_or_refused(proposal)
    halves.record("certificate.revocation-proposed", chosen, operator=operator, at=now, reason=known, note=note)
    return proposal


@use_case
def confirm_revocation(uid: uuid.UUID, *, operator: User, now: datetime, case_code: str = "") -> RevocationProposal:
    """Confirm another person's proposal: from here on the revocation runs as one that needs nobody else."""
    proposal = locked_proposal(uid)
    chosen = halves.locked(_choice_of(proposal, case_code), operator)
    policy.require_waiting(proposal)
    policy.require_second_person(proposal, operator)
    _decide(proposal, ProposalState.CARRIED_OUT, operator=operator, now=now)
    _revoke(chosen, RevocationCause(proposal.cause), proposal.note, operator=operator, now=now)
    return proposal


@use_case
def refuse_revocation(uid: uuid.UUID, *, operator: User, now: datetime) -> RevocationProposal:
    """Refuse another person's proposal: the certificates stay as they are."""
    proposal = locked_proposal(uid)
    chosen = halves.locked(_choice_of(proposal), operator)
    policy.require_waiting(proposal)
    policy.require_second_person(proposal, operator)
    _decide(proposal, ProposalState.REFUSED, operator=operator, now=now)
    halves.record("certificate.revocation-refused", chosen, operator=operator, at=now, reason=proposal.cause)
    return proposal


@use_case
def withdraw_revocation(uid: uuid.UUID, *, operator: User, now: datetime) -> RevocationProposal:
    """Take one's own proposal back."""
    proposal = locked_proposal(uid)
    chosen = halves.locked(_choice_of(proposal), operator)
    policy.require_waiting(proposal)
    policy.require_proposer(proposal, operator)
    _decide(proposal, ProposalState.WITHDRAWN, operator=operator, now=now)
    halves.record("certificate.revocation-withdrawn", chosen, operator=operator, at=now, reason=proposal.cause)
    return proposal


def locked_proposal(uid: uuid.UUID) -> RevocationProposal:
    """Lock a proposal, before its certificates."""
    proposal = RevocationProposal.objects.select_for_update(no_key=True).filter(uid=uid).first()
    if proposal is None:
        raise NotFound
    return proposal


def _choice_of(proposal: RevocationProposal, case_code: str = "") -> Choice:
    return Choice(proposal.pair_id, frozenset(proposal.certificate_ids), case_code)


def _same_or_refused(proposal: RevocationProposal) -> RevocationProposal:
    waiting = RevocationProposal.objects.filter(pair=proposal.pair, state=ProposalState.WAITING).first()
    same = ("proposed_by", "certificate_ids", "cause")
    if waiting is None or any(getattr(waiting, name) != getattr(proposal, name) for name in same):
        raise ProposalWaiting
    return waiting


def _decide(proposal: RevocationProposal, state: ProposalState, *, operator: User, now: datetime) -> None:
    proposal.state, proposal.decided_by, proposal.decided_at = state, operator.pk, now
    proposal.save(update_fields=["state", "decided_by", "decided_at"])


def _revoke(chosen: Chosen, cause: RevocationCause, note: str, *, operator: User, now: datetime) -> list[Certificate]:
    asked = certificates.revocations_standing(halves.ids(chosen.halves))
    left = [half for half in chosen.halves if half.pk not in asked and half.status != CertificateStatus.REVOKED]
    new = replace(chosen, halves=left)
    for half in left:
        policy.require_in_use(half, now)
    reason = halves.said(f"{cause.label}.", note)
    ended = deadlines.ended_with(new.pair.pk, left, at=now)
    told = halves.letter(new, Message.REVOKED, at=now, reason=reason, ended_entries=ended)
    for half in left:
        certificates.request_revocation(half, cause, at=now, case_code=chosen.case_code, announcement=told)
    halves.record("certificate.revocation-asked", new, operator=operator, at=now, reason=cause, note=note)
    return left
