"""Beat was down for three days: thousands are due at once, several workers wake up, one of them is killed midway."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.db import connections

from authority.gateway import EmbeddedGateway
from authority.models import JournalEntry, LedgerEntry
from authority.services import publication
from cms import ca as configured
from cms.models import CaRequest, Certificate, Event, Hold
from cms.services import requests
from notifications.models import OutboxMessage
from renewals import sweeps
from renewals.models import RenewalCase
from runtime import nudge
from tests.authority.founding import found
from tests.renewals import quick
from tests.renewals.conftest import NOW
from tests.renewals.copies_at_the_ca import multiply
from tests.renewals.test_faults import Killed
from tests.renewals.test_races import DUE
from tests.renewals.world import World

BACK = DUE + timedelta(days=3)
ALLOWED_SECONDS = 300
TEMPLATES = 5


class Deadly:
    """The embedded CA, whose second batch kills the worker that asked for it, the work being done."""

    def __init__(self):
        self._ca = EmbeddedGateway()
        self._batches = 0
        self._lock = threading.Lock()
        self.kills = 0

    def __getattr__(self, name):
        return getattr(self._ca, name)

    def change_many(self, orders, *, at):
        with self._lock:
            self._batches += 1
            is_fatal = self._batches == 2
        outcomes = self._ca.change_many(orders, at=at)
        if is_fatal:
            self.kills += 1
            raise Killed
        return outcomes


@pytest.fixture
def world(committed, clock, settings):
    """The embedded CA with its real ledger and lists."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    clock.instant = NOW
    found(at=NOW)
    return World(EmbeddedGateway(), NOW)


def at_once(number, act):
    """So many workers do the same, each on a connection of its own; whoever is killed says nothing more."""

    def work():
        try:
            act()
        except Killed:
            pass
        finally:
            connections.close_all()
            nudge._line.hang_up()

    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def timed(figures, name, act):
    started = time.monotonic()
    act()
    figures[name] = time.monotonic() - started


@pytest.mark.parametrize(
    ("cases", "workers"),
    [
        (600, 2),
        (300, 5),
        pytest.param(10_000, 2, marks=pytest.mark.soak),
        pytest.param(10_000, 5, marks=pytest.mark.soak),
    ],
)
def test_all_that_is_due_is_done_in_time_and_told_once(world, superuser, settings, capsys, cases, workers):
    settings.CMS = settings.CMS.model_copy(update={"ca_batch": min(500, cases // 4)})
    settings.RENEWALS = settings.RENEWALS.model_copy(update={"sweep_batch": min(1000, cases // 4)})
    for number in range(TEMPLATES):
        quick.completed(world, number)
    multiply(superuser, cases // TEMPLATES - 1)
    publication.publish_due(NOW)
    lists = JournalEntry.objects.filter(kind="publish").count()
    figures = {}
    deadly = Deadly()

    timed(figures, "sweep", lambda: at_once(workers, lambda: sweeps.suspend_unauthorised(now=BACK)))
    with configured.installed(deadly):
        timed(figures, "CA", lambda: at_once(workers, lambda: requests.carry_out_due(at=BACK)))
        lapsed = BACK + settings.CMS.ca_lease
        timed(
            figures, "CA, what the killed one had", lambda: at_once(workers, lambda: requests.carry_out_due(at=lapsed))
        )
    timed(figures, "lists", lambda: publication.publish_due(lapsed))

    assert deadly.kills == 1
    assert RenewalCase.objects.filter(suspended_at=BACK).count() == cases
    halves = Certificate.objects.filter(pair__predecessor__isnull=False)
    assert halves.filter(status="held").count() == halves.count() == 2 * cases
    assert LedgerEntry.objects.filter(state="held").count() == 2 * cases
    assert JournalEntry.objects.filter(kind="hold").count() == 2 * cases
    assert Hold.objects.count() == 2 * cases
    assert not CaRequest.objects.exclude(state="done").exists()
    for verb, times in (("case.suspension-due", cases), ("certificate.held", 2 * cases)):
        told = Event.objects.filter(verb=verb)
        assert told.count() == times
        assert told.values("case_code", "certificate_id").distinct().count() == times
    assert OutboxMessage.objects.filter(kind="suspended").count() == cases
    published = JournalEntry.objects.filter(kind="publish").order_by("pk")[lists:]
    assert sorted(row.facts["entries"] for row in published if row.facts["entries"]) == [cases] * 4
    assert sum(figures.values()) < ALLOWED_SECONDS
    with capsys.disabled():
        said = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in figures.items())
        print(f"\n{cases} cases due, {workers} workers: {said}; {sum(figures.values()):.1f} s")  # noqa: T201 - figures
