"""Three days without beat, with real processes: what is due is alarmed, then done in five minutes, each notice once.

Beats start by two and then by five, while Redis is emptied, PostgreSQL crashes, or the worker dies with its pool.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from datetime import timedelta

import pytest
import redis
from django.conf import settings as project
from django.db import DatabaseError, connections

from authority.gateway import EmbeddedGateway
from authority.models import JournalEntry, LedgerEntry, UnpublishedChange
from authority.services import publication
from cms.models import CaRequest, Certificate, Event, Hold, User
from config.models import Alarm
from notifications.models import OutboxMessage
from renewals.models import RenewalCase
from runtime import clock
from runtime.embedded.mailsink import MailSink
from tests.authority.founding import found
from tests.flows.installation import Installation, eventually
from tests.plugin import services
from tests.renewals import quick
from tests.renewals.copies_at_the_ca import multiply
from tests.renewals.world import World

DOWN = timedelta(days=3)
TEMPLATES = 5
ALARMED_SECONDS, DONE_SECONDS, RECOVERED_SECONDS = 180, 300, 120
HASTE = {
    "SIGILLO_CMS_CA_LEASE_SECONDS": "3",
    "SIGILLO_CMS_CA_RETRY_SECONDS": "[1]",
    "SIGILLO_MAIL_LEASE_SECONDS": "6",
    "SIGILLO_MAIL_REPLY_SECONDS": "1",
}
SMALL = {"SIGILLO_RENEWAL_SWEEP_BATCH": "20", "SIGILLO_CMS_CA_BATCH": "20"}
EVERY_TASK = (
    "renewals.tasks.sweep_unauthorised",
    "cms.tasks.rescan_requests",
    "authority.tasks.publish_crls",
    "notifications.tasks.drain",
)


@pytest.fixture
def sink(tmp_path):
    """A mail server for the processes."""
    with MailSink(tmp_path / "mails") as running:
        yield running


@pytest.fixture
def durable(superuser, committed):
    """What is committed survives the death of the database's processes, as in an installation."""
    with superuser.connect() as boss:
        boss.execute("ALTER DATABASE sigillo SET synchronous_commit = on")
    yield
    with superuser.connect() as boss:
        boss.execute("ALTER DATABASE sigillo RESET synchronous_commit")


@pytest.fixture
def due(committed, superuser, settings):
    """Fill the register with so many cases that should have been suspended three days ago; their earlier mails have left."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

    def fill(cases):
        now = clock.now()
        found(at=now - timedelta(days=40))
        world = World(EmbeddedGateway(), now - timedelta(days=40))
        User.objects.create_user("ada@example.org", full_name="Ada Esempio", is_staff=True, is_administrator=True)
        for number in range(TEMPLATES):
            quick.completed(world, number, not_after=now - DOWN)
        OutboxMessage.objects.update(state="sent", next_attempt_at=None, sealed_context=None, sent_at=now - DOWN)
        multiply(superuser, cases // TEMPLATES - 1)
        publication.publish_due(now)

    return fill


def suspended():
    return RenewalCase.objects.filter(suspended_at__isnull=False).count()


def is_done(cases):
    """Held here and at the CA, on the lists, and every notice has left. Asked of a database that may be away."""
    try:
        return (
            suspended() == cases
            and not CaRequest.objects.exclude(state="done").exists()
            and not UnpublishedChange.objects.exists()
            and OutboxMessage.objects.filter(kind="suspended", state="sent").count() == cases
        )
    except DatabaseError:
        connections.close_all()
        return False


def require_each_once(cases, sink, *, letters_repeated=0):
    """One suspension, one event, one entry and one letter each, whatever went wrong meanwhile."""
    assert suspended() == cases
    halves = Certificate.objects.filter(pair__predecessor__isnull=False)
    assert halves.filter(status="held").count() == halves.count() == 2 * cases
    assert LedgerEntry.objects.filter(state="held").count() == 2 * cases
    assert JournalEntry.objects.filter(kind="hold").count() == 2 * cases
    assert Hold.objects.count() == 2 * cases
    for verb, times in (("case.suspension-due", cases), ("certificate.held", 2 * cases)):
        told = Event.objects.filter(verb=verb)
        assert told.count() == told.values("case_code", "certificate_id").distinct().count() == times
    listed = {}
    for row in JournalEntry.objects.filter(kind="publish").order_by("pk"):
        listed[row.authority_id, row.facts["year"]] = row.facts["entries"]
    assert sum(entries for (_, year), entries in listed.items() if year is not None) == 2 * cases
    posted = OutboxMessage.objects.filter(kind="suspended")
    assert posted.count() == posted.values("case_code").distinct().count() == cases
    letters = Counter(mail["message-id"] for mail in sink.messages())
    assert set(posted.values_list("message_id", flat=True)) <= set(letters)
    assert sum(letters.values()) - len(letters) <= letters_repeated


def wait_for_alarms(kinds, seconds):
    """Until these alarms stand, and their mails are posted; how many seconds that took."""
    began = time.monotonic()
    standing = Alarm.objects.filter(kind__in=kinds, closed_at__isnull=True)
    eventually(lambda: standing.count() == len(kinds), seconds=seconds)
    eventually(lambda: OutboxMessage.objects.filter(kind="alarm").count() >= len(kinds), seconds=10)
    return time.monotonic() - began


@pytest.mark.parametrize(
    ("cases", "alarms"),
    [
        pytest.param(300, {"suspensions-overdue"}, id="300"),
        pytest.param(
            10_000, {"suspensions-overdue", "beat-silent", "schedule-silent"}, id="10000", marks=pytest.mark.soak
        ),
    ],
)
def test_two_and_then_five_beats_catch_up_and_do_nothing_twice(due, sink, tmp_path, capsys, cases, alarms):
    due(cases)
    with Installation(tmp_path, SIGILLO_SMTP_PORT=str(sink.port)) as installation:
        installation.worker()
        alarmed = wait_for_alarms(alarms, ALARMED_SECONDS)
        began = time.monotonic()
        for _ in range(2):
            installation.beat()
        eventually(lambda: suspended() > 0, seconds=DONE_SECONDS)
        for _ in range(3):
            installation.beat()
        eventually(lambda: is_done(cases), seconds=DONE_SECONDS)
        took = time.monotonic() - began
    require_each_once(cases, sink)
    with capsys.disabled():
        print(f"\n{cases} due: alarms {alarmed:.0f} s, done {took:.0f} s after the first beat")  # noqa: T201 - figures


def emptied_redis(stop):
    """FLUSHALL, ten times a second."""
    with redis.Redis.from_url(project.REDIS_URL) as client:
        while not stop.wait(0.1):
            client.flushall()


@contextlib.contextmanager
def all_the_time(act):
    """Beside all else."""
    stop = threading.Event()
    thread = threading.Thread(target=act, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize(
    ("cases", "environment", "poked"),
    [
        pytest.param(200, {**SMALL, **HASTE}, EVERY_TASK, id="200"),
        pytest.param(10_000, {}, (), id="10000", marks=pytest.mark.soak),
    ],
)
def test_redis_postgresql_and_the_worker_die_in_the_middle(
    due, durable, sink, tmp_path, capsys, cases, environment, poked
):
    due(cases)
    with Installation(tmp_path, SIGILLO_SMTP_PORT=str(sink.port), **environment) as installation:
        worker = installation.worker()
        installation.beat()
        with all_the_time(emptied_redis):
            eventually(lambda: suspended() >= cases // 4, poking=poked[:1], seconds=DONE_SECONDS)
            crashed_at = suspended()
            services.crash_postgres()
            connections.close_all()
            held = Certificate.objects.filter(status="held")
            eventually(lambda: held.count() >= cases // 2, poking=poked, seconds=DONE_SECONDS)
            worker.kill()
            killed_at = held.count()
            installation.worker()
        began = time.monotonic()
        eventually(lambda: is_done(cases), poking=poked, seconds=DONE_SECONDS)
        took = time.monotonic() - began
    connections.close_all()
    # SMTP may repeat what a batch had sent when its worker or its database died before it was written down.
    require_each_once(cases, sink, letters_repeated=4 * project.NOTIFICATIONS.mails_per_batch)
    with capsys.disabled():
        said = f"PostgreSQL crashed at {crashed_at} cases, worker killed at {killed_at} certificates"
        print(f"\n{cases} due, {said}: done {took:.0f} s after the last fault")  # noqa: T201 - figures
    assert took < RECOVERED_SECONDS
