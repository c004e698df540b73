"""Celery doors of the register: an id in, one call."""

from celery import shared_task

from cms.services import low_stock, requests
from runtime import clock


@shared_task
def carry_out(request_id: int) -> None:
    """Ask the CA for one stored request."""
    requests.carry_out(request_id, at=clock.now())


@shared_task
def rescan_requests() -> int:
    """Carry out what no nudge reached: due-driven, so a lost message costs latency and nothing else."""
    return requests.carry_out_due(at=clock.now())


@shared_task
def sweep_low_stock() -> int:
    """Warn centres whose counters have fallen to their threshold."""
    return low_stock.warn_of_low_stock(now=clock.now())
