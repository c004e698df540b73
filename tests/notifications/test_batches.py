"""Mails in batches: few statements, one fault among many, nothing kept longer than needed, nothing held too long."""

import itertools
import time
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from notifications import queries, services
from notifications.catalog import Message
from notifications.delivery import deliver_due
from notifications.models import OutboxMessage
from notifications.states import MessageState
from notifications.transport import PutOff, Rejected, ServerAway
from runtime.claims import claim_many
from tests.notifications.letters import NOON, draft_of
from tests.notifications.test_outbox import post
from tests.notifications.transports import Transports

pytestmark = pytest.mark.usefixtures("committed")


class Scripted(Transports):
    """Does what `answers` says of its number-th mail; `after` runs once a mail is taken."""

    def __init__(self, answers=None, after=lambda number: None):
        super().__init__()
        self.answers, self.after, self.numbers = answers or {}, after, itertools.count(1)

    def send(self, **mail):
        number = next(self.numbers)
        if number in self.answers:
            raise self.answers[number]
        super().send(**mail)
        self.after(number)


def post_many(count, message=Message.AUTHORISED, at=NOON):
    services.post_all([draft_of(message, key=f"k{number:04}") for number in range(count)], at=at)


def states():
    counted = queries.count_by_state()
    return {state: count for state, count in counted.items() if count}


def statements(count):
    """How many statements a drain of `count` mails takes."""
    OutboxMessage.objects.all().delete()
    post_many(count)
    with CaptureQueriesContext(connection) as seen:
        assert deliver_due(at=NOON, transport=Transports()) == count
    return len(seen)


def test_a_batch_costs_the_same_statements_whatever_its_size(settings):
    assert statements(2) == statements(100) <= 10


def test_a_batch_is_claimed_before_the_first_mail_and_marked_after_the_last():
    post_many(10)
    seen = []

    def look(number):
        claimed = OutboxMessage.objects.filter(claimed_until__isnull=False).count()
        seen.append((claimed, OutboxMessage.objects.filter(state=MessageState.SENT).count()))

    deliver_due(at=NOON, transport=Scripted(after=look))

    assert seen == [(10, 0)] * 10
    assert states() == {MessageState.SENT: 10}


def test_a_secret_is_wiped_as_soon_as_its_mail_is_taken():
    post_many(4, Message.RENEWAL_DONE)
    sealed = []
    kept = OutboxMessage.objects.filter(sealed_context__isnull=False)

    class Watching(Transports):
        def send(self, **mail):
            sealed.append(kept.count())
            super().send(**mail)

    assert deliver_due(at=NOON, transport=Watching()) == 4
    assert sealed == [4, 3, 2, 1]
    assert not kept.exists()


def test_one_refused_address_among_many_stops_no_other():
    post_many(50)
    answers = {7: Rejected(550), 20: PutOff(451), 21: PutOff("SMTPServerDisconnected")}

    assert deliver_due(at=NOON, transport=Scripted(answers)) == 47

    assert states() == {MessageState.SENT: 47, MessageState.FAILED: 1, MessageState.QUEUED: 2}
    assert not OutboxMessage.objects.filter(claimed_until__isnull=False).exists()


def test_a_server_that_goes_away_midway_costs_no_mail_an_attempt():
    post_many(20)

    assert deliver_due(at=NOON, transport=Scripted({9: ServerAway(421)})) == 8

    waiting = OutboxMessage.objects.filter(state=MessageState.QUEUED)
    assert waiting.count() == 12
    assert set(waiting.values_list("attempts", "claimed_until")) == {(0, None)}
    assert all(row.next_attempt_at >= NOON + timedelta(seconds=60) for row in waiting)
    assert deliver_due(at=NOON + timedelta(seconds=90), transport=Transports()) == 12


def test_a_process_that_breaks_midway_gives_back_what_it_has_not_tried():
    post_many(10)

    class Broken(BaseException):
        pass

    with pytest.raises(Broken):
        deliver_due(at=NOON, transport=Scripted({4: Broken()}))

    assert states() == {MessageState.SENT: 3, MessageState.QUEUED: 7}
    (unknown,) = OutboxMessage.objects.filter(claimed_until__isnull=False)  # the server may have it
    assert deliver_due(at=NOON + timedelta(seconds=1), transport=Transports()) == 6
    assert deliver_due(at=unknown.claimed_until, transport=Transports()) == 1


def test_a_database_that_breaks_before_the_mark_repeats_one_batch_at_most(settings):
    settings.NOTIFICATIONS = settings.NOTIFICATIONS.model_copy(update={"mails_per_batch": 5})
    post_many(12)
    line = Transports()

    def broken(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and len(line.taken) == 10 and "sent_at" in sql:
            raise OperationalError
        return execute(sql, params, many, context)

    with connection.execute_wrapper(broken), pytest.raises(OperationalError):
        deliver_due(at=NOON, transport=line)
    deliver_due(at=NOON + settings.NOTIFICATIONS.lease + timedelta(seconds=1), transport=line)

    assert states() == {MessageState.SENT: 12}
    assert len(line.taken) == 17
    assert len(set(line.taken)) == 12  # a copy is the same letter, to the byte


def test_a_slow_server_lets_no_lease_run_out(settings):
    """The rest of a batch that could outlive its lease is given back and claimed anew: nobody sends it beside us."""
    settings.NOTIFICATIONS = settings.NOTIFICATIONS.model_copy(update={"reply_seconds": 1, "lease_seconds": 6})
    post_many(6)
    ends = []

    class Slow(Transports):
        def send(self, **mail):
            super().send(**mail)
            ends.append(OutboxMessage.objects.filter(claimed_until__isnull=False).earliest("claimed_until"))
            time.sleep(0.4)

    assert deliver_due(at=NOON, transport=Slow()) == 6

    assert len({row.claimed_until for row in ends}) > 1
    assert OutboxMessage.objects.filter(attempts=1).count() == 6


def test_a_drain_takes_no_more_than_it_was_told(settings):
    settings.NOTIFICATIONS = settings.NOTIFICATIONS.model_copy(update={"mails_per_batch": 4})
    post_many(12)

    assert deliver_due(at=NOON, limit=10, transport=Transports()) == 10
    assert states() == {MessageState.SENT: 10, MessageState.QUEUED: 2}


def test_an_urgent_mail_waits_for_one_batch_at_most(settings):
    settings.NOTIFICATIONS = settings.NOTIFICATIONS.model_copy(update={"mails_per_batch": 5})
    post_many(15)

    def ask(number):
        if number == 2:
            post(Message.CONTACT_CONFIRMATION, key="urgent")

    line = Scripted(after=ask)
    deliver_due(at=NOON, transport=line)

    places = [place for place, content in enumerate(line.taken) if b"contact-confirmation" in content]
    assert places == [5]


def test_what_another_drain_has_claimed_is_left_to_it(settings):
    post_many(8)
    claim_many(queries.waiting(), most=5, at=NOON, lease=settings.NOTIFICATIONS.lease)

    assert deliver_due(at=NOON, transport=Transports()) == 3


@pytest.mark.parametrize("mails", [300, pytest.param(5000, marks=pytest.mark.soak)])
def test_after_a_day_of_refusals_everything_leaves_within_a_quarter_of_an_hour(mails, settings):
    """G18: the server refuses for 24 hours, a drain looks every quarter of an hour, time is passed in."""
    post_many(mails)
    down = Scripted()
    down.open = lambda: (_ for _ in ()).throw(ServerAway("ConnectionRefusedError"))
    for quarter in range(4 * 24):
        assert deliver_due(at=NOON + timedelta(minutes=15 * quarter), transport=down) == 0
    assert set(OutboxMessage.objects.values_list("state", "attempts")) == {("queued", 0)}

    line, back = Transports(), NOON + timedelta(days=1)
    at = back
    while OutboxMessage.objects.filter(state=MessageState.QUEUED).exists():
        deliver_due(at=at, transport=line)
        at += timedelta(seconds=15)

    assert at - back <= timedelta(minutes=15)
    assert len(line.taken) == len(set(line.taken)) == mails
    assert states() == {MessageState.SENT: mails}
