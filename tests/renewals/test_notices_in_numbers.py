"""Thousands of notices due at once: any number of sweeps, killed in the middle, each told once."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, connections

from cms.policy import days_before
from notifications.models import OutboxMessage
from renewals.models import RenewalCase
from renewals.services import decisions, notices, reminders
from tests.renewals.checking import assert_invariants
from tests.renewals.crowd import BIG, _copy
from tests.renewals.quick import completed, opened
from tests.renewals.test_clock import DUE
from tests.renewals.test_races import together
from tests.renewals.world import OLD_NOT_AFTER

SEVEN = days_before(OLD_NOT_AFTER, 7)
WARNINGS = ("renewal-reminder", "suspension-warning")


def crowd(world, superuser, copies):
    """Cases that are open, and cases that wait for approval, so many of each and one more."""
    opened(world, 1)
    completed(world, 2)
    with superuser.connect() as boss:
        boss.execute("SET session_replication_role = replica")
        for table in BIG:
            _copy(boss, table, times=copies)
        boss.execute("ANALYZE")


def told():
    """How many cases were told of, and how many mails that took."""
    mails = OutboxMessage.objects.filter(kind__in=WARNINGS)
    return mails.values("case_code").distinct().count(), mails.count()


@pytest.fixture
def small_batches(settings):
    """Many batches of few rows."""
    settings.RENEWALS = settings.RENEWALS.model_copy(update={"notice_batch": 20})


def test_four_sweeps_at_once_tell_each_case_once(world, superuser, small_batches):
    crowd(world, superuser, 150)
    done = together(*[lambda: reminders.tell_due(now=SEVEN)] * 4)
    assert sum(done) == 302
    assert told() == (302, 302)
    assert reminders.tell_due(now=SEVEN) == 0


def test_killed_in_the_middle_of_a_batch_nothing_is_lost_and_nothing_told_twice(world, superuser, small_batches):
    """The second sweep waits for a key that somebody holds, and loses its connection there; another one goes on."""
    crowd(world, superuser, 60)
    held = RenewalCase.objects.order_by("notice_at", "pk")[30].code
    victim = _Victim()
    with superuser.connect() as boss, boss.transaction(force_rollback=True):
        boss.execute(
            "INSERT INTO notifications_outboxmessage (id, key, kind, recipient, language, context, message_id, case_code,"
            " is_urgent, state, created_at, queued_at, last_error, attempts, fence, next_attempt_at)"
            " SELECT gen_random_uuid(), kind || ':' || %s || ':7', kind, 'x@example.org', 'it', '{}', '<x@example.org>',"
            " '', false, 'queued', now(), now(), '', 0, 0, now()"
            " FROM unnest(ARRAY['renewal-reminder', 'suspension-warning']) AS kind",
            [held],
        )
        victim.start()
        with superuser.connect() as killer:
            _wait_until_blocked(killer, victim.pid)
            killer.execute("SELECT pg_terminate_backend(%s)", [victim.pid()])
        victim.join()
    assert isinstance(victim.fault, OperationalError)
    before = told()[1]
    assert 0 < before < 122

    reminders.tell_due(now=SEVEN)

    assert told() == (122, 122)


class _Victim(threading.Thread):
    """A sweep in a thread of its own, whose connection can be named."""

    fault: Exception | None = None
    _backend = 0

    def run(self) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                (self._backend,) = cursor.fetchone()
            reminders.tell_due(now=SEVEN)
        except Exception as fault:  # noqa: BLE001 - whatever a lost connection becomes
            self.fault = fault
        finally:
            connections.close_all()

    def pid(self) -> int:
        """Number of its backend, 0 before it has one."""
        return self._backend


def _wait_until_blocked(boss, pid):
    """Until the backend waits for another transaction."""
    for _ in range(500):
        row = boss.execute("SELECT wait_event_type FROM pg_stat_activity WHERE pid = %s", [pid()]).fetchone()
        if row == ("Lock",):
            return
        time.sleep(0.01)
    pytest.fail("the sweep never waited")


def test_taking_back_costs_as_much_for_each_warning_however_many_wait():
    """After an outage of the mail server every pair has a warning in the queue, and nearly every one still stands."""
    days = [f"pair-{number}:20260701" for number in range(1, 20_001)]
    keys = [f"revocation-warning:{day}:15" for day in days]
    began = time.process_time()
    gone = notices.outlived(keys, dict.fromkeys(days[:-1]))
    assert time.process_time() - began < 1
    assert gone == ["revocation-warning:pair-20000:20260701:15"]


def test_a_pair_or_a_day_that_only_begins_like_another_is_another():
    keys = ["revocation-warning:pair-12:20260701:15", "revocation-warning:pair-1:20260702:15"]
    assert notices.outlived(keys, {"pair-1:20260701"}) == keys


def test_an_approval_and_a_warning_in_the_same_instant(world):
    """Whoever wins: afterwards no warning waits for a case that is approved."""
    for number in range(1, 7):
        case = completed(world, number)
        together(
            lambda: reminders.tell_due(now=SEVEN),
            lambda case=case: decisions.approve_renewal(case.pk, operator=world.operator, now=SEVEN),
        )
    reminders.tell_due(now=SEVEN + timedelta(seconds=30))
    assert told() == (0, 0)
    assert_invariants(SEVEN)


def all_told(now):
    """How many rows were looked at, over as many stints as that takes: each ends after its time and pokes the next."""
    return sum(iter(lambda: reminders.tell_due(now=now), 0))


@pytest.mark.soak
def test_ten_thousand_notices_are_told_within_a_minute(world, superuser, capsys):
    """After an outage; one sweep alone."""
    crowd(world, superuser, 5000)
    began = time.monotonic()
    assert all_told(SEVEN) == 10_002
    took = time.monotonic() - began
    with capsys.disabled():
        print(f"\n10,002 notices told in {took:.1f} s")  # noqa: T201 - the soak says its figures
    assert told() == (10_002, 10_002)
    assert took < 60
    assert all_told(DUE) == 10_002  # looked at once more: over, and silent
    assert told() == (10_002, 10_002)
