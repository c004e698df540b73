"""Delivery to a real SMTP server: once, not lost, not twice, whatever the server or the process does."""

import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from django.db import OperationalError, connection, connections, transaction

from notifications import delivery, envelope, queries, services, tasks
from notifications.catalog import Message
from notifications.delivery import deliver_due
from notifications.errors import NotReadable
from notifications.models import OutboxMessage
from notifications.states import MessageState
from notifications.transport import PutOff, Rejected
from runtime.claims import claim
from tests.notifications.letters import FORM, NOON, SECRETS, draft_of
from tests.notifications.test_outbox import dump, post

pytestmark = pytest.mark.usefixtures("committed")

ROOT = Path(__file__).resolve().parents[2]


def only():
    return OutboxMessage.objects.get()


def subjects_by_recipient(server):
    mails = [message_from_bytes(content, policy=policy.default) for content in server.accepted]
    return [(mail["To"], mail["Subject"]) for mail in mails]


@pytest.mark.parametrize("message", Message)
def test_every_message_arrives_once_and_its_secret_is_gone(message, mailbox):
    row = post(message)

    assert deliver_due(at=NOON) == 1
    assert deliver_due(at=NOON + timedelta(days=30)) == 0

    (mail,) = mailbox.messages()
    assert mail["Message-ID"] == row.message_id
    assert mail["To"] == row.recipient
    stored = only()
    assert stored.state == MessageState.SENT
    assert NOON <= stored.sent_at < NOON + timedelta(minutes=1)
    assert stored.sealed_context is None
    assert not any(secret in dump() for secret in SECRETS.values())
    assert [part.get_content() for part in mail.iter_attachments()] == (
        [FORM.content] if message is Message.SIGNED_FORM else []
    )


def test_the_holder_reads_the_user_code(mailbox):
    post(Message.RENEWAL_DONE)
    deliver_due(at=NOON)

    (mail,) = mailbox.messages()
    for kind in ("plain", "html"):
        assert SECRETS["user_code"] in mail.get_body((kind,)).get_content()


def test_what_was_sent_with_a_secret_cannot_be_made_again(mailbox):
    post(Message.RENEWAL_DONE)
    deliver_due(at=NOON)

    with pytest.raises(NotReadable):
        envelope.compose(only())


def test_other_mails_can_be_rendered_again_after_they_were_sent(mailbox):
    post(Message.AUTHORISED)
    deliver_due(at=NOON)

    assert envelope.compose(only())


def test_nothing_due_opens_no_connection(settings):
    settings.EMAIL_PORT = 9  # nobody listens
    post(at=NOON + timedelta(seconds=1))

    assert deliver_due(at=NOON) == 0
    assert only().last_error == ""


def test_many_mails_share_one_connection(server):
    services.post_all([draft_of(key=f"k{number}") for number in range(20)], at=NOON)

    assert deliver_due(at=NOON) == 20
    assert len(server.peers) == 1


def test_a_connection_is_renewed_after_its_share(server, settings):
    settings.NOTIFICATIONS = settings.NOTIFICATIONS.model_copy(update={"mails_per_connection": 4})
    services.post_all([draft_of(key=f"k{number}") for number in range(10)], at=NOON)

    assert deliver_due(at=NOON) == 10
    assert len(server.peers) == 3


def test_urgent_messages_overtake_notices(server):
    services.post_all([draft_of(key=f"k{number}") for number in range(5)], at=NOON)
    post(Message.CONTACT_CONFIRMATION, at=NOON + timedelta(seconds=5))

    assert deliver_due(at=NOON + timedelta(seconds=5), limit=1) == 1
    assert "Codice di conferma" in subjects_by_recipient(server)[0][1]


def test_four_drains_at_once_send_each_mail_once(server):
    services.post_all([draft_of(key=f"k{number}") for number in range(60)], at=NOON)
    barrier, sent = threading.Barrier(4), []

    def drain():
        try:
            barrier.wait()
            sent.append(deliver_due(at=NOON))
        finally:
            connections.close_all()

    drains = [threading.Thread(target=drain) for _ in range(4)]
    for thread in drains:
        thread.start()
    for thread in drains:
        thread.join()

    assert sum(sent) == 60
    ids = [message_from_bytes(content)["Message-ID"] for content in server.accepted]
    assert len(ids) == len(set(ids)) == 60
    assert queries.count_by_state()[MessageState.SENT] == 60


def test_no_transaction_is_open_while_the_server_is_spoken_to():
    class Watching(Transports):
        def send(self, **mail):
            assert not connection.in_atomic_block
            with connection.cursor() as cursor:  # what another connection sees of the claim
                cursor.execute(
                    "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND mode = 'RowExclusiveLock'"
                )
                assert cursor.fetchone() == (0,)
            super().send(**mail)

    post()
    assert deliver_due(at=NOON, transport=Watching()) == 1


def test_delivery_inside_a_transaction_is_refused(server):
    post()

    with pytest.raises(RuntimeError), transaction.atomic():
        deliver_due(at=NOON)
    assert server.accepted == []


class Transports:
    """A mail server in memory that does what `does` says once, then accepts."""

    def __init__(self, does=None):
        self.does, self.taken = does, []

    def open(self):
        """Be there."""

    def send(self, *, sender, recipient, content):
        does, self.does = self.does, None
        if does:
            does()
        self.taken.append(content)

    def close(self):
        """Be gone."""


def test_a_server_that_is_down_costs_no_message_an_attempt(settings):
    settings.EMAIL_PORT = 9
    services.post_all([draft_of(key="a"), draft_of(key="b")], at=NOON)

    assert deliver_due(at=NOON) == 0

    for row in OutboxMessage.objects.all():
        assert (row.state, row.attempts, row.last_error) == ("queued", 0, "ServerAway ConnectionRefusedError")
        assert timedelta(seconds=60) <= row.next_attempt_at - NOON < timedelta(seconds=70)


def test_a_server_that_was_down_for_a_day_gets_everything_soon_after_its_return(settings, server):
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 9
    post()
    at = NOON
    for _ in range(60 * 24):
        at = OutboxMessage.objects.get().next_attempt_at
        if at - NOON > timedelta(days=1):
            break
        OutboxMessage.objects.update(next_attempt_at=at + timedelta(minutes=20))  # skip: each round is the same
        deliver_due(at=at + timedelta(minutes=20))

    settings.EMAIL_PORT = port
    assert deliver_due(at=at + timedelta(minutes=2)) == 1
    assert only().state == MessageState.SENT


def test_greylisting_is_waited_for(server):
    server.rcpt = ["451 4.7.1 try again"] * 3
    post()
    at, waits = NOON, []
    for _ in range(3):
        assert deliver_due(at=at) == 0
        waits.append(round((only().next_attempt_at - at).total_seconds(), -1))
        at = only().next_attempt_at

    assert deliver_due(at=at) == 1
    assert waits == [60, 120, 240]
    assert at - NOON < timedelta(minutes=20)
    assert only().last_error == ""


def test_the_waits_grow_up_to_a_quarter_of_an_hour(settings):
    waits = [settings.NOTIFICATIONS.pause_after(attempts).total_seconds() for attempts in range(1, 400)]

    assert waits[:5] == [60, 120, 240, 480, 900]
    assert max(waits) == 900


def test_a_message_put_off_for_days_has_failed_and_keeps_its_secret_for_a_retry(server, settings):
    server.data = ["452 4.2.2 mailbox full"] * 2
    post(Message.RENEWAL_DONE)
    deliver_due(at=NOON)
    deliver_due(at=NOON + timedelta(days=settings.NOTIFICATIONS.give_up_days, seconds=1))

    row = only()
    assert (row.state, row.last_error) == ("failed", "PutOff 452")

    later = NOON + timedelta(days=9)
    services.retry_failed(row.pk, at=later)
    assert deliver_due(at=later) == 1
    assert only().sealed_context is None


@pytest.mark.parametrize("phase", ["rcpt", "data"])
def test_a_refused_message_fails_at_once_and_the_others_flow(server, phase):
    getattr(server, phase).append("550 5.1.1 ada.bianchi@posta.example does not exist")
    services.post_all([draft_of(key=f"k{number}") for number in range(3)], at=NOON)

    assert deliver_due(at=NOON) == 2

    (row,) = queries.failed()
    assert row.last_error == "Rejected 550"  # not the server's text: it names the person
    assert row.next_attempt_at is None
    assert len(server.peers) == 1


def test_a_refusal_of_our_own_address_is_no_fault_of_the_messages(server, settings):
    async def refuse(*_):
        return "553 sender refused"

    server.handle_MAIL = refuse
    services.post_all([draft_of(key="a"), draft_of(key="b")], at=NOON)
    assert deliver_due(at=NOON) == 0

    for row in OutboxMessage.objects.all():
        assert (row.state, row.attempts, row.last_error) == ("queued", 0, "ServerAway 553")
        assert row.claimed_until is None


def test_a_login_that_is_refused_costs_no_message_an_attempt(server, settings):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "sigillo", "wrong"
    post()

    assert deliver_due(at=NOON) == 0
    assert (only().state, only().attempts) == ("queued", 0)
    assert only().last_error.startswith("ServerAway")


def test_a_closing_server_is_called_again(server):
    server.rcpt = ["421 4.3.2 closing"]
    services.post_all([draft_of(key="a"), draft_of(key="b")], at=NOON)

    assert deliver_due(at=NOON) == 1
    assert len(server.peers) == 2
    assert OutboxMessage.objects.get(state="queued").last_error == "PutOff 421"


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("phase", ["rcpt", "data"])
def test_a_server_that_hangs_is_left_and_called_again(server, phase):
    getattr(server, phase).append("hang")
    services.post_all([draft_of(key="a"), draft_of(key="b")], at=NOON)

    assert deliver_due(at=NOON) == 1

    waiting = OutboxMessage.objects.get(state="queued")
    assert waiting.last_error == "PutOff SMTPServerDisconnected"  # smtplib's name for a reply that does not come
    assert deliver_due(at=waiting.next_attempt_at) == 1
    assert len(server.accepted) == 2


@pytest.mark.usefixtures("impatient")
def test_a_server_that_accepts_and_never_greets_is_away(settings):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as deaf:
        settings.EMAIL_HOST, settings.EMAIL_PORT = deaf.getsockname()
        post()
        assert deliver_due(at=NOON) == 0

    assert only().last_error == "ServerAway SMTPServerDisconnected"
    assert only().attempts == 0


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
            self._line.rcpt = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
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
        cursor.execute(
            "EXPLAIN SELECT id FROM notifications_outboxmessage WHERE state = 'queued' AND next_attempt_at <= now()"
            " ORDER BY is_urgent DESC, next_attempt_at LIMIT 100"
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "outbox_due" in plan
    assert "Sort" not in plan
