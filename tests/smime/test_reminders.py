"""Reminders of the end: at 60, 30, 10 and 1 days, each once, and none for what is over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms.actors import SYSTEM
from smime.models import CaOrder, Order
from smime.services import admission, issuance, reminders, revocation
from smime.states import RevocationGround
from tests.authority.founding import found
from tests.smime.issuing import LATER, Willing, ready
from tests.smime.mailed import mails

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.fixture
def order(committed, settings) -> Order:
    settings.SMIME = settings.SMIME.model_copy(update={"bundle_iterations": 2000})
    found()
    with admission.asking(Willing()):
        order = ready("mv", key_kind="ec-p256")
        issuance.carry_out(CaOrder.objects.get(order=order, kind="issue").pk, at=LATER)
    order.refresh_from_db()
    return order


def told(order) -> list[int]:
    return [mail.context["days"] for mail in mails(order, "smime-expiring")]


def end_of(order):
    return order.certificates.get().not_after


def test_each_threshold_is_told_once_and_the_last_ends_it(order):
    end = end_of(order)
    assert order.reminder_at == end - 60 * DAY
    for days in (60, 30, 10, 1):
        due = end - days * DAY
        assert reminders.tell_due(at=due - SECOND) == 0
        assert reminders.tell_due(at=due) == 1
        assert reminders.tell_due(at=due) == 0
    order.refresh_from_db()
    assert (told(order), order.reminder_at) == ([60, 30, 10, 1], None)


def test_after_an_outage_the_nearest_alone_is_told(order):
    reminders.tell_due(at=end_of(order) - 9 * DAY)
    assert told(order) == [10]


def test_what_has_been_renewed_is_told_nothing_more_unless_the_new_one_is_revoked(order):
    due = end_of(order) - 60 * DAY
    followed = Order.objects.get(pk=ready("mv", renews=order, key_kind="ec-p256").pk)
    assert reminders.tell_due(at=due) == 1  # the other one is under way
    with admission.asking(Willing()):
        issuance.carry_out(CaOrder.objects.get(order=followed, kind="issue").pk, at=LATER)
    reminders.tell_due(at=due + 30 * DAY)
    assert (told(order), told(followed)) == ([60], [30])  # made at the same hour, so it ends then as well

    new = followed.certificates.get().pk
    row = revocation.request_revocation(new, ground=RevocationGround.MAILBOX_LOST, actor=SYSTEM, now=due + 31 * DAY)
    revocation.carry_out(row.pk, at=due + 31 * DAY)
    reminders.tell_due(at=due + 50 * DAY)
    assert (told(order), told(followed)) == ([60, 10], [30])


def test_what_is_revoked_or_over_is_told_nothing(order):
    row = revocation.request_revocation(
        order.certificates.get().pk, ground=RevocationGround.MAILBOX_LOST, actor=SYSTEM, now=LATER
    )
    revocation.carry_out(row.pk, at=LATER)
    assert reminders.tell_due(at=end_of(order) - 60 * DAY) == 1
    order.refresh_from_db()
    assert (told(order), order.reminder_at) == ([], None)
