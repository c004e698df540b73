"""Celery doors of renewals. Each reads the clock once and makes one call; the rhythm stands in `config.schedule`."""

from celery import shared_task

from renewals import sweeps
from renewals.services import bulk, digest, letters, reminders, support_desk
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


@shared_task
def sweep_notices() -> int:
    """Post the reminders and warnings that are due."""
    return reminders.tell_due(now=clock.now())


@shared_task
def tell_day() -> int:
    """Post the digests of the day, from the morning on, once."""
    return digest.tell_day(now=clock.now())


@shared_task
def carry_out_bulk(job_id: int) -> None:
    """Go on with one job of decisions."""
    bulk.carry_out(job_id, at=clock.now())


@shared_task
def rescan_bulk() -> int:
    """Go on with the jobs of decisions that no nudge reached or whose worker died."""
    return bulk.carry_out_due(at=clock.now())


@shared_task
def settle_bounces() -> int:
    """Write the mails that came back into their messages and cases."""
    return letters.settle_bounces(now=clock.now())


@shared_task
def forget_support_logs() -> int:
    """Delete the logs of requests for help that were closed long ago."""
    return support_desk.forget_logs(now=clock.now())
