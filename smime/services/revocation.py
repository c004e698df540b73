"""Suspending, reactivating, revoking S/MIME certificates: stored as a wish, carried out by a worker, told by mail."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from django.conf import settings

from cms import ca, events
from cms.actors import SYSTEM, Actor
from cms.states import Outcome
from pki.errors import GatewayConflict, GatewayError, GatewayNotAllowed, GatewayRefused
from pki.gateway import CertificateRef
from runtime import claims, nudge
from runtime.transactions import use_case
from smime import policy_issuance, policy_revocation
from smime.errors import revocation as errors
from smime.models import CaOrder, Order, SmimeCertificate
from smime.services import letters
from smime.services.checks import scope
from smime.states import CaOrderKind, CaOrderState, CertificateStatus, RevocationGround

CARRY_OUT = "smime.tasks.carry_out_change"
FINAL = (GatewayRefused, GatewayNotAllowed, GatewayConflict)
_OPEN = [CaOrderState.PLANNED, CaOrderState.SENT]
_CHANGES = [CaOrderKind.HOLD, CaOrderKind.RELEASE, CaOrderKind.REVOKE]


@use_case
def request_revocation(certificate_id: int, *, ground: RevocationGround, actor: Actor, now: datetime) -> CaOrder | None:
    """Have the certificate revoked for good, on a ground of the closed table; the clock of SBR 4.9.1.1 starts now.

    Who may ask is the caller's rule. Twice is once: the first ground stays. None where it is revoked without a wish of
    ours.
    """
    return plan(_locked(certificate_id), ground=ground, actor=actor, at=now)


@use_case
def request_hold(certificate_id: int, *, actor: Actor, now: datetime) -> CaOrder:
    """Have the certificate suspended. `HoldNotAllowed` for strict ones (SBR 4.9.13), `CertificateFinal` if revoked."""
    certificate = _locked(certificate_id)
    policy_revocation.require_holdable(certificate)
    return _ask(certificate, CaOrderKind.HOLD, actor=actor, at=now)


@use_case
def request_release(certificate_id: int, *, actor: Actor, now: datetime) -> CaOrder:
    """Have the suspension lifted. `CertificateFinal` if it is revoked, or about to be."""
    certificate = _locked(certificate_id)
    policy_revocation.require_not_final(certificate)
    return _ask(certificate, CaOrderKind.RELEASE, actor=actor, at=now)


def plan(certificate: SmimeCertificate, *, ground: RevocationGround, actor: Actor, at: datetime) -> CaOrder | None:
    """Store the wish in the caller's transaction and wake a worker after it; revoked or asked for already: nothing."""
    key = f"revoke:{certificate.order.code}:{certificate.edition}"
    known = CaOrder.objects.filter(natural_key=key).first()
    if certificate.status == CertificateStatus.REVOKED or (known and known.state != CaOrderState.REFUSED):
        return known
    if known is not None:
        return _asked_again(known, ground, actor, at)
    row = CaOrder.objects.create(
        natural_key=key,
        kind=CaOrderKind.REVOKE,
        order=certificate.order,
        edition=certificate.edition,
        certificate=certificate,
        ground=ground,
        asked_at=at,
        due_by=at + policy_revocation.clock_of(ground),
        next_attempt_at=at,
    )
    _record("smime.revocation-asked", certificate, actor, at, reason=str(ground))
    nudge.after_commit(CARRY_OUT, row.pk)
    return row


def _asked_again(row: CaOrder, ground: RevocationGround, actor: Actor, at: datetime) -> CaOrder:
    """A revocation that the CA refused is asked for again, with a clock of its own."""
    row.state, row.ground, row.last_error, row.settled_at = CaOrderState.PLANNED, ground, "", None
    row.uid, row.asked_at, row.next_attempt_at, row.attempts = uuid4(), at, at, 0
    row.due_by = at + policy_revocation.clock_of(ground)
    row.save()
    if row.certificate is not None:
        _record("smime.revocation-asked", row.certificate, actor, at, reason=str(ground))
    nudge.after_commit(CARRY_OUT, row.pk)
    return row


def carry_out(ca_order_id: int, *, at: datetime) -> CaOrder:
    """Ask the CA for the change and store that it was made; settled, or claimed by another, nothing happens."""
    fence = claims.claim(CaOrder, ca_order_id, at=at, lease=settings.SMIME.ca_lease)
    row = CaOrder.objects.select_related("order", "certificate").get(pk=ca_order_id)
    if fence is None or row.kind == CaOrderKind.ISSUE or row.certificate is None:
        return row
    if row.kind != CaOrderKind.REVOKE and _waits_for_earlier(row):
        claims.release(CaOrder, row.pk, fence, next_attempt_at=policy_issuance.retry_at(1, at))
        return row
    CaOrder.objects.filter(pk=row.pk, fence=fence).update(state=CaOrderState.SENT)
    try:
        _tell_ca(row, at)
    except GatewayError as failure:
        _note(row, fence, failure, at)
    else:
        _settle(row, fence, at=at)
    row.refresh_from_db()
    return row


def carry_out_due(*, at: datetime) -> int:
    """Carry out what no nudge reached; revocations first. Returns how many were tried."""
    due = CaOrder.objects.filter(state__in=_OPEN, kind__in=_CHANGES, next_attempt_at__lte=at)
    rows = list(due.order_by("-kind", "id").values_list("pk", flat=True)[: settings.SMIME.ca_batch])
    for pk in rows:
        carry_out(pk, at=at)
    return len(rows)


def _ask(certificate: SmimeCertificate, kind: CaOrderKind, *, actor: Actor, at: datetime) -> CaOrder:
    """One open wish of a kind at a time; the next one gets the next number."""
    mine = certificate.ca_orders.filter(kind=kind)
    known = mine.filter(state__in=_OPEN).first()
    if known is not None:
        return known
    row = CaOrder.objects.create(
        natural_key=f"{kind}:{certificate.order.code}:{certificate.edition}:{mine.count() + 1}",
        kind=kind,
        order=certificate.order,
        edition=certificate.edition,
        certificate=certificate,
        asked_at=at,
        next_attempt_at=at,
    )
    _record(f"smime.{kind}-asked", certificate, actor, at)
    nudge.after_commit(CARRY_OUT, row.pk)
    return row


def _waits_for_earlier(row: CaOrder) -> bool:
    """Holds and releases of one certificate go in stored order (ADR 3)."""
    return CaOrder.objects.filter(certificate_id=row.certificate_id, id__lt=row.pk, state__in=_OPEN).exists()


def _tell_ca(row: CaOrder, at: datetime) -> None:
    certificate, gateway = _certificate(row), ca.gateway()
    ref = CertificateRef(bytes.fromhex(certificate.issuer_key_id), int(certificate.serial, 16))
    if row.kind == CaOrderKind.REVOKE:
        reason = policy_revocation.REASON_OF[RevocationGround(row.ground)]
        gateway.revoke(ref, reason=reason, request_id=row.uid, at=at)
    elif row.kind == CaOrderKind.HOLD:
        gateway.hold(ref, request_id=row.uid, at=at)
    else:
        gateway.release(ref, request_id=row.uid, at=at)


@use_case
def _settle(row: CaOrder, fence: int, *, at: datetime) -> None:
    certificate = _locked(_certificate(row).pk)
    if not claims.settle(CaOrder, row.pk, fence):
        return
    CaOrder.objects.filter(pk=row.pk).update(state=CaOrderState.DONE, settled_at=at, last_error="")
    if row.kind == CaOrderKind.REVOKE and certificate.status != CertificateStatus.REVOKED:
        certificate.revoke(at=at, ground=row.ground)
        certificate.save()
        _record("smime.revoked", certificate, SYSTEM, at, reason=row.ground)
        letters.post_revoked(certificate, at=at)
    elif row.kind == CaOrderKind.HOLD and certificate.status == CertificateStatus.ACTIVE:
        certificate.hold(at=at)
        certificate.save()
        _record("smime.held", certificate, SYSTEM, at)
    elif row.kind == CaOrderKind.RELEASE and certificate.status == CertificateStatus.HELD:
        certificate.release()
        certificate.save()
        _record("smime.released", certificate, SYSTEM, at)
    nudge.after_commit("authority.tasks.publish_crls")


@use_case
def _refuse(row: CaOrder, fence: int, code: str, *, at: datetime) -> None:
    if claims.settle(CaOrder, row.pk, fence):
        CaOrder.objects.filter(pk=row.pk).update(state=CaOrderState.REFUSED, settled_at=at, last_error=code)
        _record("smime.change-refused", _certificate(row), SYSTEM, at, outcome=Outcome.FAILED, reason=code)


def _note(row: CaOrder, fence: int, failure: GatewayError, at: datetime) -> None:
    if isinstance(failure, FINAL):
        _refuse(row, fence, failure.code, at=at)
        return
    CaOrder.objects.filter(pk=row.pk, fence=fence).update(last_error=failure.code)
    claims.release(CaOrder, row.pk, fence, next_attempt_at=policy_issuance.retry_at(row.attempts, at))


def _locked(certificate_id: int) -> SmimeCertificate:
    """Order before certificate, as everywhere."""
    owner = SmimeCertificate.objects.filter(pk=certificate_id).values("order")
    if Order.objects.select_for_update(no_key=True).filter(pk__in=owner).first() is None:
        raise errors.CertificateUnknown
    rows = SmimeCertificate.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("order").get(pk=certificate_id)


def _certificate(row: CaOrder) -> SmimeCertificate:
    if row.certificate is None:
        msg = "the database constrains this column for changes"
        raise TypeError(msg)
    return row.certificate


def _record(verb: str, certificate: SmimeCertificate, actor: Actor, at: datetime, **more: object) -> None:
    facts = {"edition": certificate.edition, "serial": certificate.serial}
    events.record(verb, actor=actor, at=at, facts=facts, **scope(certificate.order), **more)  # type: ignore[arg-type]
