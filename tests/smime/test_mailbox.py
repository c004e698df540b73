"""Control of the mailbox: confirmed by its reader, reused for thirty days, renewed before it is too old to issue on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms.errors import DomainError, LinkUsed
from cms.models import Event
from smime.errors import OrderUnknown
from smime.models import Order
from smime.services import mailbox
from tests.smime.mailed import NOW, check_of, mails, order_of, token_in

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HERE = "192.0.2.7"


@pytest.fixture
def order(db):
    return order_of("ov")


def confirm(order: Order, at, *, mail: int = -1) -> None:
    mailbox.confirm(token_in(mails(order, "smime-verify-mailbox")[mail]), address=HERE, now=at)


def test_the_reader_of_the_mailbox_confirms_it(order):
    confirm(order, NOW + HOUR)

    check = check_of(order, "mailbox")
    assert (check.state, check.passed_at, check.valid_until) == ("passed", NOW + HOUR, NOW + HOUR + 30 * DAY)
    assert check.method == "SBR 3.2.2.2 v1.0.16"
    event = Event.objects.get(verb="smime.check-passed")
    assert (event.actor_kind, event.channel, event.case_code) == ("recipient", "mailed-link", order.code)


def test_the_mail_says_until_when_and_the_check_too(order):
    check = check_of(order, "mailbox")
    (mail,) = mails(order, "smime-verify-mailbox")
    assert (check.state, check.due_at) == ("waiting-customer", NOW + DAY)
    assert (mail.recipient, mail.context["expires_at"]) == (order.mailbox, check.due_at.isoformat())


def test_either_of_two_mails_confirms_and_the_other_changes_nothing_more(order):
    mailbox.resend(order.uid, buyer=order.buyer, now=NOW + HOUR)
    confirm(order, NOW + 2 * HOUR, mail=0)
    confirm(order, NOW + 3 * HOUR, mail=1)

    assert check_of(order, "mailbox").passed_at == NOW + 2 * HOUR
    assert Event.objects.filter(verb="smime.check-passed").count() == 1


def test_a_late_click_changes_nothing(order):
    with pytest.raises(DomainError) as refusal:
        confirm(order, NOW + DAY)
    assert refusal.value.reason_code == "link-expired"
    assert check_of(order, "mailbox").state == "waiting-customer"


def test_another_customer_cannot_have_mails_sent(order):
    with pytest.raises(OrderUnknown):
        mailbox.resend(order.uid, buyer=order_of().buyer, now=NOW + HOUR)


def test_a_confirmed_mailbox_is_not_mailed_again(order):
    confirm(order, NOW + HOUR)
    with pytest.raises(LinkUsed):
        mailbox.resend(order.uid, buyer=order.buyer, now=NOW + 2 * HOUR)


class TestTooOldToIssueOn:
    """Thirty days by the requirements, twenty-eight by the setting that stays clear of them."""

    @pytest.fixture
    def confirmed(self, order):
        confirm(order, NOW)
        return order

    def test_younger_than_that_it_stands(self, confirmed):
        almost = NOW + 28 * DAY - timedelta(microseconds=1)
        assert not mailbox.renew(confirmed, at=almost)
        assert check_of(confirmed, "mailbox").state == "passed"

    def test_older_it_is_mailed_anew_and_the_rest_is_left_alone(self, confirmed):
        assert mailbox.renew(confirmed, at=NOW + 28 * DAY)

        check = check_of(confirmed, "mailbox")
        assert (check.state, check.round, check.due_at) == ("waiting-customer", 2, NOW + 29 * DAY)
        assert len(mails(confirmed, "smime-verify-mailbox")) == 2
        assert check_of(confirmed, "organisation").round == 1

        confirm(confirmed, NOW + 28 * DAY + HOUR)
        assert check_of(confirmed, "mailbox").valid_until == NOW + 58 * DAY + HOUR

    def test_asked_twice_it_is_mailed_once(self, confirmed):
        assert mailbox.renew(confirmed, at=NOW + 29 * DAY)
        assert not mailbox.renew(confirmed, at=NOW + 29 * DAY)
        assert len(mails(confirmed, "smime-verify-mailbox")) == 2
