"""How checks begin, end and begin again, and what follows when all that a type demands is proven.

Whoever proves something calls `pass_check`; what comes after is decided here alone. The order's row is locked first,
then its checks by id, so that two proofs at the same moment wait for each other and one of them goes on to issuance.
"""

from __future__ import annotations

from datetime import datetime
from importlib import import_module
from typing import Any

from cms import events
from cms.actors import SYSTEM, Actor, recipient
from cms.states import Channel
from runtime.transactions import use_case
from smime import errors, policy
from smime.models import Approval, Check, Order
from smime.services import letters
from smime.states import CheckKind, CheckState, IdentityPath, OrderState

# Named instead of imported: each of them proves something and calls back here.
_BEGINNERS = {
    CheckKind.MAILBOX: "smime.services.mailbox",
    CheckKind.CONSENT: "smime.services.consent",
    CheckKind.IDENTITY: "smime.services.identification",
    CheckKind.ATTESTATION: "smime.services.attestation",
}
_ALTERNATIVE = "smime.services.signature"
_EVIDENCE = "smime.services.identity_evidence"
_ISSUANCE = "smime.services.issuance"
_BY_RECIPIENT = frozenset({CheckKind.MAILBOX, CheckKind.CONSENT})
_AFTER_MAILBOX = frozenset({CheckKind.CONSENT, CheckKind.IDENTITY})


@use_case
def open_checks(order: Order, *, at: datetime) -> list[Check]:
    """Create the checks of the order's type and begin those that can; those that exist are left alone.

    Consent and identity wait for the mailbox: nothing personal goes to an address that nobody has confirmed.
    """
    _lock_order(order)
    for kind in policy.CHECKS_OF[order.validation]:
        path = IdentityPath.BIOMETRIC if kind == CheckKind.IDENTITY else ""
        check, is_new = Check.objects.get_or_create(order=order, kind=kind, defaults={"path": path})
        if is_new and kind not in _AFTER_MAILBOX:
            begin(check, at=at)
    return list(order.checks.order_by("pk"))


@use_case
def begin(check: Check, *, at: datetime) -> None:
    """Ask whoever has to act on the check; identity goes by the path that the check says."""
    if check.kind in {CheckKind.ORGANISATION, CheckKind.AUTHORITY}:
        check.review(at=at)
        check.save()
        if check.kind == CheckKind.ORGANISATION:
            letters.post_organisation_check(check.order, passed=False, at=at)
    elif check.kind == CheckKind.IDENTITY and check.path == IdentityPath.SIGNATURE:
        _module(_ALTERNATIVE).open_alternative(check.order, check, at=at)
    else:
        _module(_BEGINNERS[CheckKind(check.kind)]).begin(check.order, check, at=at)


@use_case
def pass_check(check: Check, *, at: datetime, method: str, by: int | None = None) -> Check:
    """Record that it is proven, by `method` (SBR section and version), and go on where nothing else is missing.

    A second time changes nothing. Raises `CheckChanged` if the data changed since `check` was read, `CheckDecided` if
    it has failed meanwhile, `OrderClosed` if the order is no longer being checked.
    """
    stored = _locked(check)
    if stored.state == CheckState.PASSED:
        return stored
    _require_undecided(stored)
    stored.accept(at=at, valid_until=at + policy.span_of(stored.kind), under=method, by=by)
    stored.save()
    _record("smime.check-passed", stored, at, by, method=method)
    if stored.kind == CheckKind.MAILBOX:
        _begin_waiting(stored.order, at)
    settle(stored.order, at=at)
    check.refresh_from_db()
    return stored


@use_case
def fail_check(check: Check, *, at: datetime, reason: str, by: int | None = None) -> Check:
    """Record that it is not proven; `reason` is what the customer reads. A second time changes nothing.

    Raises as `pass_check` does.
    """
    stored = _locked(check)
    if stored.state == CheckState.FAILED:
        return stored
    _require_undecided(stored)
    stored.refuse(at=at, reason=reason, by=by)
    stored.save()
    _record("smime.check-failed", stored, at, by)
    settle(stored.order, at=at)
    check.refresh_from_db()
    return stored


@use_case
def restart(check: Check, *, at: datetime) -> Check:
    """Void what was proven and sent for it, and ask again; consent and identity wait their turn as at the beginning."""
    stored = _locked(check)
    _leave_round(stored, at)
    stored.restart()
    stored.save()
    _record("smime.check-restarted", stored, at, None)
    if _may_begin(stored):
        begin(stored, at=at)
    settle(stored.order, at=at)
    check.refresh_from_db()
    return stored


@use_case
def settle(order: Order, *, at: datetime) -> None:
    """Send the order to issuance if everything is proven and fresh, and nobody has to approve it any more.

    MV and IV approve themselves; OV and SV wait for an officer, unless one has approved the same things before.
    """
    stored = _lock_order(order)
    checks = list(stored.checks.order_by("pk"))
    if stored.state != OrderState.CHECKING or policy.missing(stored, checks, at):
        return
    approvals = list(stored.approvals.all())
    if policy.approves_itself(stored, checks, approvals):
        if not policy.approval_stands(stored, checks, approvals):
            Approval.objects.create(order=stored, at=at)
        send_to_issuance(stored, actor=SYSTEM, at=at)


@use_case
def approve(order: Order, *, officer_id: int, at: datetime) -> Order:
    """Store an officer's last word and send the order to issuance.

    Raises `ChecksOpen` unless all is proven and fresh. Who may approve what is the desk's rule.
    """
    stored = _lock_order(order)
    policy.require_open(stored)
    policy.require_ready(stored, stored.checks.all(), at)
    Approval.objects.create(order=stored, officer_id=officer_id, at=at)
    send_to_issuance(stored, actor=Actor("operator", Channel.PANEL, officer_id), at=at)
    return stored


def send_to_issuance(order: Order, *, actor: Actor, at: datetime) -> None:
    """Approve the locked order, and plan what the CA is asked."""
    order.approve(at=at)
    order.save()
    events.record("smime.approved", actor=actor, at=at, **scope(order))
    _module(_ISSUANCE).plan(order, at=at)


def scope(order: Order) -> dict[str, Any]:
    """Columns by which an event finds its order and who may see it."""
    return {"centre_id": order.centre_id, "service_id": order.service_id, "case_code": order.code}


def _leave_round(check: Check, at: datetime) -> None:
    """Faces and documents of a round that is void go, unless a certificate was issued on the strength of it."""
    is_relied_on = check.state == CheckState.PASSED and check.order.certificates.exists()
    if check.kind == CheckKind.IDENTITY and not is_relied_on:
        _module(_EVIDENCE).end_round(check.order, check.round, because="check-restarted", at=at)


def _may_begin(check: Check) -> bool:
    """Consent and identity need a confirmed mailbox; identity also consent, unless it goes by signature."""
    if check.kind not in _AFTER_MAILBOX:
        return True
    before = {CheckKind.MAILBOX}
    if check.kind == CheckKind.IDENTITY and check.path != IdentityPath.SIGNATURE:
        before.add(CheckKind.CONSENT)
    return check.order.checks.filter(kind__in=before, state=CheckState.PASSED).count() == len(before)


def _begin_waiting(order: Order, at: datetime) -> None:
    """The mailbox is confirmed: what waited for it is asked there now."""
    for check in order.checks.filter(kind__in=_AFTER_MAILBOX, state=CheckState.TODO).order_by("pk"):
        if _may_begin(check):
            begin(check, at=at)


def _locked(seen: Check) -> Check:
    order = _lock_order(seen.order)
    rows = {row.pk: row for row in Check.objects.select_for_update(no_key=True).filter(order=order).order_by("pk")}
    stored = rows[seen.pk]
    stored.order = order
    policy.require_open(order)
    policy.require_same_round(seen, stored)
    return stored


def _lock_order(order: Order) -> Order:
    return Order.objects.select_for_update(no_key=True).get(pk=order.pk)


def _require_undecided(check: Check) -> None:
    if check.state in {CheckState.PASSED, CheckState.FAILED}:
        raise errors.CheckDecided


def _record(verb: str, check: Check, at: datetime, by: int | None, **facts: str) -> None:
    actor = SYSTEM
    if by is not None:
        actor = Actor("operator", Channel.PANEL, by)
    elif check.kind in _BY_RECIPIENT:
        actor = recipient(check.order)
    facts = {"check": check.kind, "round": str(check.round), **facts}
    events.record(verb, actor=actor, at=at, facts=facts, **scope(check.order))


def _module(name: str) -> Any:
    return import_module(name)
