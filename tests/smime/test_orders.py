"""An order from its slot to the checks: begun once, complete, accepted, corrected, given up."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from allauth.account.models import EmailAddress
from django.db import connection

from cms.errors import DomainError
from cms.models import Event
from smime import errors, terms
from smime.models import Check, Order, Slot, TermsAcceptance
from smime.policy_data import Organisation, Person
from smime.services import checks, descriptions, orders
from smime.services.acceptance import Accepted
from smime.states import CheckState
from tests.smime.customers import (
    ANNA,
    BRUNO,
    COMPANY,
    NOW,
    customer,
    filled_in,
    himself,
    proves,
    slot_of,
    started,
    submit,
    submitted,
)

LATER = NOW + timedelta(hours=1)


def states(order: Order) -> dict[str, str]:
    return dict(Check.objects.filter(order=order).values_list("kind", "state"))


def rounds(order: Order) -> dict[str, int]:
    return dict(Check.objects.filter(order=order).values_list("kind", "round"))


@pytest.mark.django_db
class TestStarting:
    def test_a_slot_begins_one_order_and_a_second_click_finds_it(self):
        buyer = customer()
        slot = slot_of(buyer, "iv")
        first = orders.start_order(slot.code, buyer=buyer, now=NOW)
        second = orders.start_order(slot.code, buyer=buyer, now=LATER)

        assert (first.pk, first.validation, first.state) == (second.pk, "iv", "draft")
        assert Event.objects.filter(verb="smime.order-started", actor_kind="customer").count() == 1

    def test_another_customers_slot_does_not_exist(self):
        slot = slot_of(customer())
        with pytest.raises(errors.SlotUnknown):
            orders.start_order(slot.code, buyer=customer(), now=NOW)

    def test_a_withdrawn_slot_cannot_be_started(self):
        buyer = customer()
        slot = slot_of(buyer)
        slot.withdraw(at=NOW)
        slot.save()
        with pytest.raises(errors.SlotTaken):
            orders.start_order(slot.code, buyer=buyer, now=NOW)


def test_two_clicks_at_the_same_moment_begin_one_order(committed):
    buyer = customer()
    slot, together, found = slot_of(buyer), Barrier(2), []

    def click() -> None:
        together.wait()
        found.append(orders.start_order(slot.code, buyer=buyer, now=NOW).pk)
        connection.close()

    threads = [Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert len(set(found)) == Order.objects.count() == 1


@pytest.mark.django_db
class TestOwnership:
    """Every use case of a customer finds the order within his own."""

    @pytest.mark.parametrize(
        "act",
        [
            lambda uid, by: descriptions.describe_recipient(uid, ANNA, is_buyer=True, buyer=by, now=NOW),
            lambda uid, by: descriptions.confirm_recipient(uid, buyer=by, now=NOW),
            lambda uid, by: descriptions.describe_technical_contact(uid, ANNA, buyer=by, now=NOW),
            lambda uid, by: descriptions.describe_organisation_contact(uid, BRUNO, ground="", buyer=by, now=NOW),
            lambda uid, by: descriptions.describe_organisation(uid, COMPANY, buyer=by, now=NOW),
            lambda uid, by: descriptions.choose_key(
                uid, kind="rsa-2048", bundle_format="modern", csr=None, buyer=by, now=NOW
            ),
            lambda uid, by: orders.submit_order(uid, accepted=None, address=None, buyer=by, now=NOW),
            lambda uid, by: orders.cancel_order(uid, buyer=by, now=NOW),
        ],
    )
    def test_another_customers_order_does_not_exist(self, act):
        with pytest.raises(errors.OrderUnknown):
            act(started("ov").uid, customer())


@pytest.mark.django_db
class TestSubmitting:
    def test_accepted_terms_are_stored_as_shown_and_the_checks_begin(self):
        order = submitted("ov")

        acceptance = TermsAcceptance.objects.get(order=order)
        text = terms.in_force()
        assert (acceptance.version, acceptance.sha256, acceptance.role) == (text.version, text.sha256, "buyer")
        assert (acceptance.actor_id, acceptance.address, acceptance.at) == (order.buyer_id, "192.0.2.7", NOW)
        assert states(order) == {"mailbox": "waiting-customer", "organisation": "in-review", "authority": "in-review"}

    def test_a_second_click_changes_nothing(self):
        order = submitted("mv")
        submit(order, at=LATER)
        order.refresh_from_db()
        assert order.submitted_at == NOW
        assert rounds(order) == {"mailbox": 1}
        assert Event.objects.filter(verb="smime.order-submitted").count() == 1

    def test_nothing_begins_without_the_ticked_box(self):
        order = filled_in()
        with pytest.raises(errors.TermsNotAccepted):
            orders.submit_order(order.uid, accepted=None, address=None, buyer=order.buyer, now=NOW)
        assert not Check.objects.exists()

    def test_terms_that_changed_meanwhile_are_shown_again(self):
        order = filled_in()
        with pytest.raises(errors.TermsOutdated):
            orders.submit_order(
                order.uid, accepted=Accepted("2020-01", "0" * 64), address=None, buyer=order.buyer, now=NOW
            )

    def test_an_empty_step_keeps_it_back(self):
        order = started("ov")
        descriptions.describe_recipient(order.uid, himself(order.buyer), is_buyer=True, buyer=order.buyer, now=NOW)
        with pytest.raises(errors.StepMissing):
            submit(order)

    def test_consent_waits_for_the_mailbox_and_identity_for_consent(self):
        assert states(submitted("iv")) == {"mailbox": "waiting-customer", "consent": "todo", "identity": "todo"}


@pytest.mark.django_db
class TestWhoseMailbox:
    """*Io* decides who downloads the key: it is believed of mailboxes that the buyer has proven to read."""

    def described(self, order, email: str, **more) -> Order:
        him = Person(more.pop("name", "Anna"), "Prova", email)
        whole = {"is_buyer": True, "buyer": order.buyer, "now": NOW} | more
        return descriptions.describe_recipient(order.uid, him, **whole)

    def test_another_persons_is_refused_and_nothing_is_stored(self):
        order = started()
        with pytest.raises(errors.MailboxNotOwn) as refusal:
            self.described(order, ANNA.email)
        order.refresh_from_db()
        assert (refusal.value.reason_code, order.mailbox) == ("mailbox-not-own", "")

    def test_one_that_another_customer_has_proven_is_refused_too(self):
        with pytest.raises(errors.MailboxNotOwn):
            self.described(started(), customer().email)

    def test_one_that_is_not_confirmed_is_refused(self):
        order = started()
        EmailAddress.objects.create(user=order.buyer, email=ANNA.email, verified=False)
        with pytest.raises(errors.MailboxNotOwn):
            self.described(order, ANNA.email)

    @pytest.mark.parametrize("spelled", [str.lower, str.upper, str.title])
    def test_case_does_not_matter(self, spelled):
        order = started()
        proves(order.buyer, "anna.prova@posta.example.org")
        stored = self.described(order, spelled("anna.prova@posta.example.org"))
        assert (stored.recipient_is_buyer, stored.mailbox.rpartition("@")[2]) == (True, "posta.example.org")

    def test_for_another_person_any_mailbox_will_do(self):
        assert self.described(started(), ANNA.email, is_buyer=False).mailbox == ANNA.email

    def test_another_persons_order_does_not_become_the_buyers(self):
        order = started()
        self.described(order, ANNA.email, is_buyer=False)
        with pytest.raises(errors.MailboxNotOwn):
            self.described(order, ANNA.email)

    def test_nor_is_the_mailbox_exchanged_while_checks_run(self):
        order = submitted()
        with pytest.raises(errors.MailboxNotOwn):
            self.described(order, ANNA.email)
        order.refresh_from_db()
        assert order.mailbox == order.buyer.email

    def test_an_address_removed_from_the_account_later_stands_in_the_order(self):
        order = submitted("iv")
        EmailAddress.objects.filter(user=order.buyer).delete()
        changed = self.described(order, order.mailbox, name="Anna Maria")
        assert (changed.given_name, changed.recipient_is_buyer) == ("Anna Maria", True)


@pytest.mark.django_db
class TestContacts:
    """The guide, step 4: one person for both only on a declared ground."""

    @pytest.fixture
    def order(self):
        order = started("ov")
        descriptions.describe_recipient(order.uid, ANNA, is_buyer=False, buyer=order.buyer, now=NOW)
        return descriptions.describe_technical_contact(order.uid, ANNA, buyer=order.buyer, now=NOW)

    @pytest.mark.parametrize(
        "person",
        [
            ANNA,
            Person("Anna", "PROVA", "altra@posta.example.org"),
            Person("Altra", "Persona", ANNA.email.upper().replace("POSTA.EXAMPLE.ORG", "posta.example.org")),
        ],
    )
    def test_the_same_person_needs_a_ground(self, order, person):
        with pytest.raises(errors.ContactsEqual):
            descriptions.describe_organisation_contact(order.uid, person, ground="", buyer=order.buyer, now=NOW)

    @pytest.mark.parametrize("ground", ["public-figure", "sole-proprietor"])
    def test_with_a_ground_it_is_stored(self, order, ground):
        stored = descriptions.describe_organisation_contact(order.uid, ANNA, ground=ground, buyer=order.buyer, now=NOW)
        assert stored.same_contact_ground == ground

    def test_a_ground_says_nothing_about_two_persons(self, order):
        stored = descriptions.describe_organisation_contact(
            order.uid, BRUNO, ground="public-figure", buyer=order.buyer, now=NOW
        )
        assert stored.same_contact_ground == ""

    def test_the_technical_contact_cannot_become_the_other_one_unnoticed(self, order):
        descriptions.describe_organisation_contact(order.uid, BRUNO, ground="", buyer=order.buyer, now=NOW)
        with pytest.raises(errors.ContactsEqual):
            descriptions.describe_technical_contact(order.uid, BRUNO, buyer=order.buyer, now=NOW)


def other_mailbox(uid, buyer) -> Order:
    """The buyer has the certificate made for another address of his."""
    him = himself(buyer, proves(buyer, "nuova@posta.example.org"))
    return descriptions.describe_recipient(uid, him, is_buyer=True, buyer=buyer, now=LATER)


def passed_all(order: Order) -> None:
    """Write all checks as passed, as if the others had proven them."""
    for check in Check.objects.filter(order=order):
        if check.state == CheckState.TODO:
            check.ask_customer(at=NOW)
        check.accept(at=NOW, valid_until=NOW + timedelta(days=30), under="test")
        check.save()


@pytest.mark.django_db
class TestCorrecting:
    """Data to checks: the table of the contract, one line each."""

    TABLE = [
        ("name", lambda o, b: descriptions.describe_recipient(o, Person("Anna Maria", "Prova", b.email), is_buyer=True, buyer=b, now=LATER), {"attestation", "consent", "identity"}),
        ("mailbox", other_mailbox, {"mailbox", "authority", "attestation", "consent", "identity"}),
        ("technical", lambda o, b: descriptions.describe_technical_contact(o, BRUNO, buyer=b, now=LATER), set()),
        ("contact", lambda o, b: descriptions.describe_organisation_contact(o, Person("Carla", "Esempio", "carla@azienda.example.org"), ground="", buyer=b, now=LATER), {"authority"}),
        ("organisation", lambda o, b: descriptions.describe_organisation(o, Organisation("00743110157", "00743110157", "IT"), buyer=b, now=LATER), {"organisation", "authority", "attestation"}),
        ("duns", lambda o, b: descriptions.describe_organisation(o, Organisation("07643520567", "07643520567", "IT", duns="123456789"), buyer=b, now=LATER), set()),
    ]  # fmt: skip

    @pytest.mark.parametrize(("what", "correct", "touched"), TABLE, ids=[row[0] for row in TABLE])
    def test_only_the_touched_checks_begin_anew(self, what, correct, touched):
        order = submitted("sv")
        if what == "technical":
            descriptions.describe_organisation_contact(
                order.uid,
                Person("Carla", "Esempio", "carla@azienda.example.org"),
                ground="",
                buyer=order.buyer,
                now=NOW,
            )
        passed_all(order)
        before = rounds(order)

        correct(order.uid, order.buyer)

        again = {kind for kind, number in rounds(order).items() if number > before[kind]}
        assert again == touched
        assert {kind for kind, state in states(order).items() if state != "passed"} == touched

    def test_what_an_officer_had_verified_about_the_old_organisation_is_forgotten(self):
        order = submitted("ov")
        Order.objects.filter(pk=order.pk).update(
            organisation_name="Vecchia S.p.A.", organisation_identifier="NTRIT-07643520567"
        )
        other = Organisation("00743110157", "00743110157", "IT")
        changed = descriptions.describe_organisation(order.uid, other, buyer=order.buyer, now=LATER)
        assert (changed.organisation_name, changed.organisation_identifier, changed.changed_at) == ("", "", LATER)

    def test_the_same_data_again_touch_nothing(self):
        order = submitted("ov")
        descriptions.describe_organisation(order.uid, COMPANY, buyer=order.buyer, now=LATER)
        assert set(rounds(order).values()) == {1}
        assert not Event.objects.filter(verb="smime.data-changed").exists()

    def test_an_event_says_which_kind_of_data_and_nothing_of_them(self):
        order = submitted("mv")
        other_mailbox(order.uid, order.buyer)
        event = Event.objects.get(verb="smime.data-changed")
        assert (event.facts, event.actor_kind, event.case_code) == ({"data": ["mailbox"]}, "customer", order.code)

    def test_who_gets_the_key_does_not_change_after_submission(self):
        order = submitted("mv", own=False)
        with pytest.raises(errors.RecipientFixed):
            descriptions.describe_recipient(order.uid, ANNA, is_buyer=True, buyer=order.buyer, now=LATER)

    def test_a_link_in_the_mailbox_that_is_given_up_is_void(self):
        order = submitted("iv")
        consent = Check.objects.get(order=order, kind="consent")
        consent.ask_customer(at=NOW)
        consent.save()
        other_mailbox(order.uid, order.buyer)
        assert (states(order)["consent"], rounds(order)["consent"]) == ("todo", 2)

    def test_a_changed_recipient_is_confirmed_again_before_submission(self):
        order = filled_in()
        changed = other_mailbox(order.uid, order.buyer)
        assert (changed.recipient_confirmed_at, orders.next_page(changed)) == (None, "conferma")

    def test_an_officer_who_looked_at_the_old_data_decides_nothing(self):
        order = submitted("ov")
        seen = Check.objects.get(order=order, kind="organisation")
        other = Organisation("00743110157", "00743110157", "IT")
        descriptions.describe_organisation(order.uid, other, buyer=order.buyer, now=LATER)
        with pytest.raises(errors.CheckChanged):
            checks.pass_check(seen, at=LATER, method="SBR 3.2.3", by=1)


@pytest.mark.django_db
class TestGivingUp:
    @pytest.mark.parametrize("prepare", [started, submitted])
    def test_the_slot_is_free_again(self, prepare):
        order = prepare("mv")
        orders.cancel_order(order.uid, buyer=order.buyer, now=LATER)
        orders.cancel_order(order.uid, buyer=order.buyer, now=LATER)

        assert Slot.objects.get().state == "free"
        assert Event.objects.filter(verb="smime.order-cancelled").count() == 1
        assert orders.start_order(order.slot.code, buyer=order.buyer, now=LATER).pk != order.pk

    def test_not_during_issuance(self):
        order = submitted("mv")
        order.approve(at=NOW)
        order.save()
        with pytest.raises(errors.OrderClosed):
            orders.cancel_order(order.uid, buyer=order.buyer, now=LATER)

    def test_and_then_nothing_can_be_written(self):
        order = submitted("mv")
        orders.cancel_order(order.uid, buyer=order.buyer, now=LATER)
        with pytest.raises(DomainError) as refusal:
            descriptions.describe_recipient(order.uid, ANNA, is_buyer=True, buyer=order.buyer, now=LATER)
        assert refusal.value.reason_code == "order-closed"


@pytest.mark.django_db
class TestLapsing:
    """Nobody goes on with it: the activation is free again, whatever state the order was in."""

    @pytest.mark.parametrize(("prepare", "days"), [(started, 90), (submitted, 180)])
    def test_at_its_day_and_not_before(self, prepare, days):
        order = prepare("mv")
        end = NOW + timedelta(days=days)
        assert orders.lapse_abandoned(now=end - timedelta(seconds=1)) == 0
        assert orders.lapse_abandoned(now=end) == 1
        assert orders.lapse_abandoned(now=end) == 0

        order.refresh_from_db()
        assert (order.state, order.closed_at, Slot.objects.get().state) == ("lapsed", end, "free")
        assert Event.objects.filter(verb="smime.order-lapsed", actor_kind="system").count() == 1

    def test_data_corrected_meanwhile_count_anew(self):
        order = submitted("mv")
        Order.objects.filter(pk=order.pk).update(changed_at=NOW + timedelta(days=100))
        assert orders.lapse_abandoned(now=NOW + timedelta(days=180)) == 0
        assert orders.lapse_abandoned(now=NOW + timedelta(days=280)) == 1
