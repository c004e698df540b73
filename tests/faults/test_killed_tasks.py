"""SIGKILL in the middle of each sweep and each other task of the schedule; then beat and a worker find all of it."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter

import pytest
import redis
from django.conf import settings as project
from django.db import connections

from cms.models import CaRequest, Event
from notifications.models import OutboxMessage
from runtime import clock, nudge
from runtime.embedded.mailsink import MailSink
from runtime.embedded.processes import start_child
from tests.faults.due import TOLD, everything_due, unfinished
from tests.flows.installation import Installation, eventually
from tests.flows.programs import ROOT
from tests.renewals.checking import assert_invariants

# Each task, and the table that it is about to write when it dies: where that is tells what it has done by then. Lists and
# CA come first: what sweeps have committed pokes them, and a later worker would do the work before it is killed for it.
DEATHS = {
    "authority.tasks.publish_crls": ["authority_journalentry"],
    "cms.tasks.rescan_requests": ["authority_journalentry", "cms_event"],
    "renewals.tasks.sweep_windows": ["renewals_renewalcase", "notifications_outboxmessage"],
    "renewals.tasks.sweep_expired": ["cms_event", "cms_stockmovement"],
    "renewals.tasks.sweep_unauthorised": ["renewals_renewalcase", "cms_hold"],
    "renewals.tasks.sweep_unrecovered": ["cms_event", "cms_hold"],
    "renewals.tasks.sweep_notices": ["notifications_outboxmessage"],
    "renewals.tasks.tell_day": ["notifications_outboxmessage", "renewals_digestday"],
    "cms.tasks.seal_events": ["cms_eventseal"],
    "cms.tasks.sweep_low_stock": ["cms_event"],
}
QUICK = {"SIGILLO_CMS_CA_LEASE_SECONDS": "3", "SIGILLO_CMS_CA_RETRY_SECONDS": "[1]"}
USUAL = {"SIGILLO_RENEWAL_DIGEST_HOUR": "0"}
RECOVERED_SECONDS = 90
ONE_TASK = """
import sys
import config.celery
import django
django.setup()
from django.utils.module_loading import import_string
import_string(sys.argv[1])()
"""
WAITING = "SELECT count(*) FROM pg_locks WHERE relation = %s::regclass AND NOT granted"


@pytest.fixture
def world(committed, settings):
    """Everything is due."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return everything_due(clock.now())


@pytest.fixture
def sink(tmp_path):
    """A mail server for the processes."""
    with MailSink(tmp_path / "mails") as running:
        yield running


def one_task(task, table, folder, environment, watcher):
    """Start this one task until it stands before that table; its group is killed there."""
    command = [sys.executable, "-W", "ignore", "-c", ONE_TASK, task]
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        child = start_child(
            "task", command, folder=ROOT, environment={**os.environ, **environment}, log=folder / "task.log"
        )
        while child.is_running:
            if watcher.execute(WAITING, [table]).fetchone()[0]:
                child.kill()
                return
            time.sleep(0.02)
    pytest.fail(f"{task} never came to {table}: {child.last_words()}")


def a_worker_group(task, table, folder, environment, watcher):
    """The same in a worker with its pool, killed with all its processes; it finds no pokes of those before it."""
    with redis.Redis.from_url(project.REDIS_URL) as broker:
        broker.flushall()
    with Installation(folder, **environment) as installation:
        worker = installation.worker()
        nudge.breaker.reset()
        eventually(lambda: watcher.execute(WAITING, [table]).fetchone()[0], poking=(task,))
        worker.kill()


def kill_all(superuser, folder, environment, victim):
    """Every death once. What was left undone is undone by the database, or taken over later."""
    with superuser.connect() as blocker, superuser.connect() as watcher:
        for task, tables in DEATHS.items():
            for table in tables:
                with blocker.transaction():
                    blocker.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
                    victim(task, table, folder, environment, watcher)
    connections.close_all()


def recover(folder, sink, environment):
    """Beat and a worker start; how many seconds until nothing is left to do."""
    began, since = time.monotonic(), clock.now()
    with Installation(folder, SIGILLO_SMTP_PORT=str(sink.port), **environment) as installation:
        installation.worker()
        installation.beat()
        eventually(lambda: not unfinished(clock.now(), sealed_until=since), seconds=180)
        return time.monotonic() - began


def require_each_once(sink):
    """Every change has one event, every notice one letter, every wish one effect."""
    assert Counter(OutboxMessage.objects.filter(kind__in=TOLD).values_list("kind", flat=True)) == TOLD
    letters = Counter(mail["message-id"] for mail in sink.messages())
    assert set(letters) == set(OutboxMessage.objects.values_list("message_id", flat=True))
    assert max(letters.values()) == 1
    changes = Event.objects.filter(verb__in=["certificate.held", "certificate.revoked", "certificate.issued"])
    told = changes.values_list("verb", "certificate_id")
    assert len(set(told)) == len(told) == CaRequest.objects.filter(state="done").count()
    assert not CaRequest.objects.exclude(state="done").exists()
    assert_invariants(clock.now())


@pytest.mark.parametrize(
    ("victim", "haste"),
    [
        pytest.param(one_task, QUICK, id="task"),
        pytest.param(a_worker_group, {}, id="worker group", marks=pytest.mark.soak),
    ],
)
def test_what_died_anywhere_is_done_once_within_ninety_seconds(world, superuser, sink, tmp_path, capsys, victim, haste):
    environment = {**USUAL, **haste}
    kill_all(superuser, tmp_path, environment, victim)
    assert len(unfinished(clock.now())) >= 6, "the kills came too late to prove anything"

    took = recover(tmp_path, sink, environment)

    require_each_once(sink)
    with capsys.disabled():
        deaths = sum(map(len, DEATHS.values()))
        print(f"\n{deaths} kills; all was done {took:.0f} s after the start")  # noqa: T201 - figures
    assert took < RECOVERED_SECONDS
