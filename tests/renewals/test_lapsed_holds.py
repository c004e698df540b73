"""A lapsed hold is revoked behind the locks that every use case takes: case, certificates, then the hold."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings

from cms.models import CaRequest, Certificate, Hold
from cms.services import requests
from cms.services.halves import Choice
from cms.services.holds import suspend_certificates
from notifications.models import OutboxMessage
from renewals import invariants, sweeps
from renewals.models import RevocationStop
from renewals.services import rehearsal
from renewals.services.rounds import Sweep
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


@pytest.mark.parametrize(("seconds", "revoked"), [(-1, 2), (0, 2), (1, 0)])
def test_what_has_expired_before_its_hold_lapses_is_not_revoked(world, seconds, revoked):
    """`notAfter` itself is still valid; a second later a revocation would say nothing any more."""
    held(world)
    requests.carry_out_due(at=NOW)
    Certificate.objects.filter(status="held").update(not_after=LONG_AFTER - timedelta(seconds=seconds))
    told = list(rehearsal.turns_of(Sweep.LAPSE_HOLD, now=LONG_AFTER))

    assert sweeps.revoke_lapsed_holds(now=LONG_AFTER) == 2
    assert sweeps.revoke_lapsed_holds(now=LONG_AFTER) == 0
    requests.carry_out_due(at=LONG_AFTER)

    assert [(len(turn.wishes), turn.is_over, bool(turn.mail)) for turn in told] == 2 * [
        (revoked // 2, not revoked, bool(revoked))
    ]
    assert CaRequest.objects.filter(kind="revoke").count() == revoked
    assert Certificate.objects.filter(status="revoked").count() == revoked
    assert OutboxMessage.objects.filter(kind="revoked").exists() == bool(revoked)
    assert not Hold.objects.filter(ended_at__isnull=True).exists()
    broken = [breach.subject.partition(" ")[0] for breach in invariants.breaches(now=LONG_AFTER)]
    assert not {"hold", "certificate"} & set(broken)


def test_a_stop_keeps_back_no_hold_that_ends_by_itself(world):
    """What nobody revokes is not counted among the revocations that a stop holds back."""
    held(world)
    requests.carry_out_due(at=NOW)
    RevocationStop.objects.create(
        reason="prova", asked_by=1, asked_at=NOW, ends_at=LONG_AFTER + timedelta(days=1), confirmed_by=2,
        confirmed_at=NOW,
    )  # fmt: skip
    over = Certificate.objects.filter(status="held").order_by("pk").last()
    Certificate.objects.filter(pk=over.pk).update(not_after=LONG_AFTER - timedelta(days=1))

    assert sweeps.revoke_lapsed_holds(now=LONG_AFTER) == 1

    assert Hold.objects.get(ended_at__isnull=False).certificate_id == over.pk
    assert not CaRequest.objects.filter(kind="revoke").exists()
