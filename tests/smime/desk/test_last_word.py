"""The last word: for OV and SV never of somebody who has decided a check, in the rule and in the database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from smime import errors as others
from smime.errors import desk as errors
from smime.models import Approval, CaOrder, Slot
from smime.services import desk
from tests.smime.desk.office import LATER, officer, ordered, prove, record
from tests.smime.desk.test_findings import tried
from tests.smime.mailed import check_of, mails, order_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def order():
    return ordered()


@pytest.fixture
def people(order):
    return officer(order), officer(order)


@pytest.fixture
def proven(order, people):
    """All that OV demands is proven, by the first of the two."""
    prove(order, "mailbox")
    for kind in ("organisation", "authority"):
        record(order, kind, people[0])
    order.refresh_from_db()
    return order


def test_a_second_person_sends_it_to_issuance(proven, people):
    assert proven.state == "checking"
    desk.approve_order(proven.uid, operator=people[1], now=LATER)

    proven.refresh_from_db()
    assert (proven.state, proven.approvals.get().officer_id) == ("approved", people[1].pk)
    assert CaOrder.objects.get(order=proven).kind == "issue"


def test_who_has_decided_a_check_is_refused_by_the_rule(proven, people):
    with pytest.raises(errors.SecondPersonNeeded):
        desk.approve_order(proven.uid, operator=people[0], now=LATER)
    assert tried(proven) == [("approve", "smime-second-person-needed")]


def test_and_by_the_database(proven, people):
    with pytest.raises(IntegrityError, match="smime_approval_second_person"), transaction.atomic():
        Approval.objects.create(order=proven, officer_id=people[0].pk, at=LATER)
    Approval.objects.create(order=proven, officer_id=people[1].pk, at=LATER)


def test_a_single_decided_check_is_enough_to_be_out(order, people):
    prove(order, "mailbox")
    record(order, "organisation", people[0])
    record(order, "authority", people[1])
    for person in people:
        with pytest.raises(errors.SecondPersonNeeded):
            desk.approve_order(order.uid, operator=person, now=LATER)
    desk.approve_order(order.uid, operator=officer(order), now=LATER)


def test_nothing_open_is_approved(order, people):
    record(order, "organisation", people[0])
    with pytest.raises(others.ChecksOpen):
        desk.approve_order(order.uid, operator=people[1], now=LATER)


def test_what_has_grown_too_old_is_open_again(proven, people):
    with pytest.raises(others.ChecksOpen):
        desk.approve_order(proven.uid, operator=people[1], now=LATER + timedelta(days=31))


def test_mv_asks_nobody():
    order = order_of("mv")
    with pytest.raises(errors.ApprovalNotAsked):
        desk.approve_order(order.uid, operator=officer(order), now=LATER)


class TestRejection:
    """For good, with a reason; the purchase is not lost."""

    def test_the_recipient_reads_why_and_the_slot_is_free_again(self, order, people):
        desk.reject_order(order.uid, reason="La società è cessata.", operator=people[0], now=LATER)
        desk.reject_order(order.uid, reason="La società è cessata.", operator=people[0], now=LATER)

        order.refresh_from_db()
        assert (order.state, order.close_reason) == ("rejected", "La società è cessata.")
        assert Slot.objects.get(pk=order.slot_id).state == "free"
        (mail,) = mails(order, "smime-refused")
        assert mail.context["reason"] == "La società è cessata."

    def test_not_without_words(self, order, people):
        with pytest.raises(errors.ReasonMissing):
            desk.reject_order(order.uid, reason="", operator=people[0], now=LATER)
        assert tried(order) == [("reject", "customer-reason-missing")]

    def test_nothing_is_decided_afterwards(self, order, people):
        desk.reject_order(order.uid, reason="No.", operator=people[0], now=LATER)
        for deed in (
            lambda: record(order, "organisation", people[0]),
            lambda: desk.approve_order(order.uid, operator=people[1], now=LATER),
            lambda: desk.restart_check(check_of(order, "organisation").pk, operator=people[0], now=LATER),
        ):
            with pytest.raises(others.OrderClosed):
                deed()

    def test_also_one_that_waits_for_the_ca(self, proven, people):
        desk.approve_order(proven.uid, operator=people[1], now=LATER)
        desk.reject_order(proven.uid, reason="Emissione fermata.", operator=people[0], now=LATER)
        proven.refresh_from_db()
        assert proven.state == "rejected"
