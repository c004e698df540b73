"""Mailed links: fresh values, kept as digests, good once and for a day, whatever a request says about the host."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections

from cms.errors import DomainError, LinkExpired, LinkUnknown, LinkUsed
from smime.errors.links import LinkOutdated, LinksTooMany, LinkTooSoon
from smime.models import MailedLink
from smime.services import checks, links, mailbox
from smime.states import LinkPurpose
from tests.smime.mailed import NOW, check_of, link_in, mails, order_of, token_in

MAILBOX = LinkPurpose.MAILBOX
HOUR = timedelta(hours=1)


@pytest.fixture
def order(db):
    return order_of()


@pytest.fixture
def token(order):
    (mail,) = mails(order, "smime-verify-mailbox")
    return token_in(mail)


def test_each_mail_carries_a_value_of_its_own_with_256_bits(order, token):
    others = {links.issue_link(order, MAILBOX, at=NOW) for _ in range(50)}

    assert len(others | {token}) == 51
    assert {len(value) for value in others | {token}} == {43}


def test_the_database_holds_no_value_in_clear(order, token):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l::text FROM smime_mailedlink l UNION ALL SELECT m::text FROM notifications_outboxmessage m"
        )
        stored = " ".join(row[0] for row in cursor.fetchall())

    assert token not in stored
    assert links.digest_of(token) in stored


def test_the_host_of_a_link_is_the_installations_own(order, settings):
    (mail,) = mails(order, "smime-verify-mailbox")

    assert link_in(mail).startswith(f"{settings.BASE_URL}/area-clienti/link/casella/")


def test_looking_changes_nothing(order, token):
    for _ in range(3):
        assert links.open_link(token, MAILBOX, now=NOW + HOUR).order_id == order.pk

    link = MailedLink.objects.get()
    assert (link.used_at, check_of(order, "mailbox").state) == (None, "waiting-customer")


def test_a_link_is_good_for_a_day_and_once(order, token):
    last = NOW + 24 * HOUR - timedelta(microseconds=1)
    assert links.open_link(token, MAILBOX, now=last).order == order
    with pytest.raises(LinkExpired):
        links.open_link(token, MAILBOX, now=NOW + 24 * HOUR)
    with pytest.raises(LinkExpired):
        links.use_link(token, MAILBOX, address="192.0.2.7", now=NOW + 24 * HOUR)

    links.use_link(token, MAILBOX, address="192.0.2.7", now=NOW + HOUR)

    with pytest.raises(LinkUsed):
        links.use_link(token, MAILBOX, address="192.0.2.7", now=NOW + HOUR)
    link = MailedLink.objects.get()
    assert (link.used_at, link.used_from) == (NOW + HOUR, "192.0.2.7")


@pytest.mark.parametrize("wrong", ["", "x", "a" * 43, "\ud800", "à" * 43, "0" * 4000])
def test_what_is_no_value_is_refused_like_an_unknown_one(order, wrong):
    with pytest.raises(LinkUnknown):
        links.open_link(wrong, MAILBOX, now=NOW)


def test_a_value_is_good_for_its_purpose_alone(order, token):
    with pytest.raises(LinkUnknown):
        links.open_link(token, LinkPurpose.DOWNLOAD, now=NOW)


def test_links_sent_before_stay_good_until_the_check_begins_anew(order, token):
    mailbox.resend(order.uid, buyer=order.buyer, now=NOW + HOUR)
    assert links.open_link(token, MAILBOX, now=NOW + HOUR).order == order

    checks.restart(check_of(order, "mailbox"), at=NOW + 2 * HOUR)

    with pytest.raises(LinkOutdated):
        links.open_link(token, MAILBOX, now=NOW + 2 * HOUR)


def test_links_of_an_order_that_is_over_are_void(order, token):
    order.cancel(reason="", at=NOW + HOUR)
    order.save()

    with pytest.raises(LinkOutdated):
        links.use_link(token, MAILBOX, address=None, now=NOW + HOUR)


class TestHowOften:
    """A customer cannot fill somebody's mailbox."""

    def resent(self, order, at):
        mailbox.resend(order.uid, buyer=order.buyer, now=at)

    def test_a_minute_lies_between_two_mails(self, order):
        with pytest.raises(LinkTooSoon):
            self.resent(order, NOW + timedelta(seconds=59))
        assert links.next_mail_at(order, MAILBOX, NOW) == NOW + timedelta(seconds=60)

        self.resent(order, NOW + timedelta(seconds=60))
        assert len(mails(order, "smime-verify-mailbox")) == 2

    def test_ten_go_out_within_a_day(self, order):
        for hour in range(1, 10):
            self.resent(order, NOW + hour * HOUR)
        with pytest.raises(LinksTooMany):
            self.resent(order, NOW + 10 * HOUR)
        assert links.next_mail_at(order, MAILBOX, NOW + 10 * HOUR) == NOW + 24 * HOUR

        self.resent(order, NOW + 24 * HOUR)

    def test_data_corrected_over_and_over_send_no_more_than_that(self, order):
        for hour in range(1, 15):
            checks.restart(check_of(order, "mailbox"), at=NOW + hour * HOUR)

        assert len(mails(order, "smime-verify-mailbox")) == 10
        assert (check_of(order, "mailbox").state, check_of(order, "mailbox").due_at) == ("waiting-customer", None)


def test_unused_links_are_forgotten_and_used_ones_kept_as_evidence(order, token):
    mailbox.resend(order.uid, buyer=order.buyer, now=NOW + HOUR)
    links.use_link(token, MAILBOX, address=None, now=NOW + HOUR)

    assert links.forget_links(now=NOW + timedelta(days=30)) == 0
    assert links.forget_links(now=NOW + timedelta(days=100)) == 1
    assert MailedLink.objects.get().used_at == NOW + HOUR


def test_of_two_who_use_a_link_at_once_one_is_refused(committed):
    order = order_of()
    token = token_in(mails(order, "smime-verify-mailbox")[0])

    def use(_number):
        try:
            links.use_link(token, MAILBOX, address=None, now=NOW + HOUR)
        except DomainError as refusal:
            return refusal.reason_code
        else:
            return "used"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as people:
        assert sorted(people.map(use, range(4))) == ["link-used"] * 3 + ["used"]
