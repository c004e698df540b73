"""The short life of a .p12: whom it is handed to, how often, and how it ends."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest

from cms.models import Event
from runtime import sealing
from smime.errors import OrderUnknown
from smime.errors import bundles as errors
from smime.models import BundleDownload, CaOrder, KeyBundle, Order
from smime.services import admission, bundles, issuance, revocation
from smime.states import RevocationGround
from tests.authority.founding import found
from tests.smime.customers import customer
from tests.smime.issuing import LATER, Willing, password_of, ready
from tests.smime.mailed import mails, token_in

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
HERE = "192.0.2.7"


@pytest.fixture(autouse=True)
def authority(committed, settings):
    settings.SMIME = settings.SMIME.model_copy(update={"bundle_iterations": 2000, "bundle_downloads": 2})
    found()
    with admission.asking(Willing()):
        yield


def issued(**fields) -> Order:
    order = ready("mv", key_kind="ec-p256", **fields)
    issuance.carry_out(CaOrder.objects.get(order=order, kind="issue").pk, at=LATER)
    order.refresh_from_db()
    return order


def code_of(order: Order) -> str:
    mail = mails(order, "smime-download-code")[-1]
    return json.loads(sealing.unseal(mail.sealed_context, context=mail.seal_context))["download_code"]


def deliver(order, *, now=LATER, buyer=None):
    return bundles.deliver(order.uid, buyer=buyer or order.buyer, proof="totp", address=HERE, now=now)


def test_each_download_is_counted_recorded_and_told():
    order = issued()
    file = deliver(order)

    assert (file.name, file.content[:1]) == (f"smime-{order.code}.p12", b"0")
    assert BundleDownload.objects.values_list("proof", "address").get() == ("totp", HERE)
    assert Event.objects.get(verb="smime.downloaded").facts == {"proof": "totp", "left": 1}
    assert mails(order, "smime-downloaded")[0].context["left"] == 1


def test_the_last_download_ends_the_file_and_the_record_stays():
    order = issued()
    deliver(order)
    deliver(order, now=LATER + MINUTE)

    bundle = KeyBundle.objects.get()
    assert (bundle.downloads, bundle.sealed, bundle.destroyed_because) == (2, None, "downloads")
    with pytest.raises(errors.BundleGone):
        deliver(order, now=LATER + 2 * MINUTE)


def test_twenty_at_once_get_it_as_often_as_is_allowed():
    order = issued()
    got = []

    def ask():
        from django.db import connection

        try:
            got.append(deliver(order).name)
        except errors.BundleGone:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), BundleDownload.objects.count()) == (2, 2)


def test_its_days_end_it_to_the_second_and_the_sweep_empties_it():
    order = issued()
    end = KeyBundle.objects.get().expires_at
    assert end == LATER + 30 * DAY
    with pytest.raises(errors.BundleGone):
        deliver(order, now=end)

    assert bundles.destroy_due(at=end - timedelta(seconds=1)) == 0
    assert bundles.destroy_due(at=end) == 1
    assert bundles.destroy_due(at=end) == 0
    assert KeyBundle.objects.values_list("sealed", "destroyed_because").get() == (None, "expired")


def test_the_customer_may_end_it_himself_and_twice_is_once():
    order = issued()
    for _ in range(2):
        bundles.destroy_now(order.uid, buyer=order.buyer, now=LATER)
    assert Event.objects.filter(verb="smime.bundle-destroyed").count() == 1
    with pytest.raises(errors.BundleGone):
        deliver(order)


def test_a_revoked_certificate_takes_its_file_along():
    order = issued()
    certificate = order.certificates.get()
    row = revocation.plan(certificate, ground=RevocationGround.KEY_COMPROMISE, actor=_anybody(), at=LATER)
    revocation.carry_out(row.pk, at=LATER)
    with pytest.raises(errors.BundleGone):
        deliver(order)
    assert bundles.destroy_due(at=LATER) == 1


def _anybody():
    from cms.actors import SYSTEM

    return SYSTEM


def test_nobody_else_finds_the_order():
    order = issued()
    with pytest.raises(OrderUnknown):
        deliver(order, buyer=customer())


class TestCode:
    """Six digits for who has neither passkey nor app."""

    def test_the_mailed_digits_hand_it_out_once(self):
        order = issued()
        bundles.send_code(order.uid, buyer=order.buyer, now=LATER)
        assert mails(order, "smime-download-code")[0].recipient == order.buyer.email
        file = self.by_code(order, code_of(order))
        assert file.content

        with pytest.raises(errors.CodeEnded):
            self.by_code(order, code_of(order))

    def test_five_wrong_guesses_end_the_code(self):
        order = issued()
        bundles.send_code(order.uid, buyer=order.buyer, now=LATER)
        right = code_of(order)
        wrong = f"{(int(right) + 1) % 10**6:06d}"
        for _ in range(5):
            with pytest.raises(errors.CodeWrong):
                self.by_code(order, wrong)
        with pytest.raises(errors.CodeEnded):
            self.by_code(order, right)
        assert BundleDownload.objects.count() == 0

    def test_a_code_ends_after_ten_minutes_and_with_the_next_one(self):
        order = issued()
        bundles.send_code(order.uid, buyer=order.buyer, now=LATER)
        first = code_of(order)
        with pytest.raises(errors.CodeTooSoon):
            bundles.send_code(order.uid, buyer=order.buyer, now=LATER + timedelta(seconds=59))
        bundles.send_code(order.uid, buyer=order.buyer, now=LATER + MINUTE)
        if code_of(order) != first:
            with pytest.raises(errors.CodeWrong):
                self.by_code(order, first, now=LATER + MINUTE)
        with pytest.raises(errors.CodeEnded):
            self.by_code(order, code_of(order), now=LATER + 11 * MINUTE)

    def by_code(self, order, code, *, now=LATER):
        return bundles.deliver_by_code(order.uid, code, buyer=order.buyer, address=HERE, now=now)


class TestRecipient:
    """Who bought for somebody else sees how it stands; the recipient downloads."""

    def test_only_the_browser_that_came_first_gets_it(self):
        order = issued(own=False)
        with pytest.raises(errors.RecipientOnly):
            deliver(order)
        (mail,) = mails(order, "smime-download-link")
        assert mail.recipient == order.mailbox

        token = token_in(mail)
        assert bundles.deliver_by_link(token, "mine", address=HERE, now=LATER).content
        with pytest.raises(errors.OtherBrowser):
            bundles.deliver_by_link(token, "other", address=HERE, now=LATER)
        assert bundles.deliver_by_link(token, "mine", address=HERE, now=LATER + MINUTE).content

    def test_the_buyer_can_have_another_link_mailed_to_the_recipient(self):
        order = issued(own=False)
        bundles.send_link_again(order.uid, buyer=order.buyer, now=LATER + 2 * MINUTE)
        assert [mail.recipient for mail in mails(order, "smime-download-link")] == [order.mailbox] * 2


class TestReissue:
    """A lost password is a new key, and the end of the old certificate."""

    def test_the_new_one_supersedes_the_old_one(self):
        order = issued()
        old, password = order.certificates.get(), password_of(order)
        row = issuance.reissue(order.uid, actor=_anybody(), now=LATER + DAY)
        issuance.carry_out(row.pk, at=LATER + DAY)
        for change in CaOrder.objects.filter(kind="revoke"):
            revocation.carry_out(change.pk, at=LATER + DAY)

        old.refresh_from_db()
        assert (old.status, old.ground) == ("revoked", "superseded")
        new = order.certificates.get(edition=2)
        assert (new.status, new.spki_sha256 != old.spki_sha256) == ("active", True)
        assert password_of(order) != password
        assert deliver(order, now=LATER + DAY).content

    def test_a_lost_password_renews_nothing(self):
        order = issued()
        old = order.certificates.get()
        row = issuance.reissue(order.uid, actor=_anybody(), now=LATER + 20 * DAY)
        issuance.carry_out(row.pk, at=LATER + 20 * DAY)
        assert order.certificates.get(edition=2).not_after == old.not_after

    def test_what_is_suspended_or_about_to_be_revoked_is_not_reissued(self):
        order = issued()
        row = issuance.reissue(order.uid, actor=_anybody(), now=LATER + DAY)
        change = revocation.request_revocation(
            order.certificates.get().pk, ground=RevocationGround.MISUSE, actor=_anybody(), now=LATER + DAY
        )
        revocation.carry_out(change.pk, at=LATER + DAY)
        assert issuance.carry_out(row.pk, at=LATER + DAY).state == "cancelled"
        order.refresh_from_db()
        assert (order.state, order.certificates.count()) == ("issued", 1)

    def test_what_is_revoked_is_not_reissued(self):
        order = issued()
        row = revocation.plan(
            order.certificates.get(), ground=RevocationGround.MAILBOX_LOST, actor=_anybody(), at=LATER
        )
        revocation.carry_out(row.pk, at=LATER)
        with pytest.raises(errors.NotReissuable):
            issuance.reissue(order.uid, actor=_anybody(), now=LATER)
