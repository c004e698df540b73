"""Celery doors of S/MIME. Each reads the clock once and makes one call; the rhythm stands in `config.schedule`."""

from celery import shared_task

from runtime import clock
from smime.services import (
    attempts,
    bundles,
    deliveries,
    evidence,
    identity_evidence,
    issuance,
    links,
    orders,
    reminders,
    revocation,
    signature,
    signature_verdicts,
    trusted_lists,
)


@shared_task
def carry_out_ca_order(ca_order_id: int) -> None:
    """Ask the CA for one certificate."""
    issuance.carry_out(ca_order_id, at=clock.now())


@shared_task
def carry_out_change(ca_order_id: int) -> None:
    """Ask the CA for one change of status."""
    revocation.carry_out(ca_order_id, at=clock.now())


@shared_task
def tell_expiring() -> int:
    """Remind of certificates that end."""
    return reminders.tell_due(at=clock.now())


@shared_task
def destroy_bundles() -> int:
    """Destroy files that have outlived their days or their certificate."""
    return bundles.destroy_due(at=clock.now())


@shared_task
def rescan_ca_orders() -> int:
    """Carry out orders to the CA that no nudge reached or whose worker died."""
    now = clock.now()
    return revocation.carry_out_due(at=now) + issuance.carry_out_due(at=now)


@shared_task
def apply_delivery(delivery_id: int) -> None:
    """Read one message of the identification provider."""
    deliveries.apply_delivery(delivery_id, at=clock.now())


@shared_task
def carry_out_attempt(attempt_id: int) -> None:
    """Ask the identification provider for what one attempt is due for."""
    attempts.carry_out(attempt_id, at=clock.now())


@shared_task
def rescan_identifications() -> int:
    """Go on with messages and attempts that no nudge reached or whose worker died."""
    now = clock.now()
    return deliveries.apply_due(at=now) + attempts.carry_out_due(at=now)


@shared_task
def forget_links() -> int:
    """Delete unused links long after their end."""
    return links.forget_links(now=clock.now())


@shared_task
def scan_file(file_id: int) -> None:
    """Have one uploaded file scanned."""
    evidence.scan(file_id, at=clock.now())


@shared_task
def scan_files() -> int:
    """Scan files that no nudge reached, or that found no scanner."""
    return evidence.scan_due(at=clock.now())


@shared_task
def validate_signature(report_id: int) -> None:
    """Judge one signed form."""
    signature_verdicts.validate(report_id, at=clock.now())


@shared_task
def validate_signatures() -> int:
    """Judge signed forms that no nudge reached, or that wait for lists."""
    return signature_verdicts.validate_due(at=clock.now())


@shared_task
def fetch_revocation_lists() -> int:
    """Fetch revocation lists that signatures wait for, and judge those."""
    return signature_verdicts.fetch_and_go_on(at=clock.now())


@shared_task
def refresh_trusted_lists() -> int:
    """Bring the trusted lists up to date."""
    return trusted_lists.refresh(at=clock.now())


@shared_task
def forget_tax_codes() -> int:
    """Empty tax codes that were given for orders now over."""
    return signature.forget_tax_codes(now=clock.now())


@shared_task
def erase_identity_evidence() -> int:
    """Erase faces and documents that have identified nobody, of orders now over."""
    return identity_evidence.erase_ended(at=clock.now())


@shared_task
def lapse_abandoned_orders() -> int:
    """Let orders lapse that nobody goes on with."""
    return orders.lapse_abandoned(now=clock.now())
