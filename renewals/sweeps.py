"""The clock: what is due happens, in batches, by any number of workers, however late they come.

The one module where a state moves set-wise (ADR 2). Each batch is one transaction: rows are picked with
SKIP LOCKED, PostgreSQL decides again on the locked version, and the FSM trigger checks every row that moves.
What happens to a row is decided in `renewals.services.rounds`, which the rehearsal asks too (ADR 21); where thousands
may be due at once, `renewals.services.setwise` writes the same in one statement (ADR 24).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from cms import events
from cms.actors import SYSTEM
from cms.models import Certificate, Hold, Pair
from cms.services import certificates
from cms.services.certificates import draft_of
from cms.states import RevocationCause
from notifications import services as notifications
from renewals import errors, policy, queries
from renewals.flows import Terms
from renewals.models import RenewalCase
from renewals.services import cases, notices, rounds, setwise
from renewals.services.rounds import Turn
from runtime import nudge
from runtime.stint import Stint
from runtime.transactions import use_case

STINT_SECONDS = 40.0  # one task runs two of them


def run_round(*, now: datetime) -> int:
    """Every sweep once, in the order in which the rehearsal tells them. Returns how many rows were due."""
    return sum(sweep(now=now) for sweep in ROUND)


def open_windows(*, now: datetime) -> int:
    """Open the case of every pair whose window has opened, and post its first notice. Returns how many opened."""
    return _until_empty(_open_batch, now, "renewals.tasks.sweep_windows")


def expire_cases(*, now: datetime) -> int:
    """End every open case whose old certificate has expired. One transaction a case: reservations are given back."""
    return _until_empty(_expire_batch, now, "renewals.tasks.sweep_expired")


def suspend_unauthorised(*, now: datetime) -> int:
    """Suspend the new certificates of every completed case that nobody approved in time. Never back-dated."""
    return _until_empty(_suspend_batch, now, "renewals.tasks.sweep_unauthorised")


def revoke_unrecovered(*, now: datetime) -> int:
    """Day 121: the cases lapse and their certificates are revoked for good."""
    return _until_empty(_lapse_batch, now, "renewals.tasks.sweep_unrecovered")


def revoke_lapsed_holds(*, now: datetime) -> int:
    """The same 120 days for a hold of any other cause: the certificate is revoked for good, unless it has expired."""
    return _until_empty(_revoke_held_batch, now, "renewals.tasks.sweep_unrecovered")


def _until_empty(batch: Callable[[datetime], int], now: datetime, task: str) -> int:
    """Batch after batch until nothing is due; what one stint does not finish, the task does when it is poked again."""
    total, stint = 0, Stint(STINT_SECONDS)
    while done := batch(now):
        total += done
        if stint.is_over:
            nudge.send(task)
            break
    return total


ROUND = (open_windows, expire_cases, suspend_unauthorised, revoke_unrecovered, revoke_lapsed_holds)


@use_case
def _open_batch(now: datetime) -> int:
    due = queries.windows_to_open(now).select_for_update(of=("self",), no_key=True, skip_locked=True)
    pairs = list(due.select_related(*queries.PAIR_IN_ROUND)[: _batch()])
    turns = rounds.openings(pairs, now=now)
    for pair, turn in zip(pairs, turns, strict=True):
        if turn.case is not None:
            _open(pair, now)
    Pair.objects.filter(pk__in=[pair.pk for pair in pairs]).update(window_opens_at=None)
    for turn in turns:
        if turn.again_at is not None:
            Pair.objects.filter(pk=turn.pk).update(window_opens_at=turn.again_at)
    return len(pairs)


def _open(pair: Pair, now: datetime) -> None:
    try:
        with transaction.atomic():
            cases.open_or_resume(pair, Terms(pair.service.issuing), actor=SYSTEM, at=now)
    except errors.NotRenewable:
        # Somebody has closed it meanwhile. The client tells the holder why.
        return


def _expire_batch(now: datetime) -> int:
    """The unsigned ones together; a signed one alone, because its reservation and its requests are settled with it."""
    ids = list(queries.cases_to_expire(now).exclude(queries.unsigned()).values_list("pk", flat=True)[: _batch()])
    return _expire_unsigned(now) + sum(cases.expire_case(case_id, now=now) for case_id in ids)


@use_case
def _expire_unsigned(now: datetime) -> int:
    due = queries.cases_to_expire(now).filter(queries.unsigned()).select_related(*queries.CASE_IN_ROUND)
    rows = list(due.select_for_update(of=("self",), no_key=True, skip_locked=True)[: _batch()])
    turns = rounds.expiries(rows, now=now)
    if turns:
        ended = {name: getattr(rows[0], name) for name in cases.STATE_FIELDS}
        RenewalCase.objects.filter(pk__in=[case.pk for case in rows]).update(**ended)
        events.record_many([cases.event_of("case.expired", case, actor=SYSTEM, at=now) for case in rows])
        notices.withdraw_every_warning(rows)
        told = ((case, turn.mail) for case, turn in zip(rows, turns, strict=True))
        notifications.post_each([draft_of(asdict(mail), case.code) for case, mail in told if mail], at=now)
    return len(rows)


@use_case
def _suspend_batch(now: datetime) -> int:
    return _moved(setwise.SUSPENSION, queries.cases_to_suspend(now), now)


@use_case
def _lapse_batch(now: datetime) -> int:
    return _moved(setwise.LAPSE, queries.cases_to_lapse(now), now)


def _moved(move: setwise.Move, due: QuerySet[RenewalCase], now: datetime) -> int:
    """Lock cases, then certificates by id, then move the cases; a later statement sees what their lockers have done."""
    locked = due.select_for_update(no_key=True, skip_locked=True).values_list("pk", "new_pair_id")
    cases_of = {pair_id: pk for pk, pair_id in locked[: _batch()]}
    for pair_id in _busy_pairs([pair_id for pair_id in cases_of if pair_id is not None]):
        del cases_of[pair_id]
    if not cases_of:
        return 0
    nudge.after_commit("cms.tasks.rescan_requests")
    return setwise.carry_out(move, cases_of.values(), now=now)


@use_case
def _revoke_held_batch(now: datetime) -> int:
    free = _free_certificates(list(queries.holds_to_lapse(now).values_list("certificate_id", flat=True)[: _batch()]))
    due = queries.holds_to_lapse(now).filter(certificate_id__in=free).select_for_update(of=("self",), skip_locked=True)
    holds = list(due.select_related(*queries.HOLD_IN_ROUND)[: _batch()])
    for turn in rounds.lapsed_holds(holds, now=now):
        _revoke(turn, now)
    Hold.objects.filter(pk__in=[hold.pk for hold in holds]).update(ended_at=now)
    # Where every new certificate of a case is being revoked, nothing is left for its own clock.
    left = queries.left_without_certificates({hold.certificate.pair_id for hold in holds})
    left.update(withdrawn_at=now, **policy.NOTHING_PLANNED)
    return len(holds)


def _busy_pairs(pair_ids: list[int]) -> set[int]:
    """Lock the certificates of these pairs by id; name the pairs of which somebody is working on one, for later.

    Waiting for him would keep a thousand cases locked meanwhile.
    """
    halves = Certificate.objects.filter(pair_id__in=pair_ids)
    locked = set(halves.order_by("pk").select_for_update(no_key=True, skip_locked=True).values_list("pk", flat=True))
    return {pair_id for pk, pair_id in halves.values_list("pk", "pair_id") if pk not in locked}


def _free_certificates(ids: list[int]) -> list[int]:
    """Lock cases, then certificates, as every use case does; what somebody is working on waits for the next round."""
    cases_of = RenewalCase.objects.filter(new_pair__certificates__in=ids).order_by("pk").distinct()
    pairs = dict(cases_of.values_list("pk", "new_pair_id"))
    mine = RenewalCase.objects.filter(pk__in=pairs).order_by("pk").select_for_update(no_key=True, skip_locked=True)
    busy = set(pairs.values()) - {case.new_pair_id for case in mine}
    halves = Certificate.objects.filter(pk__in=ids).exclude(pair_id__in=busy).order_by("pk")
    return [half.pk for half in halves.select_for_update(no_key=True, skip_locked=True)]


def _batch() -> int:
    return settings.RENEWALS.sweep_batch


def _revoke(turn: Turn, now: datetime) -> None:
    for wish in turn.wishes:
        certificates.request_revocation(
            wish.certificate,
            RevocationCause(wish.cause),
            at=now,
            case_code=turn.case.code if turn.case else "",
            announcement=turn.mail,
        )
