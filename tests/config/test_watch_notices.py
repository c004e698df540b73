"""Notices that should have left and have not: an alarm while it is so, and none where nobody waits for them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms.models import Hold, Holder
from cms.policy import days_before, hold_lapses_at
from cms.states import HoldCause
from config.models import Alarm
from notifications.alarm_words import WORDS
from notifications.catalog import Message
from notifications.models import OutboxMessage
from notifications.services import deliver_due
from renewals.models import RenewalCase
from renewals.services import reminders
from tests.config.test_watch import looked
from tests.notifications.transports import Transports
from tests.panel.town import NOW, Town

ALARM = "notices-overdue"
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


@pytest.fixture
def town(db, clock):
    clock.instant = NOW
    return Town()


@pytest.fixture
def warned(town):
    """A case whose centre has not decided, and whose next warning was due four minutes and 59 seconds ago."""
    case = town.completed(town.case(days_left=6))
    RenewalCase.objects.update(notice_kind="suspension-warning", notice_at=NOW - 5 * MINUTE + SECOND)
    return case


@pytest.fixture
def waiting(town):
    """A mail that could have left so long ago."""
    town.case()
    RenewalCase.objects.update(notice_kind="", notice_at=None)
    OutboxMessage.objects.update(queued_at=NOW - 5 * MINUTE + SECOND, next_attempt_at=NOW - 5 * MINUTE + SECOND)
    return OutboxMessage.objects


def suspended_by_his_centre(town, at):
    """Half of a pair is held for another cause than the missing approval, and its next warning is due at that instant."""
    case = town.completed(town.case(days_left=6))
    RenewalCase.objects.update(notice_kind="", notice_at=None)
    half = case.new_pair.certificates.first()
    half.hold(at=NOW - timedelta(days=100))
    half.save()
    placed_at = NOW - timedelta(days=100)
    lapses_at = hold_lapses_at(placed_at, 120)
    Hold.objects.create(
        certificate=half, cause=HoldCause.OPERATOR, placed_at=placed_at, lapses_at=lapses_at, notice_at=at
    )
    return half


def test_a_warning_that_nobody_posts_is_an_alarm_after_five_minutes(warned):
    assert looked() == set()

    assert looked(NOW + 30 * SECOND) == {ALARM}
    alarm = Alarm.objects.get()
    assert alarm.facts == {"count": 1, "since": (NOW - 5 * MINUTE + SECOND).isoformat()}
    assert "1 avviso o e-mail in ritardo di più di 5 minuti" in WORDS[ALARM].detail(alarm.facts, str)


def test_a_warning_of_another_suspension_too(town):
    suspended_by_his_centre(town, NOW - 5 * MINUTE + SECOND)
    assert looked() == set()
    assert looked(NOW + 30 * SECOND) == {ALARM}


def test_beat_away_and_back_ends_in_one_letter_and_no_alarm(committed, clock):
    """The threshold of seven days passes while nobody runs the sweep; then it is told once, and the alarm is over."""
    clock.instant = NOW
    town = Town()
    case = town.completed(town.case(days_left=7.1))
    due = days_before(case.old_not_after, 7)
    RenewalCase.objects.update(notice_kind="suspension-warning", notice_at=due)
    OutboxMessage.objects.all().delete()
    assert looked(due + 4 * MINUTE) == set()
    assert looked(due + 6 * MINUTE) == {ALARM}

    back = due + 6 * MINUTE
    reminders.tell_due(now=back)
    reminders.tell_due(now=back)
    deliver_due(at=back, transport=Transports())

    assert looked(back + 30 * SECOND) == {ALARM}, "it is over when it was not seen for a minute"
    assert looked(back + 2 * MINUTE) == set()
    assert [mail.state for mail in OutboxMessage.objects.filter(kind=Message.SUSPENSION_WARNING)] == ["sent"]


@pytest.mark.parametrize(
    "who", ["without-mailbox", "whose-end-has-come", "whose-hold-has-lapsed", "with-a-refused-mail"]
)
def test_who_cannot_be_told_or_has_nothing_to_fear_is_no_alarm(town, who):
    late = NOW - timedelta(hours=1)
    case = town.completed(town.case(days_left=6))
    if who == "whose-hold-has-lapsed":
        suspended_by_his_centre(town, late)
        Hold.objects.update(lapses_at=NOW)
    RenewalCase.objects.filter(pk=case.pk).update(notice_kind="suspension-warning", notice_at=late)
    if who == "without-mailbox":
        Holder.objects.update(email=None, email_key=None)
    if who in {"whose-end-has-come", "whose-hold-has-lapsed"}:
        RenewalCase.objects.update(old_not_after=NOW - SECOND)
    if who == "with-a-refused-mail":
        RenewalCase.objects.update(notice_kind="", notice_at=None)
        OutboxMessage.objects.update(state="failed", next_attempt_at=None, queued_at=late)

    assert ALARM not in looked()


def test_a_mail_that_nobody_takes_up_is_an_alarm_after_five_minutes(waiting):
    assert looked() == set()
    assert looked(NOW + 30 * SECOND) == {ALARM}


@pytest.mark.parametrize(
    "state",
    [
        {"next_attempt_at": NOW + MINUTE, "last_error": "PutOff 451"},
        {"claimed_until": NOW + 2 * MINUTE},
        {"claimed_until": NOW - 4 * MINUTE},
    ],
)
def test_what_is_put_off_or_in_somebodys_hands_waits_for_no_worker(waiting, state):
    waiting.update(next_attempt_at=NOW - 20 * MINUTE)
    waiting.update(**state)
    assert looked() == set()


def test_a_server_that_is_away_is_another_alarm_unless_nobody_asks_it_any_more(waiting, town):
    """Thousands wait; a delivery lets some of them rest for a minute, and leaves that mark on them."""
    town.case()
    RenewalCase.objects.update(notice_kind="", notice_at=None)
    first, second = waiting.order_by("pk")
    waiting.filter(pk=first.pk).update(
        queued_at=NOW, next_attempt_at=NOW + MINUTE, last_error="ServerAway ConnectionRefusedError"
    )
    waiting.filter(pk=second.pk).update(queued_at=NOW, next_attempt_at=NOW - 9 * MINUTE)

    assert looked() == set()
    assert looked(NOW + 5 * MINUTE) == set()
    assert looked(NOW + 6 * MINUTE + SECOND) == {ALARM}, "the worker is gone as well"
