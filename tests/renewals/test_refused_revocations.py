"""What is being revoked is not approved; a revocation that the CA has refused is none, and stops no clock."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms.models import CaRequest
from cms.services import requests
from cms.services.halves import Choice
from cms.states import RequestState
from notifications.models import OutboxMessage
from renewals import invariants, sweeps
from renewals.errors import CertificatesGone
from renewals.services import decisions, revocations
from tests.renewals import quick
from tests.renewals.conftest import NOW
from tests.renewals.world import OLD_NOT_AFTER


def revoke(world, pair, type_, *, now=NOW):
    half = pair.certificates.get(type=type_)
    choice = Choice(pair.pk, frozenset({half.pk}))
    revocations.revoke_certificates(choice, cause="holder-request", note="", operator=world.operator, now=now)


def test_a_case_whose_one_half_the_ca_would_not_revoke_is_still_suspended_at_the_old_expiry(world):
    case = quick.completed(world, 1)
    revoke(world, case.new_pair, "signature")
    CaRequest.objects.filter(kind="revoke").update(
        state=RequestState.REFUSED, settled_at=NOW, next_attempt_at=None, last_error="gateway-refused"
    )

    revoke(world, case.new_pair, "authentication")

    case.refresh_from_db()
    assert (case.withdrawn_at, case.due_kind) == (None, "suspend")
    assert sweeps.suspend_unauthorised(now=OLD_NOT_AFTER + timedelta(days=1)) == 1


def test_a_renewal_whose_certificates_are_all_being_revoked_is_not_approved_any_more(world):
    case = quick.completed(world, 1)
    for type_ in ("signature", "authentication"):
        revoke(world, case.new_pair, type_)

    with pytest.raises(CertificatesGone):
        decisions.approve_renewal(case.pk, operator=world.operator, now=NOW)

    assert not OutboxMessage.objects.filter(kind="authorised").exists()


def test_revocations_that_the_ca_refused_in_the_end_do_not_leave_a_case_unwatched_and_unseen(world):
    case = quick.completed(world, 1)
    for type_ in ("signature", "authentication"):
        revoke(world, case.new_pair, type_)
    assert not [breach for breach in invariants.breaches(now=NOW) if breach.subject == case.code]

    CaRequest.objects.filter(kind="revoke").update(
        state=RequestState.REFUSED, settled_at=NOW, next_attempt_at=None, last_error="gateway-refused"
    )

    told = [breach.detail for breach in invariants.breaches(now=NOW) if breach.subject == case.code]
    assert told == ["has no clock, and a certificate that nobody revokes"]


def test_once_the_ca_has_refused_these_revocations_it_can_be_approved(world):
    case = quick.completed(world, 1)
    for type_ in ("signature", "authentication"):
        revoke(world, case.new_pair, type_)
    CaRequest.objects.filter(kind="revoke").update(
        state=RequestState.REFUSED, settled_at=NOW, next_attempt_at=None, last_error="gateway-refused"
    )

    decisions.approve_renewal(case.pk, operator=world.operator, now=NOW)

    assert OutboxMessage.objects.filter(kind="authorised").count() == 1


def test_the_holder_hears_of_the_half_that_works_again_although_the_other_is_being_revoked(world):
    case = quick.completed(world, 1)
    after = OLD_NOT_AFTER + timedelta(days=1)
    sweeps.suspend_unauthorised(now=after)
    requests.carry_out_due(at=after)
    revoke(world, case.new_pair, "signature", now=after)
    CaRequest.objects.filter(kind="revoke").update(next_attempt_at=after + timedelta(hours=1))

    decisions.approve_renewal(case.pk, operator=world.operator, now=after)
    requests.carry_out_due(at=after)

    assert set(case.new_pair.certificates.values_list("type", "status")) == {
        ("authentication", "active"),
        ("signature", "held"),
    }
    assert OutboxMessage.objects.filter(kind="reactivated").count() == 1
