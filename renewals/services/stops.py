"""Emergency stops of the revocations of day 121: asked for by one administrator, confirmed by another.

The sweeps ask `queries.stop_in_force` and leave what is due as it is; once no stop is in force they carry it out.
Nothing else stops: suspensions, approvals, and what an operator, a holder or an authority revokes.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import connection

from cms import events
from cms.actors import operator as operator_actor
from cms.contacts import CONTROL
from cms.errors import NotFound
from cms.models import User
from cms.policy import require_administrator
from renewals import errors, policy, queries
from renewals.models import RevocationStop
from runtime.transactions import use_case

_ASKING = 0x570B
"""Number of the advisory lock that lets one stop be asked for at a time."""
LONGEST_REASON = 300


@use_case
def ask_stop(reason: str, ends_at: datetime, *, operator: User, now: datetime) -> RevocationStop:
    """Ask for a stop until `ends_at`; it stops nothing before another administrator confirms it."""
    require_administrator(operator)
    said = " ".join(CONTROL.sub(" ", reason).split())[:LONGEST_REASON]
    if not said:
        raise errors.ReasonMissing
    policy.require_stop_span(ends_at, now)
    _wait_for_turn()
    if queries.waiting_stop(now) is not None:
        raise errors.StopWaiting
    stop = RevocationStop.objects.create(reason=said, asked_by=operator.pk, asked_at=now, ends_at=ends_at)
    _record("revocation-stop.asked", stop, operator, now)
    return stop


@use_case
def confirm_stop(uid: uuid.UUID, *, operator: User, now: datetime) -> RevocationStop:
    """Put the stop in force from now on; only an administrator who has not asked for it. Twice is once."""
    require_administrator(operator)
    stop = _locked(uid)
    policy.require_stop_open(stop, now)
    policy.require_other_administrator(stop, operator)
    if stop.confirmed_at is None:
        stop.confirmed_by, stop.confirmed_at = operator.pk, now
        stop.save(update_fields=["confirmed_by", "confirmed_at"])
        _record("revocation-stop.confirmed", stop, operator, now)
    return stop


@use_case
def withdraw_stop(uid: uuid.UUID, *, operator: User, now: datetime) -> RevocationStop:
    """Close a stop that nobody has confirmed: its author takes it back, or another administrator turns it down."""
    require_administrator(operator)
    stop = _locked(uid)
    if stop.confirmed_at is not None:
        raise errors.StopInForce
    return _closed(stop, "revocation-stop.withdrawn", operator, now)


@use_case
def lift_stop(uid: uuid.UUID, *, operator: User, now: datetime) -> RevocationStop:
    """End a stop before its time, by any one administrator: what has become due is revoked by the next sweep."""
    require_administrator(operator)
    stop = _locked(uid)
    if stop.confirmed_at is None:
        raise errors.StopNotConfirmed
    return _closed(stop, "revocation-stop.lifted", operator, now)


def _closed(stop: RevocationStop, verb: str, operator: User, now: datetime) -> RevocationStop:
    if stop.closed_at is not None:
        return stop
    policy.require_stop_open(stop, now)
    stop.closed_by, stop.closed_at = operator.pk, now
    stop.save(update_fields=["closed_by", "closed_at"])
    _record(verb, stop, operator, now)
    return stop


def _locked(uid: uuid.UUID) -> RevocationStop:
    stop = RevocationStop.objects.select_for_update(no_key=True).filter(uid=uid).first()
    if stop is None:
        raise NotFound
    return stop


def _wait_for_turn() -> None:
    """Two administrators, or two clicks, at once make one request: the second one reads what the first has written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ASKING])


def _record(verb: str, stop: RevocationStop, operator: User, now: datetime) -> None:
    events.record(
        verb,
        actor=operator_actor(operator),
        at=now,
        reason=stop.reason,
        facts={"stop": str(stop.uid), "until": stop.ends_at.isoformat()},
    )
