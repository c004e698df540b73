"""From an approved order to a certificate: planned with the approval, asked of the CA by a worker, stored once.

Intent, effect, outcome (ADR 3): key and request are committed before the CA is asked, its answer after. Certificate,
stock, bundle and the mail with its password are one transaction; whatever dies before it is repeated with the same id.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.db import transaction

from cms import ca, events
from cms.actors import SYSTEM, Actor
from pki.csr import SigningRequest, read_request
from pki.errors import GatewayConflict, GatewayError, GatewayNotAllowed, GatewayRefused, PkiError
from pki.gateway import IssuedCertificate, IssueRequest, Profile, Subject, Validity
from runtime import claims, nudge
from runtime.transactions import use_case
from smime import policy, policy_bundles, policy_issuance
from smime.models import CaOrder, Order
from smime.services import admission, checks, mailbox, settlement, slots, vault
from smime.states import CaOrderKind, CaOrderState, KeyOrigin, OrderState

log = structlog.get_logger(__name__)
CARRY_OUT = "smime.tasks.carry_out_ca_order"
FINAL = (GatewayRefused, GatewayNotAllowed, GatewayConflict)
_OPEN = [CaOrderState.PLANNED, CaOrderState.SENT]


def plan(order: Order, *, at: datetime) -> CaOrder:
    """Store what the CA is asked for the approved order, in the caller's transaction, and wake a worker after it.

    Planned before and given up without an effect, it is planned anew; while the CA may know of it, it stays as it is.
    """
    edition = policy_issuance.next_edition(order)
    row, is_new = CaOrder.objects.get_or_create(
        natural_key=f"issue:{order.code}:{edition}",
        defaults={
            "kind": CaOrderKind.ISSUE,
            "order": order,
            "edition": edition,
            "asked_at": at,
            "next_attempt_at": at,
        },
    )
    if not is_new and row.state in {CaOrderState.CANCELLED, CaOrderState.REFUSED}:
        _plan_anew(row, at)
    nudge.after_commit(CARRY_OUT, row.pk)
    return row


def _plan_anew(row: CaOrder, at: datetime) -> None:
    """Under a fresh id: the CA has surely issued nothing for the old one, and would refuse it other contents."""
    fresh = CaOrder()
    row.uid, row.state, row.csr, row.subject = fresh.uid, CaOrderState.PLANNED, None, {}
    row.not_before = row.not_after = row.settled_at = None
    row.last_error, row.asked_at, row.next_attempt_at, row.attempts = "", at, at, 0
    row.save()


def carry_out(ca_order_id: int, *, at: datetime) -> CaOrder:
    """Ask the CA for the certificate and store its answer; settled, or claimed by another, nothing happens.

    Raises RuntimeError inside a transaction. Returns the row as it stands afterwards.
    """
    fence = claims.claim(CaOrder, ca_order_id, at=at, lease=settings.SMIME.ca_lease)
    row = CaOrder.objects.select_related("order__slot").get(pk=ca_order_id)
    if fence is None or row.kind != CaOrderKind.ISSUE:
        return row
    try:
        answer = _found(row) if row.state == CaOrderState.SENT else None
        if answer is None and _prepared(row, fence, at):
            answer = ca.gateway().issue(_wish(row), at=at)
        if answer is not None:
            settlement.settle(row, fence, answer, at=at)
    except PkiError as failure:
        _note(row, fence, failure, at)
    row.refresh_from_db()
    return row


def carry_out_due(*, at: datetime) -> int:
    """Carry out what is due and claimed by nobody: the rescan behind every nudge. Returns how many were tried."""
    due = CaOrder.objects.filter(state__in=_OPEN, kind=CaOrderKind.ISSUE, next_attempt_at__lte=at).order_by("id")
    rows = list(due.values_list("pk", flat=True)[: settings.SMIME.ca_batch])
    for pk in rows:
        try:
            carry_out(pk, at=at)
        except Exception as error:
            log.exception("smime.order-not-carried-out", ca_order=pk, error=type(error).__name__)
    return len(rows)


@use_case
def reissue(order_uid: UUID, *, actor: Actor, now: datetime) -> CaOrder:
    """Issue again with a fresh key, because the password or the file was lost.

    The certificate before is revoked *superseded* once the new one is there. Who may ask is the caller's rule;
    `NotReissuable` without a certificate alive.
    """
    order = Order.objects.select_for_update(no_key=True).get(uid=order_uid)
    policy_bundles.require_reissuable(order, now)
    order.approve(at=now)
    order.save()
    events.record("smime.reissue-asked", actor=actor, at=now, **checks.scope(order))
    return plan(order, at=now)


def _prepared(row: CaOrder, fence: int, at: datetime) -> bool:
    """Whether the CA may be asked now: evidence fresh, domain willing, key made, request stored as it will be sent.

    Asked again after a failure, all of it holds again: time has passed, and an officer may have decided otherwise.
    """
    if not _is_still_ready(row, fence, at=at):
        return False
    if not admission.is_admitted(row.order, at=at):
        claims.release(CaOrder, row.pk, fence, next_attempt_at=at + policy_issuance.CAA_RETRY)
        return False
    if row.state == CaOrderState.SENT and not policy_issuance.is_outdated(row, at):
        return True
    csr = _request_of(row.order, row.edition, at)
    asked_for = policy_issuance.wanted(row.order)
    life = policy_issuance.life_of(row.order, at)
    was_sent = row.state == CaOrderState.SENT
    row.csr, row.subject = csr, asdict(asked_for.subject)
    row.not_before, row.not_after, row.state = life.not_before, life.not_after, CaOrderState.SENT
    if was_sent:  # the CA has surely issued nothing for the old id, and would refuse it other contents
        row.uid = uuid4()
    return _is_sent(row, fence, read_request(csr))


@use_case
def _is_sent(row: CaOrder, fence: int, request: SigningRequest) -> bool:
    """Commit that the CA may know of it from now on; False where the claim was lost or the order was decided otherwise.

    Under the order's lock, so that nobody rejects it between the look and the question; of two orders with one key, the
    second waits here and is refused.
    """
    order = Order.objects.select_for_update(no_key=True).get(pk=row.order_id)
    admission.require_new_key(request, row)
    mine = CaOrder.objects.filter(pk=row.pk, fence=fence, state__in=_OPEN)
    if order.state != OrderState.APPROVED:
        return False
    return bool(
        mine.update(
            uid=row.uid,
            state=CaOrderState.SENT,
            csr=row.csr,
            subject=row.subject,
            not_before=row.not_before,
            not_after=row.not_after,
            last_error="",
        )
    )


@use_case
def _is_still_ready(row: CaOrder, fence: int, *, at: datetime) -> bool:
    """Compute readiness again under lock; what has grown too old sends the order back to its checks."""
    order = Order.objects.select_for_update(no_key=True).get(pk=row.order_id)
    if order.state != OrderState.APPROVED:
        if _give_up(row, fence, at) and order.state == OrderState.REJECTED:
            slots.free_slot(order)
        return False
    if not policy_issuance.may_follow(order):
        if _give_up(row, fence, at):
            order.issue(at=order.issued_at or at)
            order.save()
            events.record("smime.reissue-given-up", actor=SYSTEM, at=at, **checks.scope(order))
        return False
    rows = list(order.checks.order_by("pk"))
    stale = policy.missing(order, rows, at)
    if not stale and not mailbox.is_too_old(order, at=at):
        return True
    if not _give_up(row, fence, at):
        return False
    order.send_back()
    order.save()
    mailbox.renew(order, at=at)
    for check in rows:
        check.refresh_from_db()
        if check.kind in {each.kind for each in stale} and not policy.is_fresh(check, at) and check.passed_at:
            checks.restart(check, at=at)
    return False


def _give_up(row: CaOrder, fence: int, at: datetime) -> bool:
    if not claims.settle(CaOrder, row.pk, fence):
        return False
    vault.empty(row.order_id, row.edition)
    CaOrder.objects.filter(pk=row.pk).update(state=CaOrderState.CANCELLED, settled_at=at)
    return True


def _request_of(order: Order, edition: int, at: datetime) -> bytes:
    """The customer's own request, of which the key alone is used, or one of the key that we make."""
    if order.key_origin == KeyOrigin.CSR and order.csr is not None:
        return bytes(order.csr)
    return vault.request_for(order, edition, at=at)


def _found(row: CaOrder) -> IssuedCertificate | None:
    """What the CA has issued for this request already, its answer lost; None where it surely has not."""
    with transaction.atomic(durable=True):
        pass  # inside somebody's open transaction Django refuses this; the gateway may open one of its own
    return ca.gateway().find_issued(request_id=row.uid)


def _wish(row: CaOrder) -> IssueRequest:
    if row.csr is None or row.not_before is None or row.not_after is None:
        msg = "what was sent is stored whole"
        raise TypeError(msg)
    profile = Profile(f"smime-{row.order.validation}-{row.order.generation}")
    validity = Validity(row.not_before, row.not_after)
    return IssueRequest(row.uid, bytes(row.csr), profile, Subject(**row.subject), validity)


def _note(row: CaOrder, fence: int, failure: PkiError, at: datetime) -> None:
    """Store what a failure means: asked again later, or refused for a person to see. A lost claim stores nothing."""
    if isinstance(failure, GatewayError) and not isinstance(failure, FINAL):
        CaOrder.objects.filter(pk=row.pk, fence=fence).update(last_error=failure.code)
        claims.release(CaOrder, row.pk, fence, next_attempt_at=policy_issuance.retry_at(row.attempts, at))
        return
    settlement.refuse(row, fence, failure, at=at)
