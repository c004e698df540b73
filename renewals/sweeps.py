"""The clock: what is due happens, in batches, by any number of workers, however late they come.

The one module where a state moves set-wise (ADR 2). Each batch is one transaction: rows are picked with
SKIP LOCKED, PostgreSQL decides again on the locked version, and the FSM trigger checks every row that moves.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from cms import events
from cms import policy as register
from cms.actors import SYSTEM
from cms.models import CaRequest, Certificate, Hold, Pair
from cms.services import certificates
from cms.services.certificates import Announcement
from cms.states import CertificateStatus, HoldCause, RequestKind, RevocationCause
from notifications.catalog import Message
from renewals import errors, policy, queries
from renewals.models import RenewalCase
from renewals.services import cases, notices
from renewals.states import CaseState, Due
from runtime import nudge
from runtime.transactions import use_case

_RELATED = ("holder", "card", "centre", "service", "issuing_service")


def open_windows(*, now: datetime) -> int:
    """Open the case of every pair whose window has opened, and post its first notice. Returns how many opened."""
    return _until_empty(_open_batch, now)


def expire_cases(*, now: datetime) -> int:
    """End every open case whose old certificate has expired. One transaction a case: reservations are given back."""
    done = 0
    for case_id in list(
        queries.due_cases(Due.EXPIRE, now).values_list("pk", flat=True)[: settings.RENEWALS.sweep_batch]
    ):
        done += cases.expire_case(case_id, now=now)
    return done


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


def _picked(due: QuerySet[RenewalCase]) -> list[RenewalCase]:
    """Lock what is due and nobody else is working on."""
    rows = due.select_for_update(of=("self",), no_key=True, skip_locked=True).select_related(*_RELATED)
    return list(rows[: settings.RENEWALS.sweep_batch])


@use_case
def _open_batch(now: datetime) -> int:
    due = Pair.objects.filter(window_opens_at__lte=now).order_by("window_opens_at")
    rows = due.select_for_update(of=("self",), no_key=True, skip_locked=True).select_related(
        "card__family", "holder", "service__successor"
    )
    pairs = list(rows[: settings.RENEWALS.sweep_batch])
    for pair in pairs:
        _open_if_renewable(pair, now)
    Pair.objects.filter(pk__in=[pair.pk for pair in pairs]).update(window_opens_at=None)
    return len(pairs)


def _open_if_renewable(pair: Pair, now: datetime) -> None:
    try:
        policy.require_renewable(pair, queries.halves(pair), renewed=queries.is_renewed(pair), now=now)
        with transaction.atomic():
            cases.open_or_resume(pair, actor=SYSTEM, at=now)
    except errors.NotRenewable:
        # Nothing to invite to: expired, revoked, too old a device. The client tells the holder why.
        return


@use_case
def _suspend_batch(now: datetime) -> int:
    due = queries.due_cases(Due.SUSPEND, now).filter(queries.unauthorised(), suspended_at__isnull=True)
    rows = _picked(due)
    if not rows:
        return 0
    lapses_at = register.hold_lapses_at(now, settings.RENEWALS.recoverable_days)
    RenewalCase.objects.filter(pk__in=[case.pk for case in rows]).update(
        suspended_at=now, due_kind=Due.REVOKE, due_at=lapses_at
    )
    halves = _new_halves(rows, [CertificateStatus.ACTIVE, CertificateStatus.HELD])
    already_held = set(
        Hold.objects.filter(certificate__in=halves, lifted_at__isnull=True, ended_at__isnull=True).values_list(
            "certificate_id", flat=True
        )
    )
    Hold.objects.bulk_create(
        Hold(certificate=half, cause=HoldCause.MISSING_APPROVAL, placed_at=now, lapses_at=lapses_at) for half in halves
    )
    by_pair = {case.new_pair_id: case for case in rows}
    _ask(
        [half for half in halves if half.pk not in already_held],
        by_pair,
        RequestKind.HOLD,
        HoldCause.MISSING_APPROVAL,
        {case.new_pair_id: notices.suspension(case, at=now) for case in rows},
        now,
    )
    events.record_many([_event("case.suspension-due", case, now) for case in rows])
    return len(rows)


@use_case
def _lapse_batch(now: datetime) -> int:
    rows = _picked(queries.due_cases(Due.REVOKE, now).filter(queries.unauthorised()))
    if not rows:
        return 0
    RenewalCase.objects.filter(pk__in=[case.pk for case in rows]).update(
        state=CaseState.EXPIRED, closed_at=now, close_reason="approval-lapsed", due_kind="", due_at=None
    )
    halves = _new_halves(rows, [CertificateStatus.ACTIVE, CertificateStatus.HELD])
    by_pair = {case.new_pair_id: case for case in rows}
    for half in halves:
        case = by_pair[half.pair_id]
        said = notices.announcement(case, Message.REVOKED, reason="approval-lapsed", revoked_at=now.isoformat())
        certificates.request_revocation(
            half, RevocationCause.APPROVAL_LAPSED, at=now, case_code=case.code, announcement=said
        )
    events.record_many([_event("case.revocation-due", case, now) for case in rows])
    return len(rows)


@use_case
def _revoke_held_batch(now: datetime) -> int:
    standing = Hold.objects.filter(lapses_at__lte=now, lifted_at__isnull=True, ended_at__isnull=True)
    due = standing.exclude(cause=HoldCause.MISSING_APPROVAL).order_by("lapses_at")
    holds = list(
        due.select_for_update(of=("self",), skip_locked=True).select_related("certificate__pair")[
            : settings.RENEWALS.sweep_batch
        ]
    )
    for hold in holds:
        if hold.certificate.status != CertificateStatus.REVOKED:
            certificates.request_revocation(hold.certificate, RevocationCause.HOLD_LAPSED, at=now)
        Hold.objects.filter(pk=hold.pk).update(ended_at=now)
    _withdraw({hold.certificate.pair_id for hold in holds}, now)
    return len(holds)


def _withdraw(pair_ids: set[int], now: datetime) -> None:
    """Where every new certificate of a case is being revoked, nothing is left for its own clock."""
    revoking = CaRequest.objects.filter(certificate=OuterRef("pk"), kind=RequestKind.REVOKE)
    alive = Certificate.objects.filter(pair=OuterRef("new_pair")).exclude(status=CertificateStatus.REVOKED)
    gone = RenewalCase.objects.filter(queries.unauthorised(), new_pair_id__in=pair_ids, withdrawn_at__isnull=True)
    gone.filter(~Exists(alive.filter(~Exists(revoking)))).update(withdrawn_at=now, due_kind="", due_at=None)


def _new_halves(rows: list[RenewalCase], statuses: list[CertificateStatus]) -> list[Certificate]:
    """Lock the new certificates of these cases, by id: the second lock of every use case."""
    pairs = [case.new_pair_id for case in rows if case.new_pair_id is not None]
    locked = Certificate.objects.select_for_update(of=("self",), no_key=True).select_related("pair").order_by("pk")
    return list(locked.filter(pair_id__in=pairs, status__in=statuses))


def _ask(
    halves: list[Certificate],
    by_pair: dict[int | None, RenewalCase],
    kind: RequestKind,
    cause: str,
    said: dict[int | None, Announcement | None],
    now: datetime,
) -> None:
    wishes = [
        certificates.change_request(
            half,
            kind,
            key=f"{kind}:{half.pk}:{now:%Y%m%dT%H%M%S}",
            cause=cause,
            case_code=by_pair[half.pair_id].code,
            at=now,
            announcement=said[half.pair_id],
        )
        for half in halves
    ]
    CaRequest.objects.bulk_create(wishes, batch_size=1000)
    nudge.after_commit("cms.tasks.rescan_requests")


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
