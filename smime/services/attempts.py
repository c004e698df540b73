"""Attempts at identification: what is asked of the provider, by a claim with a fence, and what its answer changes.

The provider is asked without a transaction; its answer is stored in one, with all that follows. A call that fails is
tried again later and never lost. What a webhook says only brings the next look forward (`deliveries`).
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils.translation import gettext_noop as _

from cms import events
from cms.actors import SYSTEM
from runtime import claims, nudge, sealing
from runtime.stint import Stint
from smime import policy_identity
from smime.models import Check, IdentificationAttempt, Order
from smime.policy_identity import Standing
from smime.services import checks, identity_evidence, idp, letters, links
from smime.services.identity_evidence import Collected
from smime.states import (
    AttemptState,
    CheckKind,
    CheckState,
    IdentityPath,
    LinkPurpose,
    OrderState,
)

log = structlog.get_logger(__name__)

CARRY_OUT = "smime.tasks.carry_out_attempt"
LEASE = timedelta(minutes=2)
MOST_DUE = 200
TRY_AGAIN = _("Il collegamento al riconoscimento è scaduto: ne richieda un altro.")
_FOR_OFFICERS = frozenset({AttemptState.APPROVED, AttemptState.SUSPECTED})


def open_attempt(order: Order, check: Check, *, at: datetime) -> IdentificationAttempt:
    """Store the wish for a session and have the provider asked after the commit; the order's row is locked."""
    newest = order.attempts_made.order_by("-number").first()
    attempt = IdentificationAttempt.objects.create(
        order=order,
        number=newest.number + 1 if newest else 1,
        round=check.round,
        client_id=_fresh_client_id(),
        created_at=at,
        next_attempt_at=at,
    )
    check.path = IdentityPath.BIOMETRIC
    check.ask_third_party(at=at)
    check.save()
    nudge.after_commit(CARRY_OUT, attempt.pk)
    return attempt


def carry_out(attempt_id: int, *, at: datetime) -> None:
    """Do what the attempt is due for: open its session, look at it, or have its data erased; else nothing."""
    fence = claims.claim(IdentificationAttempt, attempt_id, at=at, lease=LEASE)
    if fence is None:
        return
    attempt = IdentificationAttempt.objects.select_related("order").get(pk=attempt_id)
    try:
        if not attempt.scan_ref:
            _open_session(attempt, fence, at)
        elif attempt.is_final:
            _erase(attempt, fence, at)
        else:
            _look(attempt, fence, at)
    except idp.NotErasable:
        later = max(policy_identity.looked_at(attempt), at + timedelta(minutes=10))
        claims.release(IdentificationAttempt, attempt.pk, fence, next_attempt_at=later)
    except idp.ProviderError as failure:
        _note(attempt, fence, failure, at)


def carry_out_due(*, at: datetime) -> int:
    """Carry out what no nudge reached, and erase what is decided; return how many attempts were tried."""
    _plan_erasures(at)
    stint, tried = Stint(), 0
    due = IdentificationAttempt.objects.filter(next_attempt_at__lte=at).order_by("next_attempt_at")
    for pk in list(due.values_list("pk", flat=True)[:MOST_DUE]):
        if stint.is_over:
            break
        carry_out(pk, at=at)
        tried += 1
    return tried


def bring_forward(attempt: IdentificationAttempt, *, at: datetime, is_final: bool) -> None:
    """Have the attempt looked at now. Whoever is looking loses his claim: his answer is older than this message."""
    attempt.final_told_at = at if is_final and attempt.final_told_at is None else attempt.final_told_at
    rows = IdentificationAttempt.objects.filter(pk=attempt.pk)
    rows.update(fence=F("fence") + 1, claimed_until=None, next_attempt_at=at, final_told_at=attempt.final_told_at)
    nudge.after_commit(CARRY_OUT, attempt.pk)


def conclude(order: Order, check: Check, attempt: IdentificationAttempt, *, at: datetime) -> None:
    """Go on after an attempt that did not identify: the next one, or, when none is left, the alternative."""
    if not attempt.counts_as_failure:
        check.ask_customer(at=at, reason=TRY_AGAIN)
        check.save()
    elif policy_identity.attempts_left(list(order.attempts_made.all()), check.round):
        open_attempt(order, check, at=at)
    else:
        check.path = IdentityPath.SIGNATURE
        check.save()
        identity_evidence.end_round(order, check.round, because="attempts-used-up", at=at)
        checks.begin(check, at=at)


def identity_of(order: Order) -> Check:
    """The identity check as it stands, locked; the order's row is locked before."""
    check = Check.objects.select_for_update().get(order=order, kind=CheckKind.IDENTITY)
    check.order = order
    return check


def concerns(attempt: IdentificationAttempt, check: Check) -> bool:
    """Whether the check still waits for this attempt: same data, same path, nothing decided meanwhile."""
    return (
        check.order.state == OrderState.CHECKING
        and check.round == attempt.round
        and check.path == IdentityPath.BIOMETRIC
        and check.state not in {CheckState.PASSED, CheckState.FAILED}
    )


def locked_order(order_id: int) -> Order:
    """Lock the order's row, always before anything of it."""
    return Order.objects.select_for_update().get(pk=order_id)


def _open_session(attempt: IdentificationAttempt, fence: int, at: datetime) -> None:
    order = attempt.order
    if not concerns(attempt, Check.objects.select_related("order").get(order=order, kind=CheckKind.IDENTITY)):
        _abandon(attempt, fence, at)
        return
    if attempt.attempts > 1:  # the session of a lost answer would stand in the way of one for the same client
        attempt.client_id = _fresh_client_id()
        IdentificationAttempt.objects.filter(pk=attempt.pk, fence=fence).update(client_id=attempt.client_id)
    wish = idp.Wish(
        client_id=attempt.client_id,
        reference=order.code,
        given_name=order.given_name,
        surname=order.surname,
        language=order.language,
        link_seconds=settings.SMIME.identification_hours * 3600,
        session_seconds=settings.SMIME.identification_session_seconds,
        back_to=links.return_addresses(),
    )
    session = idp.provider().open_session(wish)
    with transaction.atomic():
        order = locked_order(attempt.order_id)
        if claims.still_mine(IdentificationAttempt, attempt.pk, fence):
            _store_session(order, attempt, session, at)


def _abandon(attempt: IdentificationAttempt, fence: int, at: datetime) -> None:
    """Nobody waits for it any more, and the provider has never heard of it."""
    mine = IdentificationAttempt.objects.filter(pk=attempt.pk, fence=fence)
    ended = {"is_final": True, "finished_at": at, "erased_at": at, "next_attempt_at": None, "claimed_until": None}
    mine.update(**ended)


def _store_session(order: Order, attempt: IdentificationAttempt, session: idp.Session, at: datetime) -> None:
    attempt.scan_ref = session.scan_ref
    attempt.sealed_url = sealing.seal(session.address.encode(), context=url_context(attempt))
    attempt.link_expires_at = at + timedelta(hours=settings.SMIME.identification_hours)
    _rest_until(attempt, policy_identity.looked_at(attempt))
    attempt.save()
    events.record("smime.identification-opened", actor=SYSTEM, at=at, facts=_facts(attempt), **checks.scope(order))
    check = identity_of(order)
    if concerns(attempt, check):
        mail_link(order, check, attempt, at=at)


def mail_link(order: Order, check: Check, attempt: IdentificationAttempt, *, at: datetime) -> None:
    """Mail a fresh link to the attempt's session, as a first invitation or after one that failed."""
    ends = attempt.link_expires_at or at
    token = links.issue_link(order, LinkPurpose.IDENTIFICATION, at=at, attempt_id=attempt.pk, expires_at=ends)
    address = links.address_of(LinkPurpose.IDENTIFICATION, token)
    left = policy_identity.attempts_left(list(order.attempts_made.all()), check.round)
    if left < settings.SMIME.identification_attempts:
        letters.post_identification_failed(order, address, left, ends, at=at)
    else:
        letters.post_identification(order, address, ends, at=at)
    check.ask_customer(at=at, due_at=ends)
    check.save()


def _look(attempt: IdentificationAttempt, fence: int, at: datetime) -> None:
    provider = idp.provider()
    outcome = provider.outcome(attempt.scan_ref)
    standing = policy_identity.standing_after(attempt, outcome.overall, at)
    identity = Check.objects.select_related("order").get(order=attempt.order, kind=CheckKind.IDENTITY)
    is_for_officers = standing.is_final and standing.state in _FOR_OFFICERS and concerns(attempt, identity)
    collected = identity_evidence.collect(provider, attempt, outcome) if is_for_officers else Collected(outcome)
    with transaction.atomic():
        order = locked_order(attempt.order_id)
        if claims.still_mine(IdentificationAttempt, attempt.pk, fence):
            current = IdentificationAttempt.objects.get(pk=attempt.pk)
            _apply(order, current, standing, collected, at)


def _apply(
    order: Order, attempt: IdentificationAttempt, standing: Standing, collected: Collected, at: datetime
) -> None:
    check = identity_of(order)
    is_for_officers = standing.state in _FOR_OFFICERS and concerns(attempt, check)
    attempt.state, attempt.is_final = standing.state, standing.is_final
    attempt.counts_as_failure = standing.counts_as_failure
    if not standing.is_final:
        is_late = at >= policy_identity.looked_at(attempt)
        _rest_until(attempt, at + timedelta(hours=1) if is_late else policy_identity.looked_at(attempt))
    else:
        attempt.finished_at, attempt.sealed_url = at, None
        attempt.mismatches = list(collected.outcome.tags)
        if is_for_officers:
            identity_evidence.keep(order, attempt, collected, at=at)
        _rest_until(attempt, None if is_for_officers else at)
    attempt.save()
    if standing.is_final:
        facts = _facts(attempt) | {"state": attempt.state}
        events.record("smime.identification-ended", actor=SYSTEM, at=at, facts=facts, **checks.scope(order))
        if attempt.next_attempt_at is not None:
            nudge.after_commit(CARRY_OUT, attempt.pk)
    if concerns(attempt, check):
        _move_on(order, check, attempt, at)


def _move_on(order: Order, check: Check, attempt: IdentificationAttempt, at: datetime) -> None:
    """Let the check follow the attempt; one that is decided already, or of other data, is left alone."""
    if attempt.is_final and attempt.state in _FOR_OFFICERS:
        check.review(at=at)
        check.save()
    elif attempt.is_final:
        conclude(order, check, attempt, at=at)
    elif attempt.state == AttemptState.REVIEWING and check.state != CheckState.WAITING_THIRD_PARTY:
        check.ask_third_party(at=at)
        check.save()


def _erase(attempt: IdentificationAttempt, fence: int, at: datetime) -> None:
    idp.provider().erase(attempt.scan_ref)
    mine = IdentificationAttempt.objects.filter(pk=attempt.pk, fence=fence)
    mine.update(erased_at=at, next_attempt_at=None, claimed_until=None, attempts=0, last_error="")


def _plan_erasures(at: datetime) -> int:
    """Make due what an officer has decided about, or nobody will: until then the provider's copy may be needed."""
    compared = Check.objects.filter(
        order=OuterRef("order"),
        round=OuterRef("round"),
        kind=CheckKind.IDENTITY,
        state=CheckState.IN_REVIEW,
        order__state=OrderState.CHECKING,
    )
    kept = IdentificationAttempt.objects.filter(is_final=True, erased_at__isnull=True, next_attempt_at__isnull=True)
    return kept.exclude(scan_ref="").exclude(Exists(compared)).update(next_attempt_at=at)


def _note(attempt: IdentificationAttempt, fence: int, failure: idp.ProviderError, at: datetime) -> None:
    """Put the call off. A refusal is no weather: key, contract or request are wrong, and somebody should look."""
    what = {"attempt": attempt.pk, "code": failure.code, "tries": attempt.attempts}
    if isinstance(failure, idp.ProviderRefused):
        log.error("identification.call-refused", **what)
    else:
        log.warning("identification.call-failed", **what)
    later = policy_identity.retry_at(attempt.attempts, at)
    mine = IdentificationAttempt.objects.filter(pk=attempt.pk, fence=fence)
    mine.update(next_attempt_at=later, claimed_until=None, last_error=failure.code)


def _rest_until(attempt: IdentificationAttempt, due_at: datetime | None) -> None:
    attempt.next_attempt_at, attempt.claimed_until = due_at, None
    attempt.attempts, attempt.last_error = 0, ""


def _facts(attempt: IdentificationAttempt) -> dict[str, str]:
    return {"attempt": str(attempt.number), "round": str(attempt.round)}


def _fresh_client_id() -> str:
    """Tell nothing of a person, and never the same twice: the provider skips its checks for a client that it knows."""
    return secrets.token_hex(16)


def url_context(attempt: IdentificationAttempt) -> str:
    """What the sealed address of a session is bound to."""
    return f"smime.attempt-url:{attempt.pk}"
