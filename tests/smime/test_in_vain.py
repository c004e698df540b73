"""What the CA made and nobody may have: revoked at once, and the order led back to where it can go on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms import ca
from cms.actors import SYSTEM
from cms.models import Event
from pki.errors import OutcomeUnknown
from smime import queries
from smime.models import CaOrder, KeyBundle, KeyVault, Order, SmimeCertificate
from smime.services import admission, bundles, checks, desk, issuance, letters, orders
from tests.authority.founding import found
from tests.smime.desk.office import officer
from tests.smime.issuing import LATER, Failing, Willing, carry_out, opened, ready, refused_by
from tests.smime.mailed import mails

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def authority(committed, settings):
    settings.SMIME = settings.SMIME.model_copy(update={"bundle_iterations": 2000})
    found()
    with admission.asking(Willing()):
        yield


@pytest.fixture
def order():
    order = ready()
    order.slot.take()
    order.slot.save()
    return order


def test_one_whose_key_is_gone_is_handed_to_nobody_and_the_next_one_is_whole(order, tmp_path):
    with ca.installed(Failing(ca.gateway(), OutcomeUnknown("lost"), acts=True)):
        carry_out(order)
    KeyVault.objects.all().delete()

    row = carry_out(order, at=LATER + MINUTE)
    order.refresh_from_db()
    assert (row.state, row.last_error, order.state) == ("refused", "key-gone", "checking")
    (lost,) = SmimeCertificate.objects.all()
    assert lost.ca_orders.filter(kind="revoke", ground="misissuance").exists()
    assert (KeyBundle.objects.count(), mails(order, "smime-issued")) == (0, [])

    desk.restart_check(order.checks.get(kind="mailbox").pk, operator=officer(order), now=LATER + MINUTE)
    checks.pass_check(order.checks.get(kind="mailbox"), at=LATER + DAY, method="SBR")
    row = CaOrder.objects.get(order=order, kind="issue", edition=2)
    assert issuance.carry_out(row.pk, at=LATER + DAY).state == "done"
    assert order.certificates.get(edition=2).not_after > lost.not_after
    assert "PRIVATE KEY" in opened(order, tmp_path)


def test_a_reissue_in_vain_leaves_the_certificate_before(order):
    carry_out(order)
    issuance.reissue(order.uid, actor=SYSTEM, now=LATER + DAY)
    second = CaOrder.objects.get(order=order, kind="issue", edition=2)
    with ca.installed(Failing(ca.gateway(), OutcomeUnknown("lost"), acts=True)):
        issuance.carry_out(second.pk, at=LATER + DAY)
    KeyVault.objects.all().delete()
    issuance.carry_out(second.pk, at=LATER + 2 * DAY)

    order.refresh_from_db()
    assert (order.state, order.certificates.get(edition=1).status) == ("issued", "active")
    assert [each.edition for each in queries.order_of(order.uid, order.buyer).certificates.all()] == [1]
    Order.objects.filter(pk=order.pk).update(recipient_is_buyer=True)
    bundles.deliver(order.uid, buyer=order.buyer, proof="totp", address=None, now=LATER + 2 * DAY)
    assert mails(order, "smime-downloaded")[0].context["left"] == 4
    letters.post_expiring(order, 30, at=LATER + 2 * DAY)
    told = mails(order, "smime-expiring")[0].context["new_not_after"]
    assert told == order.certificates.get(edition=1).not_after.isoformat()
    issuance.reissue(order.uid, actor=SYSTEM, now=LATER + 3 * DAY)
    third = CaOrder.objects.get(order=order, kind="issue", edition=3)
    assert issuance.carry_out(third.pk, at=LATER + 3 * DAY).state == "done"


def test_given_up_it_frees_no_slot_as_its_unit_is_spent(order):
    with ca.installed(Failing(ca.gateway(), OutcomeUnknown("lost"), acts=True)):
        carry_out(order)
    KeyVault.objects.all().delete()
    carry_out(order, at=LATER + MINUTE)
    orders.cancel_order(order.uid, buyer=order.buyer, now=LATER + DAY)

    order.refresh_from_db()
    assert (order.state, order.slot.state) == ("cancelled", "used")


def test_a_reissue_of_what_was_revoked_meanwhile_is_given_up_and_says_so(order):
    carry_out(order)
    issuance.reissue(order.uid, actor=SYSTEM, now=LATER + DAY)
    SmimeCertificate.objects.update(status="revoked", revoked_at=LATER + DAY, ground="key-compromise")
    row = CaOrder.objects.get(order=order, kind="issue", edition=2)
    assert issuance.carry_out(row.pk, at=LATER + DAY).state == "cancelled"

    order.refresh_from_db()
    assert order.state == "issued"
    assert Event.objects.filter(verb="smime.reissue-given-up", case_code=order.code).count() == 1


def test_a_plan_given_up_late_leaves_the_slot_to_the_order_that_took_it_meanwhile(order):
    refused_by(order)
    other = orders.start_order(order.slot.code, buyer=order.buyer, now=LATER + MINUTE)
    carry_out(order, at=LATER + DAY)

    order.slot.refresh_from_db()
    assert (order.slot.state, other.state) == ("used", "draft")
    orders.cancel_order(other.uid, buyer=order.buyer, now=LATER + DAY)
    order.slot.refresh_from_db()
    assert order.slot.state == "free"
