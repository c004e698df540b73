"""Revocations at the panel, with the renewal cases that they end: one transaction, cases locked before certificates."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime

from django.db.models import Q

from cms.actors import Actor
from cms.actors import operator as operator_actor
from cms.models import Certificate, RevocationProposal, User
from cms.services import revocations
from cms.services.halves import Choice
from renewals import policy, queries
from renewals.models import RenewalCase
from renewals.services import cases
from runtime.transactions import use_case


@use_case
def revoke_certificates(choice: Choice, *, cause: str, note: str, operator: User, now: datetime) -> list[Certificate]:
    """Revoke as `cms.services.revocations` does; the pair's cases follow."""
    found = locked_cases(choice.pair_id)
    named = replace(choice, case_code=birth_of(choice.pair_id, found))
    revoked = revocations.revoke_certificates(named, cause=cause, note=note, operator=operator, now=now)
    let_follow(choice.pair_id, found, actor=operator_actor(operator), now=now)
    return revoked


@use_case
def confirm_revocation(uid: uuid.UUID, *, operator: User, now: datetime) -> RevocationProposal:
    """Confirm as `cms.services.revocations` does; the pair's cases follow."""
    pair_id = RevocationProposal.objects.filter(uid=uid).values_list("pair_id", flat=True).first() or 0
    found = locked_cases(pair_id)
    proposal = revocations.confirm_revocation(uid, operator=operator, now=now, case_code=birth_of(pair_id, found))
    let_follow(pair_id, found, actor=operator_actor(operator), now=now)
    return proposal


def locked_cases(pair_id: int) -> list[RenewalCase]:
    """Lock the case that made the pair and the one that would replace it, before any certificate."""
    mine = RenewalCase.objects.filter(Q(new_pair_id=pair_id) | Q(old_pair_id=pair_id)).order_by("pk")
    return list(mine.select_for_update(of=("self",), no_key=True))


def birth_of(pair_id: int, found: list[RenewalCase]) -> str:
    """Code of the case that made the pair; empty for one that came by import."""
    return next((case.code for case in found if case.new_pair_id == pair_id), "")


def code_of_birth(pair_id: int) -> str:
    """The same, read without a lock: for what changes no case."""
    return RenewalCase.objects.filter(new_pair_id=pair_id).values_list("code", flat=True).first() or ""


def let_follow(pair_id: int, found: list[RenewalCase], *, actor: Actor, now: datetime) -> None:
    """A new pair that is gone stops its case's clock; an old one that is no longer whole cannot be renewed."""
    left = queries.left_without_certificates({pair_id})
    left.update(withdrawn_at=now, **policy.NOTHING_PLANNED)
    for case in found:
        if case.old_pair_id == pair_id and case.is_open:
            cases.cancel_case(case.pk, reason="old-certificate-revoked", actor=actor, at=now)
