"""Posting: in the caller's transaction, once per key, secrets sealed."""

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, connections, transaction

from notifications import queries, services
from notifications.catalog import CATALOG, Message
from notifications.errors import ContextRefused, NotRetryable
from notifications.models import OutboxAttachment, OutboxMessage
from notifications.states import MessageState
from runtime import sealing
from tests.notifications.letters import FORM, NOON, SECRETS, context_of, draft_of

pytestmark = pytest.mark.usefixtures("committed")


def post(message=Message.AUTHORISED, *, at=NOON, **changes):
    draft = draft_of(message, **changes)
    return services.post(**{name: getattr(draft, name) for name in draft.__slots__}, at=at)


def dump():
    """Everything that the tables hold, as PostgreSQL writes it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT m::text FROM notifications_outboxmessage m")
        return "\n".join(row[0] for row in cursor.fetchall())


@pytest.mark.parametrize("message", Message)
def test_every_message_can_be_posted_and_waits(message):
    row = post(message)

    stored = OutboxMessage.objects.get()
    assert stored == row
    assert (stored.state, stored.kind, stored.next_attempt_at, stored.attempts) == ("queued", message.value, NOON, 0)
    assert stored.is_urgent == CATALOG[message].is_urgent
    assert (stored.sealed_context is not None) == bool(CATALOG[message].secrets)


def test_a_message_lives_and_dies_with_the_fact_that_causes_it():
    class FactFailed(Exception):
        pass

    def use_case():
        with transaction.atomic():
            post()
            raise FactFailed

    with pytest.raises(FactFailed):
        use_case()

    assert not OutboxMessage.objects.exists()


def test_the_same_key_keeps_the_first_message():
    first = post(to="ada@posta.example")
    second = post(to="other@posta.example")

    assert second == first
    assert second.recipient == "ada@posta.example"
    assert OutboxMessage.objects.count() == 1


def test_the_same_key_adds_no_second_attachment():
    post(Message.SIGNED_FORM)
    post(Message.SIGNED_FORM)

    assert [bytes(file.content) for file in OutboxAttachment.objects.all()] == [FORM.content]


def test_many_messages_are_stored_with_few_statements(django_assert_max_num_queries):
    drafts = [draft_of(key=f"authorised:{number}") for number in range(50)]
    post(key="authorised:7")

    with django_assert_max_num_queries(4):
        assert services.post_all(drafts, at=NOON) == 49
    assert OutboxMessage.objects.count() == 50


def test_a_post_costs_two_statements_inside_its_use_case(django_assert_num_queries):
    with transaction.atomic(), django_assert_num_queries(2):
        post()


def test_one_wrong_message_among_many_stores_none():
    drafts = [draft_of(key="a"), draft_of(key="b", context={})]
    with pytest.raises(ContextRefused):
        services.post_all(drafts, at=NOON)

    assert not OutboxMessage.objects.exists()


def test_eight_posts_of_one_key_at_once_make_one_message():
    barrier, seen = threading.Barrier(8), []

    def racer():
        try:
            barrier.wait()
            with transaction.atomic():
                seen.append(post(Message.SIGNED_FORM).pk)
        finally:
            connections.close_all()

    racers = [threading.Thread(target=racer) for _ in range(8)]
    for thread in racers:
        thread.start()
    for thread in racers:
        thread.join()

    assert len(seen) == 8
    assert set(seen) == {OutboxMessage.objects.get().pk}
    assert OutboxAttachment.objects.count() == 1


@pytest.mark.parametrize("message", [m for m in Message if CATALOG[m].secrets])
def test_a_secret_lies_sealed_and_bound_to_its_row(message):
    row = post(message)
    (secret,) = (SECRETS[key] for key in CATALOG[message].secrets)

    assert secret not in dump()
    assert secret.encode().hex() not in dump()
    assert secret.encode() in sealing.unseal(row.sealed_context, context=row.seal_context)
    with pytest.raises(sealing.SealBroken):
        sealing.unseal(row.sealed_context, context="outbox:another")


def test_rows_of_one_time_lie_together_in_the_index():
    early = [services._ordered_id(NOON) for _ in range(20)]
    late = [services._ordered_id(NOON + timedelta(milliseconds=1)) for _ in range(20)]

    assert max(early) < min(late)
    assert {(made.version, made.variant) for made in early} == {(7, "specified in RFC 4122")}
    assert len(set(early + late)) == 40


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("outbox_", {"state": "lost"}),
        ("outbox_sent_has_its_instant", {"state": "sent", "next_attempt_at": None, "sealed_context": None}),
        ("outbox_sent_has_its_instant", {"sent_at": NOON}),
        ("outbox_sent_keeps_no_secret", {"state": "sent", "next_attempt_at": None, "sent_at": NOON}),
        ("outbox_only_queued_is_due", {"next_attempt_at": None}),
        ("outbox_only_queued_is_due", {"state": "failed"}),
        ("outbox_only_queued_is_due", {"state": "failed", "next_attempt_at": None, "claimed_until": NOON}),
        ("outbox_recipient_is_one_line", {"recipient": "a@b.example\nBcc: c@d.example"}),
        ("outbox_has_message_id", {"message_id": "<a@b>\r\nX: y"}),
        ("outbox_has_key", {"key": ""}),
    ],
)
def test_the_database_refuses_what_makes_no_sense(name, change):
    row = post(Message.RENEWAL_DONE)

    with pytest.raises(IntegrityError, match=name):
        OutboxMessage.objects.filter(pk=row.pk).update(**change)


def test_the_database_keeps_keys_apart():
    row = post()
    row.pk = services._ordered_id(NOON)
    with pytest.raises(IntegrityError, match="outbox_one_message_per_key"):
        row.save(force_insert=True)


def failed(message):
    row = post(message)
    OutboxMessage.objects.filter(pk=row.pk).update(
        state=MessageState.FAILED, next_attempt_at=None, attempts=3, last_error="Rejected 550"
    )
    return row


def test_a_failed_message_is_tried_again_under_the_same_identity():
    row = failed(Message.RENEWAL_DONE)
    later = NOON + timedelta(days=2)

    again = services.retry_failed(row.pk, at=later)

    assert (again.state, again.next_attempt_at, again.queued_at, again.attempts) == ("queued", later, later, 0)
    assert again.message_id == row.message_id
    assert queries.due(at=later, limit=10) == [row.pk]


def test_only_a_failed_message_is_tried_again():
    with pytest.raises(NotRetryable):
        services.retry_failed(post().pk, at=NOON)


def test_old_secrets_of_failed_messages_are_forgotten_and_then_need_a_reissue(settings):
    row = failed(Message.RENEWAL_DONE)
    waiting = post(Message.CONTACT_CONFIRMATION)
    days = settings.NOTIFICATIONS.failed_secret_days

    assert services.forget_old_secrets(at=NOON + timedelta(days=days)) == 0
    assert services.forget_old_secrets(at=NOON + timedelta(days=days, seconds=1)) == 1

    with pytest.raises(NotRetryable, match="issue a new one"):
        services.retry_failed(row.pk, at=NOON)
    waiting.refresh_from_db()
    assert waiting.sealed_context is not None


def test_the_panel_reads_messages_by_case_and_state():
    post(key="a", case_code="RN-1")
    post(key="b", case_code="RN-2")
    post(Message.STOCK_EMPTY, key="c", case_code="")
    first = post(key="d", case_code="RN-1", at=NOON - timedelta(hours=1))
    broken = failed(Message.RENEWAL_DONE)

    assert [row.key for row in queries.of_case("RN-1")] == ["d", "a"]
    assert not queries.of_case("").exists()
    assert list(queries.failed()) == [broken]
    assert queries.count_by_state() == {
        MessageState.QUEUED: 4,
        MessageState.SENT: 0,
        MessageState.FAILED: 1,
        MessageState.BOUNCED: 0,
    }
    assert queries.oldest_waiting(at=NOON) == NOON - first.queued_at


def test_nothing_waits_in_an_empty_outbox():
    assert queries.oldest_waiting(at=NOON) is None
    assert queries.due(at=NOON, limit=10) == []


def test_context_is_kept_as_it_was_posted():
    assert post(Message.SUSPENDED).context == context_of(Message.SUSPENDED)
    assert OutboxMessage.objects.get().context == context_of(Message.SUSPENDED)
