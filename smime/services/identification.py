"""Identification of the recipient by document and face: invited, begun, decided by an officer.

What is asked of the provider stands in `attempts`, what it sends in `deliveries`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from cms import events
from cms.actors import recipient
from cms.models import User
from runtime import sealing
from runtime.transactions import use_case
from smime import policy, policy_identity
from smime.errors.identification import AttemptUndecidable, IdentificationOver
from smime.models import Check, IdentificationAttempt, Order
from smime.services import attempts, checks, identity_evidence, letters, links
from smime.services.orders import locked_order
from smime.states import AttemptState, CheckState, LinkPurpose

METHOD = "SBR 3.2.4.1 (1), 3.2.4.2 v{version}"
_DECIDED_BY_OFFICERS = frozenset({AttemptState.APPROVED, AttemptState.SUSPECTED})


def begin(order: Order, check: Check, *, at: datetime) -> None:
    """Have a session opened at the provider; its mail goes out when it is there, so that its 24 hours are whole."""
    attempts.open_attempt(order, check, at=at)


@use_case
@sensitive_variables("token")
def start(token: str, *, address: str | None, now: datetime) -> str:
    """The recipient goes to the provider; return where. The first time begins his 30 minutes.

    Within them he may come back and go again. Raises why a link is not good, `IdentificationOver` when his time is up
    or the outcome is known.
    """
    link = links.use_link(token, LinkPurpose.IDENTIFICATION, address=address, now=now)
    attempt = IdentificationAttempt.objects.select_for_update().get(pk=link.attempt_id or 0)
    check = attempts.identity_of(link.order)
    if attempt.is_final or attempt.sealed_url is None or not attempts.concerns(attempt, check):
        raise IdentificationOver
    if attempt.started_at is None:
        _note_start(attempt, check, now)
    elif now >= attempt.started_at + _session():
        raise IdentificationOver
    return sealing.unseal(attempt.sealed_url, context=attempts.url_context(attempt)).decode()


@use_case
def resend(order_uid: UUID, *, buyer: User, now: datetime) -> None:
    """The customer has the invitation sent again: to the open session with a fresh link, or to a new session."""
    _invite_again(locked_order(order_uid, buyer), now=now)


@use_case
@sensitive_variables("token")
def resend_by_link(token: str, *, now: datetime) -> None:
    """The reader of the mailbox, whose link has ended, asks for another one, to the same mailbox."""
    link = links.link_of_now(token, LinkPurpose.IDENTIFICATION)
    _invite_again(attempts.locked_order(link.order_id), now=now)


@use_case
def accept_attempt(attempt_id: int, *, by: int, at: datetime) -> Check:
    """An officer has compared face, document and data (SBR 3.2.4.2): the recipient is identified, and told so."""
    order, check, attempt = _to_decide(attempt_id)
    method = METHOD.format(version=settings.SMIME.requirements_version)
    passed = checks.pass_check(check, at=at, method=method, by=by)
    letters.post_identification_passed(order, at=at)
    identity_evidence.end_round(order, attempt.round, because="recipient-identified", at=at, kept=attempt)
    attempt.next_attempt_at = at  # the provider's copy is not needed any more
    attempt.save(update_fields=["next_attempt_at"])
    return passed


@use_case
def refuse_attempt(attempt_id: int, *, by: int, at: datetime) -> Check:
    """An officer is not convinced: the attempt counts as failed, and the next one or the alternative follows."""
    order, check, attempt = _to_decide(attempt_id)
    attempt.state, attempt.counts_as_failure, attempt.next_attempt_at = AttemptState.DENIED, True, at
    attempt.save(update_fields=["state", "counts_as_failure", "next_attempt_at"])
    check.decided_by = by
    attempts.conclude(order, check, attempt, at=at)
    return attempts.identity_of(order)


def _note_start(attempt: IdentificationAttempt, check: Check, now: datetime) -> None:
    attempt.state, attempt.started_at = AttemptState.STARTED, now
    attempt.next_attempt_at = policy_identity.looked_at(attempt)
    attempt.save(update_fields=["state", "started_at", "next_attempt_at"])
    check.ask_customer(at=now, due_at=now + _session())
    check.save()
    facts = {"attempt": str(attempt.number), "round": str(attempt.round)}
    actor = recipient(check.order)
    events.record("smime.identification-started", actor=actor, at=now, facts=facts, **checks.scope(check.order))


def _invite_again(order: Order, *, now: datetime) -> None:
    policy.require_open(order)
    check = attempts.identity_of(order)
    attempt = order.attempts_made.filter(round=check.round).order_by("-number").first()
    if attempt is None or not attempts.concerns(attempt, check) or check.state != CheckState.WAITING_CUSTOMER:
        raise IdentificationOver
    links.require_may_mail(order, LinkPurpose.IDENTIFICATION, now=now)
    if attempt.is_final:
        attempts.open_attempt(order, check, at=now)
    elif attempt.started_at is None and attempt.link_expires_at is not None and now < attempt.link_expires_at:
        attempts.mail_link(order, check, attempt, at=now)
    else:  # its time is over and the provider will be asked within minutes what became of it
        raise IdentificationOver


def _to_decide(attempt_id: int) -> tuple[Order, Check, IdentificationAttempt]:
    order_id = IdentificationAttempt.objects.values_list("order_id", flat=True).get(pk=attempt_id)
    order = attempts.locked_order(order_id)
    check = attempts.identity_of(order)
    attempt = IdentificationAttempt.objects.select_for_update().get(pk=attempt_id)
    is_waiting = attempt.is_final and attempt.state in _DECIDED_BY_OFFICERS and not attempt.counts_as_failure
    if not is_waiting or not attempts.concerns(attempt, check):
        raise AttemptUndecidable
    return order, check, attempt


def _session() -> timedelta:
    return timedelta(seconds=settings.SMIME.identification_session_seconds)
