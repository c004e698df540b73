"""Celery doors of renewals. Each reads the clock once and makes one call; the rhythm stands in `config.schedule`."""

from celery import shared_task

from renewals import sweeps
from runtime import clock


@shared_task
def sweep_windows() -> int:
    """Open the cases whose window has opened."""
    return sweeps.open_windows(now=clock.now())


@shared_task
def sweep_expired() -> int:
    """End the open cases whose old certificate has expired."""
    return sweeps.expire_cases(now=clock.now())


@shared_task
def sweep_unauthorised() -> int:
    """Suspend what nobody approved in time."""
    return sweeps.suspend_unauthorised(now=clock.now())


@shared_task
def sweep_unrecovered() -> int:
    """Revoke for good what stayed suspended beyond day 120."""
    now = clock.now()
    return sweeps.revoke_unrecovered(now=now) + sweeps.revoke_lapsed_holds(now=now)
