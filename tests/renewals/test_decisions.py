"""Approva and Non approva: who may, when, and what follows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms.errors import DomainError
from cms.models import Event, Service
from cms.states import Role
from notifications.models import OutboxMessage
from renewals import sweeps
from renewals.models import RenewalCase
from renewals.services import decisions
from tests.renewals.checking import assert_invariants
from tests.renewals.conftest import NOW
from tests.renewals.enrolment import Enrolment
from tests.renewals.world import OLD_NOT_AFTER


def refusal_of(act):
    """The code with which a use case refuses."""
    with pytest.raises(DomainError) as refused:
        act()
    return refused.value.reason_code


@pytest.fixture
def case(enrolment):
    """A completed case that waits for its centre."""
    enrolment.until("done")
    return RenewalCase.objects.get()


def test_an_approval_in_time_concludes(case, world):
    """No suspension will follow; the holder is told."""
    decisions.approve_renewal(case.pk, operator=world.operator, now=NOW)
    case.refresh_from_db()
    assert (case.authorisation, case.due_kind, case.is_concluded) == ("approved", "", True)
    assert OutboxMessage.objects.filter(kind="authorised").count() == 1
    assert sweeps.suspend_unauthorised(now=OLD_NOT_AFTER + timedelta(days=1)) == 0
    assert_invariants(NOW)


def test_approving_twice_is_approving_once(case, world):
    """A double click leaves one event and one mail."""
    for _ in range(2):
        decisions.approve_renewal(case.pk, operator=world.operator, now=NOW)
    assert Event.objects.filter(verb="case.approved").count() == 1


def test_an_operator_of_another_centre_may_not(case, world):
    """Scope is asked again in the domain."""
    other = world.found_centre("altro", "Altro CDRL")
    stranger = world.employ("altro@cdrl.example.org", other)
    assert refusal_of(lambda: decisions.approve_renewal(case.pk, operator=stranger, now=NOW)) == "scope-foreign"


def test_an_auditor_may_not(case, world):
    """Reads everything, changes nothing."""
    auditor = world.employ("revisore@cdrl.example.org", world.centre, Role.AUDITOR)
    assert refusal_of(lambda: decisions.approve_renewal(case.pk, operator=auditor, now=NOW)) == "role-insufficient"


def test_a_leaver_may_not(case, world):
    """Cut off at the next request."""
    world.operator.memberships.all().delete()
    assert refusal_of(lambda: decisions.approve_renewal(case.pk, operator=world.operator, now=NOW)) == "scope-foreign"


def test_the_holder_does_not_approve_himself(case, world):
    """REG-6.2.2-26."""
    world.operator.tax_code = case.holder.tax_code
    world.operator.save()
    refused = refusal_of(lambda: decisions.approve_renewal(case.pk, operator=world.operator, now=NOW))
    assert refused == "approver-is-holder"


def test_before_the_signature_there_is_nothing_to_decide(world, card):
    """The guide speaks of requests."""
    sweeps.open_windows(now=NOW)
    case = RenewalCase.objects.get()
    assert (
        refusal_of(lambda: decisions.approve_renewal(case.pk, operator=world.operator, now=NOW)) == "decision-not-open"
    )


def test_an_early_approval_counts(world, enrolment):
    """Approved before installation: concluded at installation."""
    enrolment.until("requests")
    case = RenewalCase.objects.get()
    decisions.approve_renewal(case.pk, operator=world.operator, now=NOW)
    enrolment.until("done")
    case.refresh_from_db()
    assert (case.state, case.is_concluded, case.due_kind) == ("completed", True, "")
    assert enrolment.case["result"]["concluded"] is True


def test_a_refusal_needs_a_reason(case, world):
    """Blank is no reason."""
    refused = refusal_of(lambda: decisions.refuse_renewal(case.pk, operator=world.operator, reason="  ", now=NOW))
    assert refused == "reason-missing"


def test_a_refused_renewal_can_still_be_approved(case, world):
    """Reversible until the irreversible step."""
    decisions.refuse_renewal(case.pk, operator=world.operator, reason="Dati da verificare", now=NOW)
    decisions.approve_renewal(case.pk, operator=world.operator, now=NOW)
    case.refresh_from_db()
    assert case.authorisation == "approved"


def test_an_approved_renewal_is_not_refused(case, world):
    """Every other pair of state and event is refused."""
    decisions.approve_renewal(case.pk, operator=world.operator, now=NOW)
    refused = refusal_of(lambda: decisions.refuse_renewal(case.pk, operator=world.operator, reason="No", now=NOW))
    assert refused == "state-conflict"


def test_the_mode_of_the_agreement_at_signature_counts(world, enrolment):
    """Later changes do not move open cases."""
    enrolment.until("requests")
    world.agreement.approval = "automatic"
    world.agreement.save()
    enrolment.until("done")
    assert RenewalCase.objects.get().authorisation == "pending"


def test_a_renewal_is_issued_under_the_successor(world):
    """Stock, term and mode come from the issuing service; the list filters by the old one."""
    old = Service.objects.create(
        code="cns-webra", name="CNS WebRA", types=["authentication", "signature"], successor=world.service
    )
    agreement = world.agree(world.centre, old, "automatic")
    Enrolment(world.card(6, agreement=agreement)).until("done")
    case = RenewalCase.objects.get()
    assert (case.service, case.issuing_service, case.new_pair.service) == (old, world.service, world.service)
    assert case.authorisation == "pending"
