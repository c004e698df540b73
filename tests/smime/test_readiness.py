"""When an order may be issued: computed from fresh checks, by the instant; and what sends it on its way."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection

from cms.models import Event
from smime import errors, policy
from smime.models import Approval, CaOrder, Check, Order
from smime.services import checks, descriptions
from smime.states import CheckKind, CheckState, IdentityPath, Validation
from tests.smime.customers import BRUNO, NOW, himself, proves, submitted

DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
METHOD = "SBR 3.2.2.2 v1.0.16"
OFFICER = 41


def check_of(order: Order, kind: str) -> Check:
    return Check.objects.select_related("order").get(order=order, kind=kind)


def prove(order: Order, *kinds: str, at=NOW, by: int | None = None) -> Order:
    """Pass these checks, begun or not."""
    for kind in kinds:
        check = check_of(order, kind)
        if check.state == CheckState.TODO:
            check.review(at=at)
            check.save()
        checks.pass_check(check, at=at, method=METHOD, by=by)
    order.refresh_from_db()
    return order


def missing(order: Order, at) -> set[str]:
    return {one.kind.value for one in policy.missing(order, list(order.checks.all()), at)}


def test_each_type_demands_what_the_guide_and_the_requirements_say():
    assert {validation.value: {kind.value for kind in policy.CHECKS_OF[validation]} for validation in Validation} == {
        "mv": {"mailbox"},
        "ov": {"mailbox", "organisation", "authority"},
        "sv": {"mailbox", "organisation", "authority", "attestation", "consent", "identity"},
        "iv": {"mailbox", "consent", "identity"},
    }


@pytest.mark.django_db
class TestFreshness:
    @pytest.mark.parametrize(("kind", "days"), [("mailbox", 30), ("organisation", 825), ("authority", 825)])
    def test_evidence_counts_to_the_last_instant_of_its_span_and_not_at_its_end(self, kind, days):
        order = prove(submitted("ov"), "mailbox", "organisation", "authority")
        assert kind not in missing(order, NOW + days * DAY - TICK)
        assert kind in missing(order, NOW + days * DAY)

    def test_a_missing_check_is_told_from_one_that_grew_too_old(self):
        order = prove(submitted("ov"), "mailbox")
        found = policy.missing(order, list(order.checks.all()), NOW + 31 * DAY)
        assert {(one.kind.value, one.too_old) for one in found} == {
            ("mailbox", True),
            ("organisation", False),
            ("authority", False),
        }

    def test_a_row_that_is_not_there_is_missing_too(self):
        order = submitted("mv")
        assert [one.kind for one in policy.missing(order, [], NOW)] == [CheckKind.MAILBOX]
        with pytest.raises(errors.ChecksOpen):
            policy.require_ready(order, [], NOW)

    def test_who_signs_need_not_consent_to_biometrics(self):
        order = prove(submitted("iv"), "mailbox")
        Check.objects.filter(order=order, kind="identity").update(path=IdentityPath.SIGNATURE)
        assert missing(order, NOW) == {"identity"}


@pytest.mark.django_db
class TestGoingOn:
    def test_a_mailbox_order_goes_to_issuance_by_itself(self):
        order = prove(submitted("mv"), "mailbox")
        assert (order.state, order.approved_at) == ("approved", NOW)
        assert CaOrder.objects.get().order_id == order.pk
        assert Approval.objects.get().officer_id is None
        assert Event.objects.filter(verb="smime.approved", actor_kind="system").count() == 1

    def test_a_second_proof_changes_nothing(self):
        order = submitted("mv")
        seen = check_of(order, "mailbox")
        prove(order, "mailbox")
        with pytest.raises(errors.OrderClosed):
            checks.pass_check(seen, at=NOW + DAY, method=METHOD)
        checks.settle(order, at=NOW + DAY)
        assert (CaOrder.objects.count(), Approval.objects.count()) == (1, 1)
        assert check_of(order, "mailbox").passed_at == NOW

    def test_a_second_proof_while_others_are_missing_changes_nothing(self):
        order = prove(submitted("ov"), "mailbox")
        checks.pass_check(check_of(order, "mailbox"), at=NOW + DAY, method=METHOD)
        assert check_of(order, "mailbox").passed_at == NOW
        assert Event.objects.filter(verb="smime.check-passed").count() == 1

    @pytest.mark.parametrize("validation", ["ov", "sv"])
    def test_organisations_wait_for_an_officer(self, validation):
        order = submitted(validation)
        prove(order, *(kind.value for kind in policy.CHECKS_OF[validation]))
        assert order.state == "checking"
        assert not CaOrder.objects.exists()

        checks.approve(order, officer_id=OFFICER, at=NOW + DAY)
        order.refresh_from_db()
        assert order.state == "approved"
        event = Event.objects.get(verb="smime.approved")
        assert (event.actor_kind, event.actor_id, event.channel) == ("operator", OFFICER, "panel")

    def test_nobody_approves_what_is_not_proven(self):
        order = prove(submitted("ov"), "mailbox", "organisation")
        with pytest.raises(errors.ChecksOpen):
            checks.approve(order, officer_id=OFFICER, at=NOW)
        assert not Approval.objects.exists()

    def test_nobody_approves_what_grew_too_old(self):
        order = prove(submitted("ov"), "mailbox", "organisation", "authority")
        with pytest.raises(errors.ChecksOpen):
            checks.approve(order, officer_id=OFFICER, at=NOW + 30 * DAY)

    def test_a_failed_check_stays_failed_until_it_is_restarted(self):
        order = submitted("ov")
        checks.fail_check(check_of(order, "organisation"), at=NOW, reason="Non risulta attiva.", by=OFFICER)
        with pytest.raises(errors.CheckDecided):
            checks.pass_check(check_of(order, "organisation"), at=NOW, method=METHOD, by=OFFICER)
        again = checks.restart(check_of(order, "organisation"), at=NOW + DAY)
        assert (again.state, again.round, again.reason) == ("in-review", 2, "")


@pytest.mark.django_db
class TestApprovedBefore:
    """An order that was sent back goes on by itself only where the officer's word still covers it."""

    @pytest.fixture
    def sent_back(self):
        order = prove(submitted("ov"), "mailbox", "organisation", "authority")
        checks.approve(order, officer_id=OFFICER, at=NOW)
        order.refresh_from_db()
        order.send_back()
        order.save()
        CaOrder.objects.all().delete()
        return order

    def test_a_mailbox_proven_again_needs_no_second_approval(self, sent_back):
        checks.restart(check_of(sent_back, "mailbox"), at=NOW + 29 * DAY)
        prove(sent_back, "mailbox", at=NOW + 29 * DAY)
        assert sent_back.state == "approved"
        assert Approval.objects.count() == 1

    def test_another_decision_does(self, sent_back):
        checks.restart(check_of(sent_back, "authority"), at=NOW + DAY)
        prove(sent_back, "authority", at=NOW + DAY)
        assert sent_back.state == "checking"

    def test_changed_data_do(self, sent_back):
        other = himself(sent_back.buyer, proves(sent_back.buyer, "nuova@posta.example.org"))
        descriptions.describe_recipient(sent_back.uid, other, is_buyer=True, buyer=sent_back.buyer, now=NOW + DAY)
        prove(sent_back, "mailbox", "authority", at=NOW + DAY)
        assert sent_back.state == "checking"

    def test_a_new_technical_contact_was_not_approved_either(self, sent_back):
        descriptions.describe_technical_contact(
            sent_back.uid,
            type(BRUNO)("Dario", "Prova", "dario@azienda.example.org"),
            buyer=sent_back.buyer,
            now=NOW + DAY,
        )
        checks.settle(sent_back, at=NOW + DAY)
        sent_back.refresh_from_db()
        assert sent_back.state == "checking"


def test_two_last_proofs_at_the_same_moment_send_it_on_once(committed):
    order = prove(submitted("iv"), "mailbox")
    for kind in ("consent", "identity"):
        check = check_of(order, kind)
        if check.state != CheckState.IN_REVIEW:
            check.review(at=NOW)
            check.save()
    seen, together, refused = [check_of(order, "consent"), check_of(order, "identity")], Barrier(2), []

    def last(check: Check) -> None:
        together.wait()
        try:
            checks.pass_check(check, at=NOW, method=METHOD)
        except Exception as error:  # noqa: BLE001 - told below, in the test's own thread
            refused.append(error)
        finally:
            connection.close()

    threads = [Thread(target=last, args=(check,)) for check in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == []
    order.refresh_from_db()
    assert (order.state, CaOrder.objects.count()) == ("approved", 1)
