"""A revocation that the CA has refused is none: it stops no clock."""

from __future__ import annotations

from datetime import timedelta

from cms.models import CaRequest
from cms.services.halves import Choice
from cms.states import RequestState
from renewals import sweeps
from renewals.services import revocations
from tests.renewals import quick
from tests.renewals.conftest import NOW
from tests.renewals.world import OLD_NOT_AFTER


def revoke(world, pair, type_):
    half = pair.certificates.get(type=type_)
    choice = Choice(pair.pk, frozenset({half.pk}))
    revocations.revoke_certificates(choice, cause="holder-request", note="", operator=world.operator, now=NOW)


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
