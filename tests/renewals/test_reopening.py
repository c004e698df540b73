"""Cancella and Riapri: an operator stops a case before installation, and lets a closed pair go on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms.errors import DomainError
from cms.models import Certificate, Event, Stock, User
from cms.states import Role
from notifications.models import OutboxMessage
from renewals import sweeps
from renewals.models import RenewalCase
from renewals.services import decisions
from tests.renewals.checking import assert_invariants
from tests.renewals.conftest import NOW
from tests.renewals.enrolment import Enrolment
from tests.renewals.test_clock import tick
from tests.renewals.world import OLD_NOT_AFTER


def refusal_of(act) -> str:
    with pytest.raises(DomainError) as refused:
        act()
    return refused.value.reason_code


@pytest.fixture
def case(card):
    """A case whose form is signed."""
    Enrolment(card).until("requests")
    return RenewalCase.objects.get()


def cancel(case, world, **changed):
    named = {"operator": world.operator, "reason": "Dati errati: il cognome è cambiato", "now": NOW} | changed
    return decisions.cancel_renewal(case.pk, **named)


def reopen(case, world, **changed):
    return decisions.reopen_renewal(case.pk, **({"operator": world.operator, "now": NOW} | changed))


def test_an_operator_cancels_before_installation_and_units_come_back(case, world):
    cancel(case, world)

    case.refresh_from_db()
    assert (case.state, case.close_reason) == ("cancelled", "Dati errati: il cognome è cambiato")
    event = Event.objects.get(verb="case.cancelled")
    assert (event.actor_id, event.channel, event.reason) == (world.operator.pk, "panel", case.close_reason)
    assert OutboxMessage.objects.get(kind="case-cancelled").context["reason"] == case.close_reason
    assert set(Stock.objects.values_list("free", "reserved")) == {(10, 0)}
    assert_invariants(NOW)


def test_cancelling_twice_is_cancelling_once(case, world):
    for _ in range(2):
        cancel(case, world)

    assert Event.objects.filter(verb="case.cancelled").count() == 1


def test_what_is_installed_or_foreign_or_ones_own_is_not_cancelled(case, world, card):
    stranger = world.employ("altro@cdrl.example.org", world.found_centre("altro", "Altro CDRL"))
    auditor = world.employ("revisore@cdrl.example.org", world.centre, Role.AUDITOR)
    assert refusal_of(lambda: cancel(case, world, operator=stranger)) == "scope-foreign"
    assert refusal_of(lambda: cancel(case, world, operator=auditor)) == "role-insufficient"
    assert refusal_of(lambda: cancel(case, world, reason=" ")) == "reason-missing"
    User.objects.filter(pk=world.operator.pk).update(tax_code=case.holder.tax_code)
    world.operator.refresh_from_db()
    assert refusal_of(lambda: cancel(case, world)) == "approver-is-holder"
    User.objects.filter(pk=world.operator.pk).update(tax_code=None)
    world.operator.refresh_from_db()

    Enrolment(card).until("done")

    assert refusal_of(lambda: cancel(case, world)) == "case-ended"
    assert_invariants(NOW)


@pytest.mark.parametrize("ended", ["cancelled", "refused"])
def test_a_reopened_case_is_a_new_one_with_which_the_holder_goes_on(case, world, card, ended):
    if ended == "cancelled":
        cancel(case, world)
    else:
        decisions.refuse_renewal(case.pk, operator=world.operator, reason="Non più iscritto", now=NOW)
    holder = Enrolment(card)
    holder.login()
    assert holder.refusal == "pair-closed"

    new = reopen(case, world)

    assert (new.reopens, new.old_pair, new.state, new.authorisation) == (case, case.old_pair, "notified", "undecided")
    assert Event.objects.get(verb="case.reopened").facts == {"as": new.code}
    assert Event.objects.get(verb="case.opened", case_code=new.code).actor_id == world.operator.pk
    assert OutboxMessage.objects.filter(kind="renewal-notice", case_code=new.code).count() == 1
    assert_invariants(NOW)
    card.generate("again")
    Enrolment(card).until("done")
    new.refresh_from_db()
    assert new.state == "completed"
    assert_invariants(NOW)


def test_reopening_twice_is_reopening_once(case, world):
    cancel(case, world)

    assert reopen(case, world) == reopen(case, world)
    assert RenewalCase.objects.count() == 2


def test_a_reopened_case_ends_like_any_other(case, world):
    cancel(case, world)
    new = reopen(case, world)

    tick(OLD_NOT_AFTER + timedelta(hours=1))

    new.refresh_from_db()
    assert new.state == "expired"
    assert_invariants(OLD_NOT_AFTER + timedelta(hours=1))


def test_no_sweep_reopens_a_cancelled_case(case, world):
    cancel(case, world)

    sweeps.open_windows(now=NOW + timedelta(days=1))

    assert RenewalCase.objects.count() == 1


def test_only_the_last_cancelled_case_of_a_pair_is_reopened(case, world):
    assert refusal_of(lambda: reopen(case, world)) == "case-not-reopenable"
    cancel(case, world)
    second = reopen(case, world)
    assert refusal_of(lambda: reopen(second, world)) == "case-not-reopenable"
    cancel(second, world)

    third = reopen(second, world)

    assert third.reopens == second


def test_a_pair_that_cannot_be_renewed_any_more_is_not_reopened(case, world):
    cancel(case, world)
    assert refusal_of(lambda: reopen(case, world, now=OLD_NOT_AFTER + timedelta(days=1))) == "certificate-expired"
    half = Certificate.objects.filter(pair=case.old_pair).first()
    half.hold(at=NOW)
    half.save()

    assert refusal_of(lambda: reopen(case, world)) == "certificate-held"
    assert RenewalCase.objects.count() == 1


def test_who_may_not_decide_may_not_reopen(case, world):
    cancel(case, world)
    auditor = world.employ("revisore@cdrl.example.org", world.centre, Role.AUDITOR)
    stranger = world.employ("altro@cdrl.example.org", world.found_centre("altro", "Altro CDRL"))

    assert refusal_of(lambda: reopen(case, world, operator=auditor)) == "role-insufficient"
    assert refusal_of(lambda: reopen(case, world, operator=stranger)) == "scope-foreign"
