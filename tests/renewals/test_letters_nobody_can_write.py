"""One centre's contact that no letter can carry holds up no other centre: neither its clock nor its mails."""

from __future__ import annotations

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from cms.models import Certificate, Holder, Pair
from cms.services import requests
from notifications.models import OutboxMessage
from renewals import sweeps
from renewals.models import RenewalCase
from renewals.services import decisions
from renewals.states import CaseState
from tests.renewals import quick
from tests.renewals.test_races import DUE
from tests.renewals.world import OLD_NOT_AFTER

EXPIRED = OLD_NOT_AFTER + timedelta(seconds=1)


def unwritable(holder_id):
    """A mailbox that the register's doors refuse, and an old database may hold."""
    Holder.objects.filter(pk=holder_id).update(email='"a.b"@example.org', email_key='"a.b"@example.org')


def told(kind):
    return list(OutboxMessage.objects.filter(kind=kind).values_list("case_code", flat=True))


def both(world, make):
    bad, good = make(world, 1), make(world, 2)
    unwritable(bad.holder_id)
    return bad, good


def states():
    return set(RenewalCase.objects.values_list("state", flat=True))


def test_a_suspension_is_stored_and_told_to_whom_it_can_be(world):
    _bad, good = both(world, quick.completed)
    sweeps.suspend_unauthorised(now=DUE)

    with capture_logs() as logs:
        requests.carry_out_due(at=DUE)

    new = Certificate.objects.filter(pair__predecessor__isnull=False)
    assert set(new.values_list("status", flat=True)) == {"held"}
    assert told("suspended") == [good.code]
    assert "example.org" not in str(logs)
    assert [each["event"] for each in logs if each["event"] == "outbox.refused"]


def test_a_suspension_that_is_carried_out_alone_is_stored_too(world):
    case = quick.completed(world, 1)
    unwritable(case.holder_id)
    sweeps.suspend_unauthorised(now=DUE)

    for wish in case.new_pair.ca_requests.filter(kind="hold"):
        requests.carry_out(wish.pk, at=DUE)

    assert set(case.new_pair.certificates.values_list("status", flat=True)) == {"held"}


@pytest.mark.parametrize("make", [quick.opened, quick.signed], ids=["unsigned", "signed"])
def test_cases_end_whoever_cannot_be_told(world, make):
    _bad, good = both(world, make)

    sweeps.expire_cases(now=EXPIRED)

    assert states() == {CaseState.EXPIRED}
    assert told("case-expired") == [good.code]


def test_windows_open_whoever_cannot_be_invited(world):
    bad, good = both(world, quick.registered)
    Pair.objects.update(window_opens_at=world.now)

    sweeps.open_windows(now=world.now)

    opened = dict(RenewalCase.objects.values_list("old_pair_id", "code"))
    assert set(opened) == {bad.pk, good.pk}
    assert told("renewal-notice") == [opened[good.pk]]


def test_a_centre_decides_about_a_holder_who_cannot_be_told(world):
    case = quick.completed(world, 1)
    unwritable(case.holder_id)

    decisions.approve_renewal(case.pk, operator=world.operator, now=world.now)

    case.refresh_from_db()
    assert case.authorisation == "approved"
