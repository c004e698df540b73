"""What a centre decides: Approva, Non approva, Cancella, Riapri. The same use cases serve case page and bulk."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings

from cms import policy as register
from cms.actors import operator as operator_actor
from cms.contacts import CONTROL
from cms.fsm import refusing_illegal_moves
from cms.models import Certificate, Pair, User
from cms.services import certificates, deadlines
from cms.states import HoldCause
from notifications.catalog import Message
from renewals import errors, policy, queries
from renewals.flows import POLICIES, terms_of
from renewals.models import RenewalCase
from renewals.services import eligibility, notices
from renewals.services.cases import PLAN_FIELDS, cancel_case, end_as_cancelled, locked, open_again, plan, record
from renewals.states import Authorisation, CaseState
from runtime.transactions import use_case

LONGEST_REASON = 300
LONGEST_CLOSE_REASON = 200
_DECISION_FIELDS = ["authorisation", "decided_by", "decided_at", "decision_reason", *PLAN_FIELDS]


@use_case
def approve_renewal(case_id: int, *, operator: User, now: datetime) -> RenewalCase:
    """Approve a renewal and lift the suspension that waiting has caused or is about to cause. Twice is once."""
    case = _decidable(case_id, operator)
    if case.authorisation == Authorisation.APPROVED:
        return case
    halves = _staying(_new_certificates(case))
    was_suspended = case.suspended_at is not None
    with refusing_illegal_moves():
        case.approve(by=operator.pk, at=now)
    plan(case)
    case.save(update_fields=_DECISION_FIELDS)
    notices.withdraw_warnings(case)
    record("case.approved", case, actor=operator_actor(operator), at=now)
    if was_suspended:
        _lift(case, halves, operator=operator, now=now)
    else:
        notices.tell(case, Message.AUTHORISED, at=now, new_not_after=_new_not_after(case, halves).isoformat())
    return case


@use_case
def refuse_renewal(case_id: int, *, operator: User, reason: str, now: datetime) -> RenewalCase:
    """Refuse: before installation the case is cancelled; afterwards the refusal is recorded and the clock goes on."""
    reason = tidy_reason(reason)
    case = _decidable(case_id, operator)
    if case.authorisation == Authorisation.REFUSED:
        return case
    was_installed = case.state == CaseState.COMPLETED
    with refusing_illegal_moves():
        case.refuse(by=operator.pk, at=now, reason=reason)
    plan(case)
    case.save(update_fields=_DECISION_FIELDS)
    actor = operator_actor(operator)
    notices.withdraw_warnings(case)
    if not was_installed:
        end_as_cancelled(case, reason="refused", actor=actor, at=now)
    record("case.refused", case, actor=actor, at=now, reason=reason)
    notices.tell(case, Message.REFUSED, at=now, reason=reason, **_still_time(case, now))
    return case


def _still_time(case: RenewalCase, now: datetime) -> dict[str, Any]:
    """Until when an approval still helps: the old expiry while the certificates work, then the end of day 120."""
    if not case.waits_for_approval:
        return {}
    suspended_at = case.suspended_at or (now if case.refusal_suspends_at_once else None)
    if suspended_at is None:
        return {"authorise_by": case.old_not_after.isoformat()}
    last = register.hold_lapses_at(suspended_at, settings.CMS.hold_days) - register.ONE_SECOND
    return {"authorise_by": last.isoformat(), "suspended_at": suspended_at.isoformat()}


@use_case
def cancel_renewal(case_id: int, *, operator: User, reason: str, now: datetime) -> RenewalCase:
    """Cancel a case before installation, by an operator of its centre; the holder is told. Twice is once."""
    reason = tidy_reason(reason)[:LONGEST_CLOSE_REASON]
    case = locked(case_id)
    _require_own(case, operator)
    return cancel_case(case_id, reason=reason, actor=operator_actor(operator), at=now)


@use_case
def reopen_renewal(case_id: int, *, operator: User, now: datetime) -> RenewalCase:
    """Open a new case for the pair of a cancelled one, the only way past a closed pair; return the new case.

    Refused when the pair cannot be renewed any more, and with the reason that the holder would be told. Twice is once.
    """
    case = locked(case_id)
    _require_own(case, operator)
    already = RenewalCase.objects.filter(reopens=case).first()
    if already is not None:
        return already
    pair = Pair.objects.select_related("card__family", "service__successor").get(pk=case.old_pair_id)
    if not queries.is_closed(pair) or queries.last_case_of(pair) != case:
        raise errors.NotReopenable
    case.old_pair = pair
    terms = eligibility.require_reopenable(case, renewed=queries.is_renewed(pair), now=now)
    actor = operator_actor(operator)
    reopened = open_again(case, pair, terms, actor=actor, at=now)
    record("case.reopened", case, actor=actor, at=now, facts={"as": reopened.code})
    return reopened


def tidy_reason(text: str) -> str:
    """Bring a reason to one line without control characters; raises ReasonMissing where nothing is left."""
    reason = " ".join(CONTROL.sub(" ", text).split())[:LONGEST_REASON]
    if not reason:
        raise errors.ReasonMissing
    return reason


def _require_own(case: RenewalCase, operator: User) -> None:
    """A deciding member of the centre, and not the holder himself."""
    register.require_member(operator, case.centre_id, register.DECIDING_ROLES)
    policy.require_not_holder(case, operator)


def _decidable(case_id: int, operator: User) -> RenewalCase:
    case = locked(case_id)
    _require_own(case, operator)
    policy.require_decidable(case)
    return case


def _new_certificates(case: RenewalCase) -> list[Certificate]:
    if case.new_pair is None:
        return []
    return list(case.new_pair.certificates.select_for_update(no_key=True).select_related("pair").order_by("pk"))


def _staying(halves: list[Certificate]) -> list[Certificate]:
    """Leave out what is revoked, or soon will be; raises where that is all there was."""
    leaving = certificates.revocations_standing([half.pk for half in halves])
    policy.require_certificates_left(halves, leaving)
    return [half for half in halves if half.revoked_at is None and half.pk not in leaving]


def _lift(case: RenewalCase, halves: list[Certificate], *, operator: User, now: datetime) -> None:
    new_not_after = _last(halves).isoformat()
    ended = _ended_entries(halves, now)
    said = notices.announcement(
        case, Message.REACTIVATED, reason="approved", new_not_after=new_not_after, ended_entries=ended
    )
    for half in halves:
        certificates.lift_hold(
            half,
            HoldCause.MISSING_APPROVAL,
            origin="approval",
            actor=operator_actor(operator),
            at=now,
            case_code=case.code,
            announcement=said,
        )
    if all(certificates.standing_holds(half).exists() for half in halves):
        # Another cause holds them: nothing is reactivated, and no mail would say that the centre has decided.
        notices.tell(case, Message.AUTHORISED, at=now, new_not_after=new_not_after, ended_entries=ended)


def _ended_entries(halves: list[Certificate], now: datetime) -> str:
    """What an approval takes out of the holder's calendar: the revocation for want of it, and no other cause's."""
    pair_id = halves[0].pair_id
    lifted = queries.standing_holds().filter(certificate__pair_id=pair_id, cause=HoldCause.MISSING_APPROVAL)
    return deadlines.ended(pair_id, set(lifted.values_list("pk", flat=True)), at=now)


def _new_not_after(case: RenewalCase, halves: list[Certificate]) -> datetime:
    """Known from the certificates, or, approved before installation, from the rule."""
    if halves:
        return _last(halves)
    return POLICIES[case.flow].new_not_after(case.old_not_after, terms_of(case))


def _last(halves: list[Certificate]) -> datetime:
    return max(half.not_after for half in halves)
