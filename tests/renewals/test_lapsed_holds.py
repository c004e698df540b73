"""A lapsed hold is revoked behind the locks that every use case takes: case, certificates, then the hold."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from cms.models import CaRequest, Hold
from cms.services.halves import Choice
from cms.services.holds import suspend_certificates
from renewals import sweeps
from tests.renewals import quick
from tests.renewals.conftest import NOW

LONG_AFTER = NOW + timedelta(days=settings.CMS.hold_days + 2)


def held(world):
    case = quick.completed(world, 1)
    halves = list(case.new_pair.certificates.order_by("pk"))
    choice = Choice(case.new_pair_id, frozenset(half.pk for half in halves))
    suspend_certificates(choice, note="", operator=world.operator, now=NOW)
    return case, halves


def test_what_somebody_is_working_on_is_left_for_the_next_round(world, superuser):
    _case, (first, second) = held(world)
    with superuser.connect() as other, other.transaction():
        other.execute("SELECT 1 FROM cms_certificate WHERE id = %s FOR NO KEY UPDATE", [first.pk])

        assert sweeps.revoke_lapsed_holds(now=LONG_AFTER) == 1

    assert set(CaRequest.objects.filter(kind="revoke").values_list("certificate_id", flat=True)) == {second.pk}
    assert sweeps.revoke_lapsed_holds(now=LONG_AFTER) == 1
    assert not Hold.objects.filter(ended_at__isnull=True).exists()


def test_a_case_that_is_being_decided_keeps_its_certificates_until_then(world, superuser):
    case, _halves = held(world)
    with superuser.connect() as other, other.transaction():
        other.execute("SELECT 1 FROM renewals_renewalcase WHERE id = %s FOR NO KEY UPDATE", [case.pk])

        assert sweeps.revoke_lapsed_holds(now=LONG_AFTER) == 0

    assert sweeps.revoke_lapsed_holds(now=LONG_AFTER) == 2
