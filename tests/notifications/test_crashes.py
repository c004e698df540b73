"""Delivery when the process or the database dies: nothing lost, the same letter at most once more, no claim broken."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connection, transaction

from notifications import delivery, queries, services, tasks
from notifications.catalog import Message
from notifications.delivery import deliver_due
from notifications.models import OutboxMessage
from notifications.states import MessageState
from notifications.transport import PutOff, Rejected
from runtime.claims import claim
from tests.notifications.letters import NOON, SECRETS, draft_of
from tests.notifications.test_outbox import post
from tests.notifications.transports import Transports

pytestmark = pytest.mark.usefixtures("committed")

ROOT = Path(__file__).resolve().parents[2]


def only():
    return OutboxMessage.objects.get()


def test_a_line_cut_before_the_answer_repeats_the_same_letter_at_most_once(server):
    server.data = ["keep, then cut"]
    post(Message.RENEWAL_DONE)
    assert deliver_due(at=NOON) == 0
    assert deliver_due(at=only().next_attempt_at) == 1
    assert deliver_due(at=NOON + timedelta(days=1)) == 0

    first, second = server.accepted
    assert first == second  # to the byte, so under one Message-ID


def test_a_drain_that_dies_after_the_acceptance_repeats_the_same_letter(server):
    """The machine stops between the server's 250 and our commit: never lost, and twice under one identity."""

    class Killed(BaseException):
        pass

    class Dying(delivery.SmtpTransport):
        def send(self, **mail):
            super().send(**mail)
            raise Killed

    post(Message.RENEWAL_DONE)
    with pytest.raises(Killed):
        deliver_due(at=NOON, transport=Dying())

    lease = only().claimed_until
    assert deliver_due(at=NOON + timedelta(seconds=60)) == 0
    assert deliver_due(at=lease) == 1
    first, second = server.accepted
    assert first == second


KILLED = """
import os, signal, sys
import django
django.setup()
from datetime import datetime
from notifications import delivery
from notifications.delivery import deliver_due
from notifications.transport import SmtpTransport

class Dying(SmtpTransport):
    def open(self):
        super().open()
        if sys.argv[1] == "rcpt":
            say = self._line.docmd
            self._line.docmd = lambda *said: say(*said) if said[0] != "RCPT" else os.kill(os.getpid(), signal.SIGKILL)
    def send(self, **mail):
        if sys.argv[1] == "claim":
            os.kill(os.getpid(), signal.SIGKILL)
        super().send(**mail)
        if sys.argv[1] == "accepted":
            os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[1] == "recorded":
    record = delivery._mark_sent
    def _mark_sent(*args):
        record(*args)
        os.kill(os.getpid(), signal.SIGKILL)
    delivery._mark_sent = _mark_sent
deliver_due(at=datetime.fromisoformat(sys.argv[2]), transport=Dying())
"""


@pytest.mark.parametrize(
    ("moment", "copies", "again"), [("claim", 1, 1), ("rcpt", 1, 1), ("accepted", 2, 1), ("recorded", 1, 0)]
)
def test_a_killed_process_loses_nothing(server, settings, moment, copies, again):
    post(Message.RENEWAL_DONE)
    environment = {**os.environ, "SIGILLO_SMTP_PORT": str(settings.EMAIL_PORT), "SIGILLO_SMTP_HOST": "127.0.0.1"}
    killed = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KILLED, moment, NOON.isoformat()],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()

    after_lease = NOON + settings.NOTIFICATIONS.lease + timedelta(seconds=30)
    assert deliver_due(at=after_lease) == again
    assert deliver_due(at=after_lease + timedelta(days=1)) == 0
    assert only().state == MessageState.SENT
    assert len(server.accepted) == copies
    assert len(set(server.accepted)) == 1


def test_a_claim_that_another_took_over_writes_no_refusal(server):
    """The slow one learns of a refusal after the quick one's success: the success stands."""
    post()

    def meanwhile():
        later = NOON + timedelta(seconds=200)
        assert deliver_due(at=later, transport=Transports()) == 1
        raise PutOff(451)

    assert deliver_due(at=NOON, transport=Transports(meanwhile)) == 0
    assert only().state == MessageState.SENT
    assert only().last_error == ""


def test_a_lost_claim_leaves_the_other_drain_undisturbed(settings):
    row = post()
    later = NOON + timedelta(seconds=200)

    def meanwhile():
        assert claim(OutboxMessage, row.pk, at=later, lease=settings.NOTIFICATIONS.lease) == 2
        raise Rejected(550)

    assert deliver_due(at=NOON, transport=Transports(meanwhile)) == 0
    assert only().state == MessageState.QUEUED
    assert only().claimed_until == later + settings.NOTIFICATIONS.lease


def test_a_claimed_message_is_not_due_until_its_lease_ends(settings):
    row = post()
    claim(OutboxMessage, row.pk, at=NOON, lease=settings.NOTIFICATIONS.lease)

    end = NOON + settings.NOTIFICATIONS.lease
    assert queries.due(at=end - timedelta(microseconds=1), limit=10) == []
    assert queries.due(at=end, limit=10) == [row.pk]


def test_a_message_that_cannot_be_composed_stops_no_other(server, settings):
    broken = post(Message.RENEWAL_DONE, key="broken")
    OutboxMessage.objects.filter(pk=broken.pk).update(sealed_context=b"\x01 not what was sealed, altered")
    post(key="sound")

    assert deliver_due(at=NOON) == 1

    broken.refresh_from_db()
    assert broken.state == MessageState.QUEUED
    assert broken.last_error == "_Unsendable SealBroken"
    assert broken.next_attempt_at > NOON


def test_a_database_that_breaks_is_no_fault_of_the_message(server):
    post()

    def broken(execute, sql, params, many, context):
        if "outboxattachment" in sql:
            raise OperationalError
        return execute(sql, params, many, context)

    with connection.execute_wrapper(broken), pytest.raises(OperationalError):
        deliver_due(at=NOON)

    row = only()
    assert (row.state, row.last_error) == (MessageState.QUEUED, "")
    assert deliver_due(at=NOON + timedelta(minutes=2)) == 1


def test_a_long_drain_stops_in_time(monkeypatch):
    services.post_all([draft_of(key="a"), draft_of(key="b")], at=NOON)
    monkeypatch.setattr(delivery, "LONGEST_DRAIN_SECONDS", -1)

    assert deliver_due(at=NOON, transport=Transports()) == 0
    assert queries.count_by_state()[MessageState.QUEUED] == 2


def test_the_task_reads_the_clock_and_drains(mailbox, clock):
    clock.instant = NOON
    post()

    assert tasks.drain() == 1
    assert tasks.drain() == 0
    assert len(mailbox.messages()) == 1


def test_the_logs_name_neither_person_nor_secret(server, caplog):
    server.rcpt = ["451 later ada.bianchi@posta.example", "550 no such user ada.bianchi@posta.example"]
    services.post_all([draft_of(Message.RENEWAL_DONE, key=key) for key in ("a", "b", "c")], at=NOON)
    OutboxMessage.objects.filter(key="c").update(sealed_context=b"broken")
    deliver_due(at=NOON)

    said = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("notifications"))
    assert all(event in said for event in ("outbox.failed", "outbox.put-off", "outbox.unsendable"))
    for private in ("ada.bianchi", "Ada", SECRETS["user_code"]):
        assert private not in said


def test_due_messages_are_found_through_their_index():
    services.post_all([draft_of(key=f"k{number}") for number in range(300)], at=NOON)
    OutboxMessage.objects.filter(key__gt="k2").update(state="sent", sent_at=NOON, next_attempt_at=None)
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")  # which a small table may get, and then needs a sort
        cursor.execute(
            "EXPLAIN SELECT id FROM notifications_outboxmessage WHERE state = 'queued' AND next_attempt_at <= now()"
            " ORDER BY is_urgent DESC, next_attempt_at LIMIT 100"
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "outbox_due" in plan
    assert "Sort" not in plan
