"""Delivery to a real SMTP server: once, not lost, not twice, whatever the server or the process does."""

import threading
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from django.db import connection, connections, transaction

from notifications import envelope, queries, services
from notifications.catalog import Message
from notifications.delivery import deliver_due
from notifications.errors import NotReadable
from notifications.models import OutboxMessage
from notifications.states import MessageState
from tests.notifications.letters import FORM, NOON, SECRETS, draft_of
from tests.notifications.test_outbox import dump, post
from tests.notifications.transports import Transports

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
    files = [part for part in mail.iter_attachments() if part.get_content_type() != "text/calendar"]
    assert [part.get_content() for part in files] == ([FORM.content] if message is Message.SIGNED_FORM else [])


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
