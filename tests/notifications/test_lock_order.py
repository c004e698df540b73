"""Two who write to the same letters lock them in one order: the second waits for the first, and neither for ever."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from notifications import delivery, services, withdrawal
from notifications.locking import update_in_order
from notifications.models import OutboxMessage
from notifications.transport import ServerAway
from runtime.claims import give_back
from tests.notifications.letters import NOON, draft_of

LOCK = "SELECT 1 FROM notifications_outboxmessage WHERE id = %s FOR NO KEY UPDATE"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND state = 'active'"


@pytest.fixture
def letters(committed):
    """Two letters that lie in the table in the order opposite to that of their ids; the first id first."""
    services.post_all([draft_of(key="b")], at=NOON)
    services.post_all([draft_of(key="a")], at=NOON - timedelta(hours=1))
    return list(OutboxMessage.objects.order_by("pk").values_list("pk", flat=True))


def mark_sent(ids):
    delivery._mark_sent(ids, NOON)


def let_rest(_ids):
    delivery._wait_for_server(10, NOON, ServerAway("OSError"))


def forget(_ids):
    services.forget_old_secrets(at=NOON + timedelta(days=365))


def return_claims(ids):
    give_back(OutboxMessage, dict.fromkeys(ids, 0))


def waits(boss):
    """Whether somebody waits for a lock by now; True within five seconds, or False."""
    for _ in range(100):
        if boss.execute(WAITING).fetchone()[0]:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("writes", [mark_sent, let_rest, forget, return_claims])
def test_whoever_waits_for_the_first_letter_holds_no_later_one(letters, superuser, writes):
    """Else he who holds the first and wants the second would wait for him in turn."""
    first, second = letters
    if writes is forget:
        OutboxMessage.objects.update(state="failed", next_attempt_at=None, sealed_context=b"x")
    if writes is return_claims:
        OutboxMessage.objects.update(claimed_until=NOON, attempts=1)
    worker = threading.Thread(target=lambda: (writes([second, first]), connection.close()))
    with superuser.connect() as boss, superuser.connect() as other:
        with other.transaction():
            other.execute(LOCK, [first])
            worker.start()
            assert waits(boss)
            other.execute(LOCK + " NOWAIT", [second])
        worker.join(10)
    assert not worker.is_alive()


def test_the_same_facts_are_stored_in_one_order_whoever_tells_them(committed, superuser):
    """A key that another is just storing is waited for, with no later one in hand."""
    insert = (
        "INSERT INTO notifications_outboxmessage SELECT (jsonb_populate_record(row, jsonb_build_object("
        "'id', gen_random_uuid(), 'key', %s::text))).* FROM notifications_outboxmessage AS row WHERE key = 'pattern'"
    )
    services.post_all([draft_of(key="pattern")], at=NOON)
    worker = threading.Thread(
        target=lambda: (services.post_all([draft_of(key="b"), draft_of(key="a")], at=NOON), connection.close())
    )
    with superuser.connect() as boss, superuser.connect() as other:
        with other.transaction():
            other.execute(insert, ["a"])
            worker.start()
            assert waits(boss)
            other.execute("SET LOCAL lock_timeout = '1s'")
            other.execute(insert, ["b"])
        worker.join(10)
    assert not worker.is_alive()
    assert OutboxMessage.objects.count() == 3


def test_two_workers_settle_the_same_letters_in_opposite_order(committed):
    """Each ten times; a deadlock would end one of them with an error."""
    services.post_all([draft_of(key=f"k{number:03}") for number in range(60)], at=NOON)
    ids = list(OutboxMessage.objects.values_list("pk", flat=True))
    failures = []

    def work(mine):
        try:
            for _ in range(10):
                update_in_order(OutboxMessage.objects.all(), state="queued", sent_at=None, next_attempt_at=NOON)
                mark_sent(mine)
        except Exception as failure:  # noqa: BLE001 - whatever it is, the test names it
            failures.append(failure)
        finally:
            connection.close()

    workers = [threading.Thread(target=work, args=(mine,)) for mine in (ids, ids[::-1])]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert failures == []


def test_what_is_taken_back_is_locked_in_order_too(letters):
    with transaction.atomic(), CaptureQueriesContext(connection) as asked:
        assert withdrawal.withdraw_keys(["a", "b"]) == 2
    assert any("ORDER BY" in query["sql"] and "FOR UPDATE SKIP LOCKED" in query["sql"] for query in asked)
