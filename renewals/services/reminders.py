"""The notices that come by themselves: reminders and warnings at 30, 15, 7 and 1 days before an end (rules.md R23).

Due-driven as the sweeps are: rows are picked with SKIP LOCKED, the policy decides again on the locked row, and the
mails are posted in the same transaction, each under the key of its fact. Killed in the middle a batch has done nothing;
run by anybody, any number of times, each threshold is told once, and of several missed ones the nearest alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from cms import policy as register
from cms.models import Certificate, Hold
from cms.services import certificates
from cms.states import CertificateStatus, HoldCause
from notifications import services as outbox
from notifications import withdrawal
from notifications.catalog import Message
from notifications.models import OutboxMessage
from notifications.states import MessageState
from renewals import policy, queries
from renewals.models import RenewalCase
from renewals.services import cases, notices
from renewals.states import OPEN_STATES, Authorisation
from runtime import nudge
from runtime.stint import Stint
from runtime.transactions import use_case

TASK = "renewals.tasks.sweep_notices"
STINT_SECONDS = 40.0  # one task runs two of them

_CASE_FIELDS = ["noticed_at", *cases.PLAN_FIELDS]
_HOLD_FIELDS = ["notice_at", "noticed_at"]


def tell_due(*, now: datetime) -> int:
    """Post every reminder and warning that is due, after taking back those that have lost their reason.

    Returns how many rows were looked at: some are only planned again.
    """
    withdraw_outlived(now=now)
    return _until_empty(_tell_batch, now) + _until_empty(_warn_batch, now)


def _until_empty(batch: Callable[[datetime], int], now: datetime) -> int:
    """Batch after batch until nothing is due; what one stint does not finish, the task does when it is poked again."""
    total, stint = 0, Stint(STINT_SECONDS)
    while done := batch(now):
        total += done
        if stint.is_over:
            nudge.send(TASK)
            break
    return total


@use_case
def _tell_batch(now: datetime) -> int:
    due = queries.notices_due(now).select_for_update(of=("self",), no_key=True, skip_locked=True)
    rows = list(due.select_related(*queries.CASE_IN_ROUND)[: settings.RENEWALS.notice_batch])
    drafts = []
    for case in rows:
        days = policy.passed_notice(case, now)
        if days is not None:
            drafts.append(notices.warning(case, days))
        if days is not None or _is_over(case, now):
            case.noticed_at = now
        cases.plan(case)
    RenewalCase.objects.bulk_update(rows, _CASE_FIELDS)
    outbox.post_each(filter(None, drafts), at=now)
    return len(rows)


def _is_over(case: RenewalCase, now: datetime) -> bool:
    """Whether the end itself has passed: nothing is told any more, and nothing is to be looked at again."""
    counted = policy.countdown(case)
    return counted is not None and now >= counted.over_at


@use_case
def _warn_batch(now: datetime) -> int:
    due = queries.warnings_due(now).select_for_update(of=("self",), no_key=True, skip_locked=True)
    holds = list(due.select_related(*queries.HOLD_IN_ROUND)[: settings.RENEWALS.notice_batch])
    together = working_together({hold.certificate.pair_id for hold in holds}, now)
    drafts = []
    for hold in holds:
        days = register.passed_threshold(
            hold.lapses_at, settings.CMS.notice_days, since=register.told_of_hold(hold), now=now
        )
        halves = together[notices.day_of(hold)]
        if days is not None and now < hold.lapses_at and halves:
            drafts.append(notices.warning_of_hold(hold, halves, days))
        if days is not None:
            hold.noticed_at = now
        hold.notice_at = register.next_warning(hold, settings.CMS.notice_days)
    Hold.objects.bulk_update(holds, _HOLD_FIELDS)
    outbox.post_each(filter(None, drafts), at=now)
    return len(holds)


def working_together(pair_ids: set[int], now: datetime) -> defaultdict[str, list[Certificate]]:
    """Held halves by pair and day of revocation, without those that are over or covered by their case's warnings."""
    standing = queries.standing_holds().filter(certificate__pair_id__in=pair_ids).select_related("certificate")
    standing = standing.exclude(cause=HoldCause.MISSING_APPROVAL).order_by("certificate__type", "pk")
    leaving = certificates.revocations_standing([hold.certificate_id for hold in standing])
    covered = _covered_by_cases(pair_ids)
    together: defaultdict[str, list[Certificate]] = defaultdict(list)
    for hold in standing:
        half, day = hold.certificate, notices.day_of(hold)
        is_gone = half.status == CertificateStatus.REVOKED or half.pk in leaving
        # Whose own end comes first is not threatened by a revocation that nobody will notice.
        is_over = register.is_expired(half.not_after, max(now, hold.lapses_at))
        if is_gone or day in covered or is_over or half in together[day]:
            continue
        together[day].append(half)
    return together


def _covered_by_cases(pair_ids: set[int]) -> set[str]:
    """Pairs and days of which the case's own warnings tell: a suspension for missing approval ends on the same day."""
    cases_of = RenewalCase.objects.filter(queries.unauthorised(), new_pair_id__in=pair_ids, withdrawn_at__isnull=True)
    lapses = cases_of.filter(suspended_at__isnull=False).values_list("new_pair_id", "suspended_at")
    days = settings.CMS.hold_days
    return {notices.day_of_pair(pair_id, register.hold_lapses_at(at, days)) for pair_id, at in lapses if at}


@use_case
def withdraw_outlived(*, now: datetime) -> int:
    """Take back the reminders and warnings that wait in the outbox and whose reason is gone, whatever took it away."""
    waiting = OutboxMessage.objects.filter(state=MessageState.QUEUED)
    keys = [key for kind, reason in _REASONS.items() for key in _outlived(waiting.filter(kind=kind), reason)]
    keys += _outlived_of_holds(waiting.filter(kind=Message.REVOCATION_WARNING, case_code=""), now)
    return withdrawal.withdraw_keys(keys)


_UNAUTHORISED = queries.unauthorised() & Q(withdrawn_at__isnull=True)
_REFUSED_AT_ONCE = Q(authorisation=Authorisation.REFUSED, refusal_suspends_at_once=True)
_REASONS = {
    Message.RENEWAL_REMINDER: Q(state__in=OPEN_STATES),
    Message.SUSPENSION_WARNING: _UNAUTHORISED & Q(suspended_at__isnull=True) & ~_REFUSED_AT_ONCE,
    Message.REVOCATION_WARNING: _UNAUTHORISED & Q(suspended_at__isnull=False),
}


def _outlived(waiting: QuerySet[OutboxMessage], reason: Q) -> list[str]:
    """Keys of waiting mails about cases that no longer stand so (`policy.countdown` says the same of one case)."""
    standing = RenewalCase.objects.filter(reason, code=OuterRef("case_code"))
    return list(waiting.exclude(case_code="").exclude(Exists(standing)).values_list("key", flat=True))


def _outlived_of_holds(waiting: QuerySet[OutboxMessage], now: datetime) -> list[str]:
    """Keys of waiting warnings about pairs of which nothing is held until that day any more."""
    keys = list(waiting.values_list("key", flat=True))
    standing = working_together({notices.pair_of(key) for key in keys}, now)
    return notices.outlived(keys, standing)
