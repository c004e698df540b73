"""*Rinnova*: an ending certificate is followed by an order that is filled in as the one before, and proves all anew."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client

from smime import errors, policy_renewal
from smime.errors.renewal import ActivationMissing, CertificateNotRenewable
from smime.models import Order, Slot, SmimeCertificate
from smime.services import checks, orders, renewing
from tests.smime.customers import NOW, customer, filled_in, slot_of, started, submit

DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
END = NOW + 365 * DAY
DUE = END - 60 * DAY


def issued(validation: str = "mv", **how) -> Order:
    """An order with its certificate, as the worker would have left it."""
    order = submit(filled_in(validation, **how))
    for kind in [check.kind for check in order.checks.order_by("pk")]:
        check = order.checks.select_related("order").get(kind=kind)
        if check.state == "todo":
            check.review(at=NOW)
            check.save()
        checks.pass_check(check, at=NOW, method="prova")
    order.refresh_from_db()
    if order.state == "checking":
        checks.approve(order, officer_id=7, at=NOW)
        order.refresh_from_db()
    order.issue(at=NOW)
    order.save()
    SmimeCertificate.objects.create(
        order=order,
        edition=1,
        serial=f"{order.pk:x}",
        issuer_key_id="0" * 40,
        fingerprint=f"{order.pk:064x}",
        spki_sha256=f"{order.pk:064x}",
        der=b"",
        not_before=NOW,
        not_after=END,
        issued_at=NOW,
    )
    return order


@pytest.mark.django_db
class TestTakingOver:
    @pytest.mark.parametrize("validation", ["mv", "ov", "sv", "iv"])
    def test_what_was_typed_is_there_and_the_recipient_is_looked_at_again(self, validation):
        old = issued(validation)
        slot_of(old.buyer, validation)

        new = renewing.renew_order(old.uid, buyer=old.buyer, now=DUE)

        for name in (*policy_renewal.TAKEN_OVER, "mailbox", "recipient_is_buyer", "key_kind", "bundle_format"):
            assert getattr(new, name) == getattr(old, name), name
        assert (new.renews_id, new.state, new.created_at) == (old.pk, "draft", DUE)
        assert orders.next_page(new) == "conferma"

    def test_nothing_that_was_proven_or_accepted_is(self):
        old = issued("sv")
        Order.objects.filter(pk=old.pk).update(
            organisation_name="Esempio S.r.l.",
            organisation_identifier="VATIT-07643520567",
            role_title="IT Manager",
            attested={"role": "Responsabile"},
        )
        slot_of(old.buyer, "sv")

        new = renewing.renew_order(old.uid, buyer=old.buyer, now=DUE)

        assert (new.organisation_name, new.organisation_identifier, new.role_title) == ("", "", "")
        assert (new.attested, new.attestation_later, new.recipient_confirmed_at) == (None, False, None)
        assert (new.checks.count(), new.acceptances.count(), new.certificates.count()) == (0, 0, 0)

    def test_the_certificate_before_stays_as_it_is(self):
        old = issued()
        slot_of(old.buyer)
        renewing.renew_order(old.uid, buyer=old.buyer, now=DUE)
        old.refresh_from_db()
        assert (old.state, old.certificates.get().status) == ("issued", "active")

    def test_a_key_of_the_customers_own_is_not_used_twice(self):
        old = issued()
        Order.objects.filter(pk=old.pk).update(key_origin="csr", csr=b"der", key_kind="ec-p256")
        slot_of(old.buyer)
        new = renewing.renew_order(old.uid, buyer=old.buyer, now=DUE)
        assert (new.key_origin, new.csr, new.key_kind) == ("server", None, "rsa-2048")

    def test_an_address_that_is_no_longer_the_buyers_is_asked_for(self):
        old = issued()
        slot_of(old.buyer)
        EmailAddress.objects.filter(user=old.buyer).update(verified=False)
        new = renewing.renew_order(old.uid, buyer=old.buyer, now=DUE)
        assert (new.mailbox, new.recipient_is_buyer, new.given_name) == ("", False, old.given_name)
        assert orders.next_page(new) == "destinatario"

    def test_another_recipient_stays_whatever_the_account_says(self):
        old = issued(own=False)
        slot_of(old.buyer)
        new = renewing.renew_order(old.uid, buyer=old.buyer, now=DUE)
        assert (new.mailbox, new.recipient_is_buyer) == (old.mailbox, False)


@pytest.mark.django_db
class TestWhen:
    def test_from_the_first_reminder_on_even_after_the_end(self):
        old = issued()
        slot_of(old.buyer)
        with pytest.raises(CertificateNotRenewable):
            renewing.renew_order(old.uid, buyer=old.buyer, now=DUE - TICK)
        assert renewing.renew_order(old.uid, buyer=old.buyer, now=END + 30 * DAY).renews_id == old.pk

    @pytest.mark.parametrize("status", ["held", "revoked"])
    def test_not_of_a_certificate_that_was_stopped(self, status):
        old = issued()
        certificate = old.certificates.get()
        certificate.hold(at=NOW) if status == "held" else certificate.revoke(at=NOW, ground="misuse")
        certificate.save()
        slot_of(old.buyer)
        with pytest.raises(CertificateNotRenewable):
            renewing.renew_order(old.uid, buyer=old.buyer, now=DUE)

    def test_not_before_there_is_a_certificate(self):
        old = started()
        slot_of(old.buyer)
        with pytest.raises(CertificateNotRenewable):
            renewing.renew_order(old.uid, buyer=old.buyer, now=DUE)

    def test_another_customers_order_does_not_exist(self):
        with pytest.raises(errors.OrderUnknown):
            renewing.renew_order(issued().uid, buyer=customer(), now=DUE)


@pytest.mark.django_db
class TestActivation:
    def test_without_a_free_one_of_the_type_nothing_begins(self):
        old = issued()
        slot_of(old.buyer, "ov")
        slot_of(customer(), "mv")
        with pytest.raises(ActivationMissing):
            renewing.renew_order(old.uid, buyer=old.buyer, now=DUE)
        assert Order.objects.count() == 1

    def test_one_of_the_same_term_comes_first(self):
        old = issued()
        slot_of(old.buyer)
        same = slot_of(old.buyer)
        Slot.objects.filter(owner=old.buyer, state="free").exclude(pk=same.pk).update(term_days=730)
        assert renewing.renew_order(old.uid, buyer=old.buyer, now=DUE).slot_id == same.pk

    def test_twice_leads_to_the_same_order_and_a_given_up_one_is_begun_anew(self):
        old = issued()
        slot_of(old.buyer), slot_of(old.buyer)
        first = renewing.renew_order(old.uid, buyer=old.buyer, now=DUE)
        assert renewing.renew_order(old.uid, buyer=old.buyer, now=DUE + DAY).pk == first.pk

        orders.cancel_order(first.uid, buyer=old.buyer, now=DUE + DAY)
        assert renewing.renew_order(old.uid, buyer=old.buyer, now=DUE + DAY).pk != first.pk


def test_two_clicks_at_the_same_moment_begin_one_order(committed):
    old = issued()
    slot_of(old.buyer), slot_of(old.buyer)
    together, found = Barrier(2), []

    def click() -> None:
        together.wait()
        found.append(renewing.renew_order(old.uid, buyer=old.buyer, now=DUE).pk)
        connection.close()

    threads = [Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(found), len(set(found))) == (2, 1)


@pytest.mark.django_db
class TestPage:
    @pytest.fixture
    def old(self, clock):
        clock.instant = DUE
        return issued("ov")

    @pytest.fixture
    def browser(self, old):
        client = Client()
        client.force_login(old.buyer)
        return client

    def page(self, browser, order) -> str:
        return browser.get(f"/area-clienti/pratiche/{order.uid}/").content.decode()

    def test_the_button_leads_into_the_wizard_with_everything_filled_in(self, browser, old):
        slot_of(old.buyer, "ov")
        assert "Rinnova il certificato" in self.page(browser, old)

        answer = browser.post(f"/area-clienti/pratiche/{old.uid}/rinnova/", follow=True)

        assert answer.redirect_chain[-1][0].endswith("/conferma/")
        assert "Abbiamo ripreso i dati" in answer.content.decode()
        new = old.renewed_by.get()
        answer = browser.post(f"/area-clienti/pratiche/{new.uid}/conferma/")
        assert answer["Location"].endswith("/riepilogo/")
        assert old.vat_number in browser.get(answer["Location"]).content.decode()
        assert "Apri la pratica di rinnovo" in self.page(browser, old)

    def test_without_an_activation_it_says_whom_to_ask(self, browser, old):
        page = self.page(browser, old)
        assert "la chieda a Ordine di Esempio" in page
        assert "Rinnova il certificato" not in page

    def test_before_its_time_nothing_is_said(self, browser, old, clock):
        clock.instant = DUE - TICK
        slot_of(old.buyer, "ov")
        assert "Rinnov" not in self.page(browser, old)

    def test_looking_at_the_address_begins_nothing(self, browser, old):
        assert browser.get(f"/area-clienti/pratiche/{old.uid}/rinnova/").status_code == 405
