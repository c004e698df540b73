"""Celery doors of the register: an id in, one call."""

from celery import shared_task

from cms.services import checks, codes, intake, links, low_stock, requests, seals, visits
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


@shared_task
def carry_out_import(job_id: int) -> None:
    """Check an import's rows, or register them."""
    intake.carry_out(job_id, at=clock.now())


@shared_task
def rescan_imports() -> int:
    """Go on with imports that no nudge reached, or whose worker died."""
    return intake.carry_out_due(at=clock.now())


@shared_task
def forget_imports() -> int:
    """Delete the files of imports that were checked and never started."""
    return intake.forget_imports(at=clock.now())


@shared_task
def seal_events() -> int:
    """Put the events that were committed since the last time under the chain."""
    return seals.seal_events(at=clock.now())


@shared_task
def write_to_holders() -> int:
    """Send the links that were asked for, and tell holders whose code path was closed."""
    at = clock.now()
    return links.answer_requests(now=at) + codes.tell_closed(now=at)


@shared_task
def forget_visits() -> int:
    """Delete visits, links and counters of strangers that have had their time."""
    at = clock.now()
    return visits.forget_visits(now=at) + links.forget_links(now=at) + codes.forget_attempts(now=at)


@shared_task
def check_statuses() -> int:
    """Compare register, CA, lists and OCSP from outside: begin at night, go on with what is under way."""
    return checks.carry_out_due(at=clock.now())
