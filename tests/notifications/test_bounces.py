"""The mail provider's reports: signed, told once however often they come, and no junk does harm."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import Client
from pydantic import SecretStr, ValidationError

from notifications import bounces, delivery, queries, services
from notifications.catalog import Message
from notifications.conf import NotificationSettings
from notifications.delivery import deliver_due
from notifications.models import BounceReport, OutboxMessage
from notifications.states import MessageState
from tests.notifications.letters import NOON, draft_of
from tests.notifications.test_outbox import post
from tests.notifications.transports import Transports

pytestmark = pytest.mark.usefixtures("committed")

DOOR = "/api/mail/v1/bounces"
SECRET, FORMER = "s" * 40, "f" * 40


@pytest.fixture(autouse=True)
def _secrets(settings, clock):
    clock.instant = NOON
    both = {"webhook_secret": SecretStr(SECRET), "webhook_former_secret": SecretStr(FORMER)}
    settings.NOTIFICATIONS = settings.NOTIFICATIONS.model_copy(update=both)


def sent(message=Message.AUTHORISED, **changes):
    row = post(message, at=NOON - timedelta(hours=1), **changes)
    deliver_due(at=NOON - timedelta(hours=1), transport=Transports())
    return OutboxMessage.objects.get(pk=row.pk)


def report(row=None, **changes):
    said = {
        "reference": "evt-1",
        "message_id": row.message_id if row else "<unknown@example.org>",
        "kind": "hard",
        "status": "5.1.1",
        "reported_at": "2027-01-14T10:59:00Z",
    }
    return json.dumps(said | changes).encode()


def tell(body, *, secret=SECRET, at=NOON, **headers):
    stamp = str(int(at.timestamp()))
    signed = {
        "X-Sigillo-Timestamp": stamp,
        "X-Sigillo-Signature": bounces.signature_of(body, timestamp=stamp, secret=secret.encode()),
    }
    return Client().post(DOOR, body, content_type="application/json", headers=signed | headers)


def settle(at=NOON):
    with transaction.atomic():
        return bounces.settle_returns(at=at)


def test_a_hard_bounce_marks_the_mail_as_returned_when_the_provider_says():
    row = sent()

    assert tell(report(row)).status_code == 204
    (told,) = settle()

    row.refresh_from_db()
    assert (told.message_id, told.status) == (row.pk, "5.1.1")
    assert (row.state, row.bounced_at) == (MessageState.BOUNCED, NOON - timedelta(minutes=1))
    assert row.sent_at is not None
    assert list(queries.failed()) == [row]
    assert settle() == []


def test_a_report_told_a_hundred_times_has_one_effect():
    row = sent()

    def one(_):
        try:
            return tell(report(row)).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one, range(100)))

    assert set(answers) == {204}
    assert BounceReport.objects.count() == 1
    assert len(settle()) == 1
    assert settle() == []


def test_two_reports_about_one_mail_return_it_once():
    row = sent()
    tell(report(row))
    tell(report(row, reference="evt-2"))

    assert len(settle()) == 1
    assert BounceReport.objects.filter(settled_at=NOON).count() == 2


@pytest.mark.parametrize("kind", ["soft", "delivered"])
def test_good_news_and_delays_are_kept_without_effect(kind):
    row = sent()

    assert tell(report(row, kind=kind)).status_code == 204

    assert settle() == []
    row.refresh_from_db()
    assert row.state == MessageState.SENT
    assert BounceReport.objects.get().settled_at == NOON


def test_a_delivery_that_is_told_after_the_return_does_not_take_it_back():
    row = sent()
    tell(report(row))
    settle()
    tell(report(row, reference="evt-0", kind="delivered", reported_at="2027-01-14T10:00:00+00:00"))

    row.refresh_from_db()
    assert row.state == MessageState.BOUNCED


def test_an_unknown_mail_is_kept_inert():
    assert tell(report()).status_code == 204

    assert settle() == []
    assert BounceReport.objects.get().message is None


def test_a_return_that_overtakes_our_own_mark_waits_for_it():
    row = post()
    tell(report(row))
    assert settle() == []

    deliver_due(at=NOON, transport=Transports())

    assert [told.message_id for told in settle()] == [row.pk]
    row.refresh_from_db()
    assert row.state == MessageState.BOUNCED


def test_a_mail_that_came_back_is_not_marked_as_sent_once_more():
    row = sent()
    tell(report(row))
    settle()

    delivery._mark_sent([row.pk], NOON)
    row.refresh_from_db()
    assert row.state == MessageState.BOUNCED


@pytest.mark.parametrize("secret", [SECRET, FORMER])
def test_two_secrets_count_while_one_replaces_the_other(secret):
    assert tell(report(), secret=secret).status_code == 204


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_report_signed_long_ago_or_ahead_is_refused(minutes):
    assert tell(report(), at=NOON + timedelta(minutes=minutes)).status_code == 401
    assert tell(report(), at=NOON + timedelta(minutes=minutes * 0.8)).status_code == 204


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Sigillo-Signature": ""},
        {"X-Sigillo-Signature": "sha256=" + "0" * 64},
        {"X-Sigillo-Signature": "sha256=è" * 10},
        {"X-Sigillo-Timestamp": ""},
        {"X-Sigillo-Timestamp": "-1"},
        {"X-Sigillo-Timestamp": "٣" * 10},
        {"X-Sigillo-Timestamp": "9" * 5000},
        {"X-Sigillo-Timestamp": "1e9"},
    ],
)
def test_who_does_not_hold_the_secret_is_refused_alike(headers):
    answer = tell(report(), **headers)

    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
    assert answer.json()["code"] == "bounce-unsigned"
    assert not BounceReport.objects.exists()


def test_a_body_that_was_changed_on_its_way_is_refused():
    body = report()
    stamp = str(int(NOON.timestamp()))
    signature = bounces.signature_of(body, timestamp=stamp, secret=SECRET.encode())

    assert tell(body + b" ", **{"X-Sigillo-Signature": signature}).status_code == 401


def test_without_a_secret_nobody_may_report(settings):
    none = {"webhook_secret": SecretStr(""), "webhook_former_secret": SecretStr("")}
    settings.NOTIFICATIONS = settings.NOTIFICATIONS.model_copy(update=none)

    assert tell(report()).status_code == 401
    assert tell(report(), secret="").status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"[" * 60_000,
        b'{"reference": ' + b"9" * 9000 + b"}",
        report(kind="HARD"),
        report(kind=None),
        report(kind=["hard"]),
        report(reference=""),
        report(reference="a b"),
        report(reference="x" * 121),
        report(reference="nul\x00"),
        report(reference="\ud800"),
        report(message_id="no brackets"),
        report(message_id="<a@b>\r\nX: y"),
        report(message_id="<" + "a" * 200 + "@b>"),
        report(status="550 user ada.bianchi unknown"),
        report(status=5),
        report(reported_at="yesterday"),
        report(reported_at="2027-01-14T10:59:00"),
        report(reported_at="2027-02-30T10:59:00Z"),
        report(reported_at="0001-01-01T00:00:00+14:00"),
        report(reported_at="9999-12-31T23:59:59-14:00"),
        report(extra="x"),
        b'{"reference": NaN}',
        report()[:-1] + b', "reference": "evt-2"}',
    ],
)
def test_signed_junk_is_a_bad_request_and_leaves_nothing(body):
    answer = tell(body)

    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert not BounceReport.objects.exists()


def test_a_large_body_and_another_method_are_refused():
    assert tell(b" " * 65_537).status_code == 413
    assert Client().get(DOOR).status_code == 405


def test_a_stranger_is_slowed_down_and_the_provider_is_not():
    answers = [tell(report(), secret="w" * 40).status_code for _ in range(65)]

    assert answers.count(401) == 60
    assert answers[-1] == 429
    assert tell(report()).status_code == 204


def test_a_short_secret_is_no_secret():
    with pytest.raises(ValidationError) as refusal:
        NotificationSettings(webhook_secret=SecretStr("short-and-known"))

    assert "short-and-known" not in str(refusal.value)


def test_many_returns_are_settled_in_few_statements(django_assert_max_num_queries):
    services.post_all([draft_of(key=f"k{number}") for number in range(20)], at=NOON - timedelta(hours=1))
    deliver_due(at=NOON - timedelta(hours=1), transport=Transports())
    for number, row in enumerate(OutboxMessage.objects.all()):
        bounces.store_report(bounces.parsed(report(row, reference=f"e{number}"), at=NOON), at=NOON)

    with django_assert_max_num_queries(6):
        assert len(settle()) == 20
    assert OutboxMessage.objects.filter(state=MessageState.BOUNCED).count() == 20
