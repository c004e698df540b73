"""The life of a case apart from the holder's steps: opened, cancelled, expired."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from cms import events
from cms.actors import SYSTEM, Actor
from cms.fsm import refusing_illegal_moves
from cms.models import Agreement, Campaign, Certificate, Pair
from cms.services import certificates, stock
from notifications.catalog import Message
from renewals import errors, policy, queries
from renewals.codes import new_code
from renewals.flows import Terms
from renewals.models import RenewalCase
from renewals.services import notices
from renewals.states import CaseState
from runtime.transactions import use_case

_RELATED = ("holder", "card__family", "centre", "issuing_service", "campaign", "old_pair__service", "new_pair")
# The holder says that what the register knows of him is wrong: the centre has to look.
DATA_WRONG = frozenset({"data-incorrect", "holder-data-wrong"})
PLAN_FIELDS = ["due_kind", "due_at", "notice_kind", "notice_at"]
STATE_FIELDS = ["state", "closed_at", "close_reason", "close_note", *PLAN_FIELDS]


def locked(case_id: int, *, related: Sequence[str] = _RELATED) -> RenewalCase:
    """Lock the case, the first lock of every use case (docs/architecture.md), with what its rules read."""
    return RenewalCase.objects.select_for_update(of=("self",), no_key=True).select_related(*related).get(pk=case_id)


def plan(case: RenewalCase) -> None:
    """Store the next automatic action and the next notice again after a write of the facts they depend on."""
    case.due_kind, case.due_at = policy.next_automatic(case)
    case.notice_kind, case.notice_at = policy.next_notice(case)


def record(verb: str, case: RenewalCase, *, actor: Actor, at: datetime, **more: Any) -> None:
    """Append an event of this case."""
    events.record(verb, actor=actor, at=at, **subject_of(case), **more)


def event_of(verb: str, case: RenewalCase, *, actor: Actor, at: datetime) -> dict[str, Any]:
    """Build the same without storing it; sweeps store many at once."""
    return events.built(verb, actor=actor, at=at, **subject_of(case))


def subject_of(case: RenewalCase) -> dict[str, Any]:
    """What events of a case are about. *Ricerca eventi* filters by the issuing service (rules.md R14)."""
    return {
        "centre_id": case.centre_id,
        "service_id": case.issuing_service_id,
        "case_code": case.code,
        "holder_id": case.holder_id,
        "card_id": case.card_id,
    }


def issuing_agreement(pair: Pair, terms: Terms) -> Agreement:
    """Stock, term and approval mode come from the agreement of the issuing service (rules.md R14)."""
    agreement = Agreement.objects.filter(centre_id=pair.centre_id, service=terms.service).first()
    if agreement is None:
        raise errors.AgreementMissing
    return agreement


def built(
    pair: Pair, halves: list[Certificate], agreement: Agreement, *, at: datetime, campaign: Campaign | None = None
) -> RenewalCase:
    """Build, without storing, the case of a pair; `halves`: those that are renewed."""
    if pair.card_id is None:
        raise errors.CertificateRemote
    case = RenewalCase(
        code=new_code(),
        old_pair=pair,
        holder_id=pair.holder_id,
        card_id=pair.card_id,
        centre_id=pair.centre_id,
        service_id=pair.service_id,
        issuing_service_id=agreement.service_id,
        agreement=agreement,
        flow=pair.service.flow,
        campaign=campaign,
        old_not_after=policy.old_not_after(halves),
        opened_at=at,
    )
    plan(case)
    return case


def open_or_resume(pair: Pair, terms: Terms, *, actor: Actor, at: datetime) -> RenewalCase:
    """Return the pair's open case, or open one; one per pair, whoever races. The caller's rules have passed."""
    case = queries.open_case_of(pair)
    if case is not None:
        return case
    if queries.is_closed(pair):
        raise errors.PairClosed
    case = _under(terms, pair, at)
    case.opened_through = actor.channel
    try:
        with transaction.atomic():
            case.save()
    except IntegrityError:
        other = queries.open_case_of(pair)
        if other is None:
            raise
        return other
    Pair.objects.filter(pk=pair.pk).update(window_opens_at=None)
    record("case.opened", case, actor=actor, at=at)
    notices.tell_window_open(case, at=at)
    return case


def open_again(closed: RenewalCase, pair: Pair, terms: Terms, *, actor: Actor, at: datetime) -> RenewalCase:
    """Open a new case for the pair of a closed one, whose row the caller has locked; the holder is invited again."""
    case = _under(terms, pair, at)
    case.reopens, case.opened_through = closed, actor.channel
    case.save()
    record("case.opened", case, actor=actor, at=at, facts={"reopens": closed.code})
    notices.tell_window_open(case, at=at)
    return case


def _under(terms: Terms, pair: Pair, at: datetime) -> RenewalCase:
    halves = policy.in_renewal(pair, queries.halves(pair))
    return built(pair, halves, issuing_agreement(pair, terms), campaign=terms.campaign, at=at)


@use_case
def expire_case(case_id: int, *, now: datetime) -> bool:
    """End a case whose old certificate has expired: reservation back, what was issued and not installed revoked."""
    case = locked(case_id)
    due_kind, due_at = policy.next_automatic(case)
    if not case.is_open or due_kind != "expire" or due_at is None or now < due_at:
        return False
    was_signed = case.state == CaseState.AWAITING_INSTALLATION
    with refusing_illegal_moves():
        case.expire(at=now)
    _end(case, was_signed=was_signed, actor=SYSTEM, at=now)
    record("case.expired", case, actor=SYSTEM, at=now)
    notices.tell(case, Message.CASE_EXPIRED, at=now)
    return True


@use_case
def cancel_case(case_id: int, *, reason: str, actor: Actor, at: datetime, note: str = "") -> RenewalCase:
    """Stop a case before installation; the holder is told, and the centre of data that the holder calls wrong.

    `note`: his own words, kept on the case alone. Already cancelled: nothing happens.
    """
    case = locked(case_id)
    if case.state == CaseState.CANCELLED:
        return case
    if not case.is_open:
        raise errors.CaseEnded
    end_as_cancelled(case, reason=reason, note=note, actor=actor, at=at)
    record("case.cancelled", case, actor=actor, at=at, reason=reason)
    notices.tell(case, Message.CASE_CANCELLED, at=at, reason=reason)
    if reason in DATA_WRONG:
        notices.tell(case, Message.DATA_REPORTED, at=at, to=case.centre.email, **notices.data_reported(case))
    return case


def end_as_cancelled(case: RenewalCase, *, reason: str, actor: Actor, at: datetime, note: str = "") -> None:
    """Cancel a locked case and give back what it held."""
    was_signed = case.state == CaseState.AWAITING_INSTALLATION
    with refusing_illegal_moves():
        case.cancel(at=at, reason=reason, note=note)
    _end(case, was_signed=was_signed, actor=actor, at=at)


def _end(case: RenewalCase, *, was_signed: bool, actor: Actor, at: datetime) -> None:
    plan(case)
    case.save(update_fields=STATE_FIELDS)
    notices.withdraw_warnings(case)
    if not was_signed:
        return
    types = set(case.types)
    used = certificates.abandon_issues(case.new_pair, at=at) if case.new_pair else frozenset()
    ledger: dict[str, Any] = {
        "centre_id": case.centre_id,
        "service_id": case.issuing_service_id,
        "case_code": case.code,
    }
    stock.debit(types=types & used, actor=actor, at=at, **ledger)
    stock.release(types=types - used, actor=actor, at=at, **ledger)
