"""A missing approval suspends what another cause holds already: the holder is told of this cause, too, and once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms.actors import SYSTEM
from cms.models import CaRequest, Hold
from cms.services import certificates, requests
from cms.states import HoldCause
from notifications.models import OutboxMessage
from renewals import queries, sweeps
from renewals.models import RenewalCase
from renewals.services import rounds
from tests.renewals import quick
from tests.renewals.checking import assert_invariants
from tests.renewals.test_races import DUE

DAY = timedelta(days=1)


def held(case, halves, at):
    """The holder has suspended so many halves himself."""
    for half in case.new_pair.certificates.select_related("pair").order_by("pk")[:halves]:
        certificates.place_hold(half, HoldCause.HOLDER, days=120, actor=SYSTEM, at=at)
    requests.carry_out_due(at=at)


def told():
    return list(OutboxMessage.objects.filter(kind="suspended").values_list("case_code", flat=True))


@pytest.mark.parametrize("halves", [0, 1, 2])
def test_the_holder_is_told_once_whatever_was_held_before(world, halves):
    case, other = quick.completed(world, 1), quick.completed(world, 2)
    held(case, halves, DUE - DAY)

    sweeps.suspend_unauthorised(now=DUE)
    requests.carry_out_due(at=DUE)

    assert sorted(told()) == sorted([case.code, other.code])
    letter = OutboxMessage.objects.get(kind="suspended", case_code=case.code)
    assert letter.key == f"suspended:{case.code}"
    assert Hold.objects.filter(cause=HoldCause.MISSING_APPROVAL).count() == 4
    assert CaRequest.objects.filter(kind="hold", cause=HoldCause.MISSING_APPROVAL).count() == 4 - halves
    assert_invariants(DUE)


def test_the_rehearsal_announces_the_same_letter(world):
    case = quick.completed(world, 1)
    held(case, 2, DUE - DAY)
    rows = list(RenewalCase.objects.select_related(*queries.CASE_IN_ROUND).filter(pk=case.pk))
    halves = list(queries.new_certificates(rows, rounds.WORKING))

    (turn,) = rounds.suspensions(rows, halves, now=DUE)
    sweeps.suspend_unauthorised(now=DUE)

    posted = OutboxMessage.objects.get(kind="suspended")
    assert turn.mail is not None
    assert (turn.mail.key, turn.mail.to, turn.mail.context) == (posted.key, posted.recipient, posted.context)


def test_a_holder_without_a_mailbox_is_held_in_silence(world):
    case = quick.completed(world, 1)
    held(case, 2, DUE - DAY)
    case.holder.__class__.objects.filter(pk=case.holder_id).update(email=None, email_key=None)

    assert sweeps.suspend_unauthorised(now=DUE) == 1
    assert told() == []
