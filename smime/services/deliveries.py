"""What the identification provider sends of its own accord: stored before it is acknowledged, looked into by a task.

A message only says that it is time to look: the outcome is asked of the provider itself (`attempts`). So a message that
lies, comes twice or comes late changes nothing. Its bytes are known by their digest, and wiped once they were read.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F

from runtime import claims, nudge, sealing
from runtime.stint import Stint
from smime.errors.identification import DeliveryUnsigned
from smime.models import IdentificationAttempt, ProviderDelivery
from smime.services import attempts, idp
from smime.states import DeliveryState

log = structlog.get_logger(__name__)

APPLY = "smime.tasks.apply_delivery"
LEASE = timedelta(minutes=1)
MOST_DUE = 200


def receive(body: bytes, signature: str, *, at: datetime) -> None:
    """Store a message of the provider; the same bytes again are counted and change nothing.

    Raises `DeliveryUnsigned` before anything is read, let alone stored.
    """
    if not idp.provider().is_signed(body, signature):
        raise DeliveryUnsigned
    digest = hashlib.sha256(body).hexdigest()
    sealed = sealing.seal(body, context=_context(digest))
    with transaction.atomic():
        row, is_new = ProviderDelivery.objects.get_or_create(
            body_sha256=digest, defaults={"sealed_body": sealed, "received_at": at, "next_attempt_at": at}
        )
        if is_new:
            nudge.after_commit(APPLY, row.pk)
        else:
            ProviderDelivery.objects.filter(pk=row.pk).update(times=F("times") + 1)


def apply_delivery(delivery_id: int, *, at: datetime) -> None:
    """Read a message and bring the look at its attempt forward; unknown sessions and known outcomes have no effect."""
    fence = claims.claim(ProviderDelivery, delivery_id, at=at, lease=LEASE)
    if fence is None:
        return
    delivery = ProviderDelivery.objects.get(pk=delivery_id)
    body = sealing.unseal(delivery.sealed_body or b"", context=_context(delivery.body_sha256))
    message = idp.provider().message(body, at=at)
    with transaction.atomic():
        if claims.still_mine(ProviderDelivery, delivery_id, fence):
            _settle(delivery, message, at)


def apply_due(*, at: datetime) -> int:
    """Apply what no nudge reached; return how many messages were tried."""
    stint, tried = Stint(), 0
    due = ProviderDelivery.objects.filter(next_attempt_at__lte=at).order_by("next_attempt_at", "pk")
    for pk in list(due.values_list("pk", flat=True)[:MOST_DUE]):
        if stint.is_over:
            break
        apply_delivery(pk, at=at)
        tried += 1
    return tried


def _settle(delivery: ProviderDelivery, message: idp.Message | None, at: datetime) -> None:
    delivery.scan_ref = message.scan_ref if message else ""
    delivery.state = _effect_of(delivery, message, at)
    delivery.sealed_body, delivery.settled_at = None, at
    delivery.next_attempt_at = delivery.claimed_until = None
    delivery.save(
        update_fields=[
            "scan_ref", "attempt", "state", "sealed_body", "settled_at", "next_attempt_at", "claimed_until",
        ]
    )  # fmt: skip


def _effect_of(delivery: ProviderDelivery, message: idp.Message | None, at: datetime) -> DeliveryState:
    if message is None:
        log.error("identification.delivery-unreadable", delivery=delivery.pk)
        return DeliveryState.IGNORED
    found = IdentificationAttempt.objects.select_for_update().filter(scan_ref=message.scan_ref)
    attempt = found.first()
    if attempt is None:
        log.warning("identification.delivery-orphan", delivery=delivery.pk)
        return DeliveryState.ORPHAN
    delivery.attempt = attempt
    if attempt.is_final:
        return DeliveryState.IGNORED
    attempts.bring_forward(attempt, at=at, is_final=message.is_final)
    return DeliveryState.APPLIED


def _context(digest: str) -> str:
    return f"smime.delivery:{digest}"
