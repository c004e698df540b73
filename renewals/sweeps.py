"""The clock: what is due happens, in batches, by any number of workers, however late they come.

The one module where a state moves set-wise (ADR 2). Each batch is one transaction: rows are picked with
SKIP LOCKED, PostgreSQL decides again on the locked version, and the FSM trigger checks every row that moves.
What happens to a row is decided in `renewals.services.rounds`, which the rehearsal asks too (ADR 21).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from cms import events
from cms.actors import SYSTEM
from cms.models import CaRequest, Certificate, Hold, Pair
from cms.services import certificates
from cms.states import RevocationCause
from renewals import errors, policy, queries
from renewals.models import RenewalCase
from renewals.services import cases, rounds
from renewals.services.rounds import LAPSED_FIELDS, SUSPENDED_FIELDS, WORKING, Turn
from runtime import nudge
from runtime.transactions import use_case


def run_round(*, now: datetime) -> int:
    """Every sweep once, in the order in which the rehearsal tells them. Returns how many rows were due."""
    return sum(sweep(now=now) for sweep in ROUND)


def open_windows(*, now: datetime) -> int:
    """Open the case of every pair whose window has opened, and post its first notice. Returns how many opened."""
    return _until_empty(_open_batch, now)


def expire_cases(*, now: datetime) -> int:
    """End every open case whose old certificate has expired. One transaction a case: reservations are given back."""
    return _until_empty(_expire_batch, now)


def suspend_unauthorised(*, now: datetime) -> int:
    """Suspend the new certificates of every completed case that nobody approved in time. Never back-dated."""
    return _until_empty(_suspend_batch, now)


def revoke_unrecovered(*, now: datetime) -> int:
    """Day 121: the cases lapse and their certificates are revoked for good."""
    return _until_empty(_lapse_batch, now)


def revoke_lapsed_holds(*, now: datetime) -> int:
    """The same 120 days for a hold of any other cause: the certificate is revoked for good."""
    return _until_empty(_revoke_held_batch, now)


def _until_empty(batch: Callable[[datetime], int], now: datetime) -> int:
    total = 0
    while done := batch(now):
        total += done
    return total


ROUND = (open_windows, expire_cases, suspend_unauthorised, revoke_unrecovered, revoke_lapsed_holds)


def _picked(due: QuerySet[RenewalCase]) -> list[RenewalCase]:
    """Lock what is due and nobody else is working on."""
    rows = due.select_for_update(of=("self",), no_key=True, skip_locked=True).select_related(*queries.CASE_IN_ROUND)
    return list(rows[: _batch()])


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
            cases.open_or_resume(pair, actor=SYSTEM, at=now)
    except errors.NotRenewable:
        # Somebody has closed it meanwhile. The client tells the holder why.
        return


def _expire_batch(now: datetime) -> int:
    ids = list(queries.cases_to_expire(now).values_list("pk", flat=True)[: _batch()])
    return sum(cases.expire_case(case_id, now=now) for case_id in ids)


@use_case
def _suspend_batch(now: datetime) -> int:
    rows = _picked(queries.cases_to_suspend(now))
    if not rows:
        return 0
    turns = rounds.suspensions(rows, _working_halves(rows), now=now)
    _write(turns, SUSPENDED_FIELDS)
    Hold.objects.bulk_create(hold for turn in turns for hold in turn.holds)
    CaRequest.objects.bulk_create((wish for turn in turns for wish in _wishes(turn, now)), batch_size=1000)
    nudge.after_commit("cms.tasks.rescan_requests")
    events.record_many([_event("case.suspension-due", case, now) for case in rows])
    return len(rows)


@use_case
def _lapse_batch(now: datetime) -> int:
    rows = _picked(queries.cases_to_lapse(now))
    turns = rounds.lapses(rows, _working_halves(rows), now=now)
    _write(turns, LAPSED_FIELDS)
    for turn in turns:
        _revoke(turn, now)
    events.record_many([_event("case.revocation-due", case, now) for case in rows])
    return len(rows)


@use_case
def _revoke_held_batch(now: datetime) -> int:
    free = _free_certificates(list(queries.holds_to_lapse(now).values_list("certificate_id", flat=True)[: _batch()]))
    due = queries.holds_to_lapse(now).filter(certificate_id__in=free).select_for_update(of=("self",), skip_locked=True)
    holds = list(due.select_related(*queries.HOLD_IN_ROUND)[: _batch()])
    for turn in rounds.lapsed_holds(holds):
        _revoke(turn, now)
    Hold.objects.filter(pk__in=[hold.pk for hold in holds]).update(ended_at=now)
    # Where every new certificate of a case is being revoked, nothing is left for its own clock.
    left = queries.left_without_certificates({hold.certificate.pair_id for hold in holds})
    left.update(withdrawn_at=now, **policy.NOTHING_PLANNED)
    return len(holds)


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


def _working_halves(rows: list[RenewalCase]) -> list[Certificate]:
    """Lock the new certificates of these cases, by id: the second lock of every use case."""
    locked = queries.new_certificates(rows, WORKING).select_for_update(of=("self",), no_key=True)
    return list(locked.order_by("pk"))


def _write(turns: list[Turn], fields: Iterable[str]) -> None:
    """Store what the turns have in common: all rows of a batch move in the same way, at the same instant."""
    if turns and turns[0].case:
        moved = {name: getattr(turns[0].case, name) for name in fields}
        RenewalCase.objects.filter(pk__in=[turn.pk for turn in turns]).update(**moved)


def _wishes(turn: Turn, now: datetime) -> list[CaRequest]:
    return [
        certificates.change_request(
            wish.certificate,
            wish.kind,
            key=f"{wish.kind}:{wish.certificate.pk}:{now:%Y%m%dT%H%M%S}",
            cause=wish.cause,
            case_code=turn.case.code if turn.case else "",
            at=now,
            announcement=turn.mail,
        )
        for wish in turn.wishes
    ]


def _revoke(turn: Turn, now: datetime) -> None:
    for wish in turn.wishes:
        certificates.request_revocation(
            wish.certificate,
            RevocationCause(wish.cause),
            at=now,
            case_code=turn.case.code if turn.case else "",
            announcement=turn.mail,
        )


def _event(verb: str, case: RenewalCase, now: datetime) -> dict[str, object]:
    return events.built(
        verb,
        actor=SYSTEM,
        at=now,
        centre_id=case.centre_id,
        service_id=case.issuing_service_id,
        case_code=case.code,
        holder_id=case.holder_id,
        card_id=case.card_id,
    )
