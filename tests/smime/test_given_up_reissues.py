"""A reissue that was sent back to its checks and goes no further: the certificate that is there stays what it was."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from cms.actors import SYSTEM
from cms.models import Event
from notifications import rendering
from notifications.templatetags.mail import instant
from smime import errors
from smime.models import CaOrder
from smime.policy_data import Person
from smime.services import admission, descriptions, desk, issuance, orders
from tests.authority.founding import found
from tests.smime.desk.office import officer
from tests.smime.issuing import LATER, Willing, ready
from tests.smime.mailed import mails

DAY = timedelta(days=1)
REISSUED = LATER + 200 * DAY


@pytest.fixture
def order(committed, settings):
    """Issued once; its reissue waits for the mailbox, which was confirmed long ago."""
    settings.SMIME = settings.SMIME.model_copy(update={"bundle_iterations": 2000})
    found()
    order = ready()
    order.slot.take()
    order.slot.save()
    with admission.asking(Willing()):
        issuance.carry_out(CaOrder.objects.get(order=order, edition=1).pk, at=LATER)
        issuance.reissue(order.uid, actor=SYSTEM, now=REISSUED)
        issuance.carry_out(CaOrder.objects.get(order=order, edition=2).pk, at=REISSUED)
    order.refresh_from_db()
    assert (order.state, order.certificates.count()) == ("checking", 1)
    return order


def cancel(order):
    orders.cancel_order(order.uid, buyer=order.buyer, now=REISSUED + DAY)


def reject(order):
    desk.reject_order(order.uid, reason="Documenti mancanti.", operator=officer(order), now=REISSUED + DAY)


def lapse(_order):
    assert orders.lapse_abandoned(now=REISSUED + 179 * DAY) == 0
    assert orders.lapse_abandoned(now=REISSUED + 180 * DAY) == 1


@pytest.mark.parametrize("end", [cancel, reject, lapse])
def test_it_leads_back_to_the_certificate_and_frees_no_slot(order, end):
    end(order)

    order.refresh_from_db()
    assert (order.state, order.issued_at, order.closed_at) == ("issued", LATER, None)
    assert (order.slot.state, order.certificates.get().status) == ("used", "active")
    event = Event.objects.get(verb="smime.reissue-given-up", case_code=order.code)
    refusals = mails(order, "smime-refused")
    assert (event.reason, len(refusals)) == (("Documenti mancanti.", 1) if end is reject else ("", 0))


def test_who_is_refused_reads_why_and_until_when_the_certificate_that_he_has_is_valid(order):
    reject(order)

    (mail,) = mails(order, "smime-refused")
    said = " ".join(rendering.render(mail).text.split())
    assert mail.recipient == order.mailbox
    assert "Documenti mancanti." in said
    assert "la nuova emissione del certificato" in said
    assert f"resta valido fino a {instant(order.certificates.get().not_after.isoformat())}" in said
    assert "non si può riprendere" not in said


def test_a_certificate_that_is_suspended_is_not_called_valid(order):
    certificate = order.certificates.get()
    certificate.hold(at=REISSUED)
    certificate.save()
    reject(order)

    (mail,) = mails(order, "smime-refused")
    assert "resta valido" not in rendering.render(mail).text


def test_it_can_be_asked_again(order):
    cancel(order)
    issuance.reissue(order.uid, actor=SYSTEM, now=REISSUED + 2 * DAY)
    order.refresh_from_db()
    assert order.state == "approved"


def test_the_recipient_and_his_mailbox_are_fixed(order):
    other = Person("Anna", "Prova", "nuova@posta.example.org")
    with pytest.raises(errors.OrderClosed):
        descriptions.describe_recipient(order.uid, other, is_buyer=True, buyer=order.buyer, now=REISSUED + DAY)


def test_the_page_says_what_is_given_up_and_offers_no_other_mailbox(order, clock):
    clock.instant = REISSUED + DAY
    browser, page = Client(), f"/area-clienti/pratiche/{order.uid}/"
    browser.force_login(order.buyer)

    assert "/destinatario/" not in browser.get(page).content.decode()
    assert "il certificato esistente resta" in browser.get(page + "annulla/").content.decode()
    answer = browser.post(page + "annulla/", follow=True).content.decode()
    assert "La nuova emissione è stata annullata." in answer
